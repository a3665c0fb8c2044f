package simulation_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/localstack/simulation"
	"backroom/localstack/template"
)

var update = flag.Bool("update", false, "write testdata/ledger.txt instead of comparing with it")

// together is how many orders are placed at once: a multiple of each batch.
const together = 30

// budget is what an order that is paid may cost (docs/decisions/0043-what-an-order-costs.md).
type budget struct{ invocations, requests, dollars float64 }

var budgets = map[int]budget{10: {2.5, 2.5, 25}, 3: {5.5, 8, 29}, 1: {14, 23, 38}}

// writes is how many write units an order of n lines may cost, two mails included.
func writes(n int) float64 { return float64(2*(1+n) + 16 + 3*((max(n, 5)-5+9)/10)) }

// It counts what an order costs, from its placement to its last mail. Any change of the cost changes
// testdata/ledger.txt.
func TestLedger(t *testing.T) {
	var page strings.Builder
	fmt.Fprintf(&page,
		"What an order costs, simulated: %d paid orders at once, all functions warm, full batches; per order.\n",
		together)
	for _, n := range []int{1, 5, 20} {
		t.Run(fmt.Sprintf("%d lines", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, simulation.Settings{Seed: 1, Full: true, Shards: 1}, 1000)
				s.Batch(1)
				s.buy(n) // a first time, after which every function is warm
				for _, batch := range []int{1, 3, 10} {
					s.Batch(batch)
					s.account(&page, n, batch)
				}
			})
		})
	}
	fmt.Print(page.String()) // make ledger shows it
	file := filepath.Join("testdata", "ledger.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), page.String(),
		"the cost of an order has changed. If the change is intended: make ledger UPDATE=1")
}

// account places orders of n lines and writes what they cost.
func (s *store) account(page *strings.Builder, n, batch int) {
	t := s.t
	s.Ledger.Forget()
	before := len(s.orders)
	s.buy(n)
	require.Equal(t, map[string]int{"paid confirmed": before + together}, s.audit(harm{}))

	read, err := template.Read()
	require.NoError(t, err)
	fmt.Fprintf(page, "\n%-20s %7s %7s %7s %7s %9s %9s\n", fmt.Sprintf("n=%d, batches of %d", n, batch), "writes",
		"reads", "SQS", "invoked", "AWS calls", "log bytes")
	line := func(name string, b bill) {
		fmt.Fprintf(page, "%-20s %7.2f %7.2f %7.2f %7.2f %9.2f %9.0f\n", name, b.writes, b.reads, b.requests,
			b.invocations, b.calls, b.logBytes)
	}
	sum := bill{apiCalls: 1}
	for _, function := range ofOrder {
		b := billOf(s, function, memory(read, function), together)
		line(function, b)
		sum.add(b)
	}
	line("an order", sum)
	second := billOf(s, "send-notification", memory(read, "send-notification"), together)
	withMail := sum.writes + second.writes
	b := budgets[batch]
	fmt.Fprintf(page, "%-20s %7.2f of %.0f with a second mail; %.2f of %.1f SQS requests; %.2f of %.1f invocations\n",
		"budget", withMail, writes(n), sum.requests, b.requests, sum.invocations, b.invocations)
	fmt.Fprintf(page, "%-20s $ %.2f per million orders", "price", sum.dollars()*1e6)
	if n == 5 {
		fmt.Fprintf(page, " of %.0f", b.dollars)
		assert.LessOrEqual(t, sum.dollars()*1e6, b.dollars, "$ per million orders")
	}
	calls := bill{}
	for _, function := range ofCallbacks {
		calls.add(billOf(s, function, memory(read, function), together))
	}
	calls.apiCalls = calls.invocations
	fmt.Fprintf(page, "; the provider's callbacks, %.1f an order, cost %.2f more\n", calls.invocations,
		calls.dollars()*1e6)
	conformance.Figure(t,
		"n=%d, batches of %d: %.2f write units (%.0f may be), %.2f SQS requests, %.2f invocations, $ %.2f per "+
			"million orders", n, batch, withMail, writes(n), sum.requests, sum.invocations, sum.dollars()*1e6)
	assert.LessOrEqual(t, withMail, writes(n), "write units")
	assert.LessOrEqual(t, sum.requests, b.requests, "requests to SQS")
	assert.LessOrEqual(t, sum.invocations, b.invocations, "invocations")
}

// buy places orders at once, and waits until they have ended.
func (s *store) buy(n int) {
	var customers []func(*http.Client)
	for range together {
		customers = append(customers, s.order(len(s.orders)+len(customers), basket("pm_card_visa", n), 0))
	}
	s.Meanwhile(time.Hour, customers...)
	require.True(s.t, s.Run(time.Hour, s.over))
}

// memory returns the memory size of a function by the template, in MB.
func memory(t template.Template, function string) int {
	if mb, ok := t.Resources[template.LogicalID(function)].Properties["MemorySize"].(int); ok {
		return mb
	}
	mb, _ := t.Globals["MemorySize"].(int)
	return mb
}
