package crash

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

const (
	kills         = 10 // how often, at least, the processes of each function are killed
	interruptions = 3  // how many of its invocations, at least, lose their process before they answer
)

// victims are the functions that an order needs.
var victims = []string{
	"place-order", "cancel-order", "relay-facts", "reserve-stock", "authorize-payment", "receive-payment-event",
	"advance-order",
	"commit-stock", "capture-payment", "send-notification", "release-stock", "return-payment",
}

// canceledAtOnce reports whether the n-th order is canceled as soon as it is placed: every fourth is.
func canceledAtOnce(n int) bool { return n%4 == 1 }

func TestKill_OfEveryFunctionLosesNoOrder(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		requireOwnCloud(t)
		g := deliver(t)
		ctx, stop := context.WithCancel(t.Context())
		var (
			buying sync.WaitGroup
			placed accepted
			again  int
		)
		buying.Go(func() { placed, again = g.placeUntil(t, ctx, 1e6, 400*time.Millisecond, canceledAtOnce) })
		defer buying.Wait()
		defer stop()

		before, killed := interrupted(t), map[string]int{}
		hit := func(function string) int { return interrupted(t)[function] - before[function] }
		for _, function := range victims { // one after the other, so that the other functions continue
			for began := time.Now(); killed[function] < kills || hit(function) < interruptions; {
				require.Less(t, time.Since(began), system.Bound,
					"%s is killed often enough; so far %d times, %d times during an invocation", function,
					killed[function], hit(function))
				if killProcesses(ministack.Pid(), system.ProcessMark(function)) > 0 {
					killed[function]++
				}
				time.Sleep(50*time.Millisecond + rand.N(100*time.Millisecond))
			}
		}
		stop()
		buying.Wait()

		for _, function := range victims {
			conformance.Figure(t, "%s: killed %d times, %d invocations lost their process before they answered",
				function, killed[function], hit(function))
		}
		conformance.Figure(t, "%d requests of buyers failed and were repeated", again)
		end(t, placed)
		conformance.Figure(t, "%s", g.settle(t, placed))
	})
}

// killProcesses kills the children of parent whose environment has the variable, and returns how many. It opens a
// handle of a process before it reads the environment, so that a reused process id is not killed.
func killProcesses(parent int, variable string) (killed int) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil || parentOf(folder) != parent {
			continue
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(filepath.Join(folder, "environ"))
		if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), variable) &&
			process.Signal(syscall.SIGKILL) == nil {
			killed++
		}
		_ = process.Release()
	}
	return killed
}

func parentOf(folder string) int {
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return 0 // it has ended
	}
	// behind the program's name: the state, then the parent
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// interrupted counts, from MiniStack's log, the invocations of each function that lost their process before they
// answered, during their work or during the start.
func interrupted(t conformance.T) map[string]int {
	t.Helper()
	log, err := os.ReadFile(ministack.Log())
	require.NoError(t, err)
	count := map[string]int{}
	for _, function := range victims {
		name := system.Stack.FunctionName(function)
		count[function] = strings.Count(string(log), "Lambda "+name+": Runtime exited before returning a response") +
			strings.Count(string(log), "error for "+name+": bootstrap exited during init")
	}
	return count
}
