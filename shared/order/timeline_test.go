package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"backroom/shared/order"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

// entry returns an entry of a history, with its writer's time after Noon and its cause.
func entry(id string, fact saga.Fact, after time.Duration, cause string) order.StoryEntry {
	return order.StoryEntry{
		ID: id,
		Entry: saga.Entry{
			Fact: fact, At: ordertest.Noon.Add(after), Cause: saga.Cause{ID: cause, Actor: "actor of " + id},
		},
	}
}

func facts(timeline []order.StoryEntry) []saga.Fact {
	list := []saga.Fact{}
	for _, e := range timeline {
		list = append(list, e.Fact)
	}
	return list
}

func TestTimeline_SortsByCauseThenTime(t *testing.T) {
	placed, reserved := entry("o1", saga.OrderPlaced, 0, "request"), entry(
		"h1", saga.StockReserved, 20*time.Millisecond, "o1",
	)
	authorized, confirmed := entry("c1", saga.PaymentAuthorized, 40*time.Millisecond, "h1"), entry(
		"o2", saga.OrderConfirmed, 60*time.Millisecond, "c1",
	)
	for sentence, c := range map[string]struct {
		entries []order.StoryEntry
		want    []saga.Fact
	}{
		"without entries": {nil, []saga.Fact{}},
		"entries in the sequence of their times": {
			[]order.StoryEntry{placed, confirmed, reserved, authorized},
			[]saga.Fact{saga.OrderPlaced, saga.StockReserved, saga.PaymentAuthorized, saga.OrderConfirmed},
		},
		"no entry comes before its cause, even if the writers' clocks differ": {
			[]order.StoryEntry{
				entry("o2", saga.OrderConfirmed, -time.Hour, "c1"), authorized,
				entry("h1", saga.StockReserved, -time.Minute, "o1"), placed,
			},
			[]saga.Fact{saga.OrderPlaced, saga.StockReserved, saga.PaymentAuthorized, saga.OrderConfirmed},
		},
		"entries of one time follow their causes": {
			[]order.StoryEntry{
				entry("o2", saga.OrderConfirmed, 0, "c1"), entry("c1", saga.PaymentAuthorized, 0, "h1"),
				entry("h1", saga.StockReserved, 0, "o1"), placed,
			},
			[]saga.Fact{saga.OrderPlaced, saga.StockReserved, saga.PaymentAuthorized, saga.OrderConfirmed},
		},
		"an order that is canceled while it is paid, from three rows": {
			[]order.StoryEntry{
				placed, entry("o2", saga.OrderCanceling, 30*time.Millisecond, "cancellation"), entry(
					"o3", saga.OrderMoneyReturned, 90*time.Millisecond, "c3",
				),
				entry("o4", saga.OrderCanceled, 80*time.Millisecond, "h2"), // its writer's clock is behind
				reserved, entry("h2", saga.StockReleased, 95*time.Millisecond, "o2"),
				authorized, entry("c2", saga.PaymentReturning, 50*time.Millisecond, "o2"), entry(
					"c3", saga.PaymentReturned, 70*time.Millisecond, "o2",
				),
			},
			[]saga.Fact{
				saga.OrderPlaced, saga.StockReserved, saga.OrderCanceling, saga.PaymentAuthorized,
				saga.PaymentReturning, saga.PaymentReturned,
				saga.OrderMoneyReturned, saga.StockReleased, saga.OrderCanceled,
			},
		},
		"a cause without an entry is ignored": {
			[]order.StoryEntry{entry("o2", saga.OrderConfirmed, time.Second, "forgotten"), placed},
			[]saga.Fact{saga.OrderPlaced, saga.OrderConfirmed},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, facts(order.Timeline(c.entries)))
		})
	}
}

// For any clocks and any sequence of rows, no entry comes before its cause. Entries whose causes
// form a circle are all returned too.
func TestTimeline_KeepsEveryEntryBehindItsCause(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(t *rapid.T) {
		var entries []order.StoryEntry
		cause := map[string]string{}
		circular := rapid.Bool().Draw(t, "circular")
		for i, id := range ids {
			causes := append([]string{"request"}, ids[:i]...)
			if circular {
				causes = ids
			}
			cause[id] = rapid.SampledFrom(causes).Draw(t, "cause")
			entries = append(
				entries,
				entry(id, saga.Fact(id), time.Duration(rapid.IntRange(-5, 5).Draw(t, "at"))*time.Second, cause[id]),
			)
		}
		sorted := facts(order.Timeline(rapid.Permutation(entries).Draw(t, "entries")))
		if len(sorted) != len(ids) {
			t.Fatalf("%d of %d entries", len(sorted), len(ids))
		}
		for _, id := range ids {
			if !circular && cause[id] != "request" &&
				slices.Index(sorted, saga.Fact(id)) < slices.Index(sorted, saga.Fact(cause[id])) {
				t.Fatalf("%s comes before its cause %s: %v", id, cause[id], sorted)
			}
		}
	})
}
