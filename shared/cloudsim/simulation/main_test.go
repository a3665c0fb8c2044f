package simulation_test

import (
	"os"
	"runtime/debug"
	"testing"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // simulations make much that lives shortly
	os.Exit(m.Run())
}
