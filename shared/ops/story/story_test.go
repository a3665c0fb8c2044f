package story_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/ops/story"
	"backroom/shared/order"
	"backroom/shared/payment"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

var update = flag.Bool("update", false, "write testdata instead of comparing it")

const id = "ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"

var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// plain adds no colour; marked shows where colour is added.
type (
	plain  struct{}
	marked struct{}
)

func (plain) Good(s string) string  { return s }
func (plain) Bad(s string) string   { return s }
func (plain) Dim(s string) string   { return s }
func (marked) Good(s string) string { return "<good>" + s + "</good>" }
func (marked) Bad(s string) string  { return "<bad>" + s + "</bad>" }
func (marked) Dim(s string) string  { return "<dim>" + s + "</dim>" }

// A log is the histories of an order's rows.
type log struct{ entries []order.StoryEntry }

// add appends a fact and returns its id.
func (l *log) add(ms int, actor string, fact saga.Fact, because string) string {
	e := order.StoryEntry{ID: string(saga.Routes[fact].Source) + ":" + string(fact), Entry: saga.Entry{
		Fact: fact, At: noon.Add(time.Duration(ms) * time.Millisecond), Cause: saga.Cause{ID: because, Actor: actor},
	}}
	l.entries = append(l.entries, e)
	return e.ID
}

// placed is an order that was just placed.
func placed() order.Order {
	return order.Order{
		ID: id, Shop: "main", Owner: "ada", Email: "ada@example.com", PaymentMethod: "pm_card_visa", PlacedAt: noon,
		ExpiresAt: noon.Add(15 * time.Minute),
		Lines:     []saga.Line{{SKU: "MUG-1", Quantity: 2, Price: 1250}, {SKU: "RUG-1", Quantity: 1, Price: 8000}},
		Total:     money.Money{Amount: 10500, Currency: "EUR"}, Awaits: []order.Awaited{order.AwaitsOutcome},
		Due: noon.Add(2 * time.Minute),
	}
}

// canceledWhilePaying is the story of an order that its customer canceled while it was being paid.
func canceledWhilePaying() story.Story {
	var l log
	ordered := l.add(0, "ada", saga.OrderPlaced, "req-7c1f")
	reserved := l.add(74, "reserve-stock", saga.StockReserved, ordered)
	l.add(231, "authorize-payment", saga.PaymentIntended, reserved)
	canceling := l.add(360, "ada", saga.OrderCanceling, "req-81d0")
	l.add(442, "return-payment", saga.PaymentReturning, canceling)
	released := l.add(455, "release-stock", saga.StockReleased, canceling)
	l.add(530, "advance-order", saga.OrderStockReleased, released)
	returned := l.add(911, "return-payment", saga.PaymentReturned, canceling)
	l.add(978, "advance-order", saga.OrderCanceled, returned)
	slices.Reverse(l.entries) // rows are read in no order

	o := placed()
	o.Outcome, o.Reason, o.Awaits, o.Due = order.Canceled, "ordered by mistake", nil, time.Time{}
	return story.Story{
		Story:       order.Story{Order: o, Entries: l.entries},
		Reservation: &stock.Reservation{Desired: stock.DesiredRelease, Observed: stock.Nothing},
		Charge: &payment.Charge{Desired: payment.DesiredReturn, Observed: payment.Canceled, Intent: "pi_3Qx8",
			ClientSecret: "pi_3Qx8_secret"},
		Notices: []story.Notice{{Notice: notify.Notice{Template: notify.Canceled}, Status: notify.Sent,
			At: noon.Add(1100 * time.Millisecond)}},
	}
}

func written(t *testing.T, s story.Story, after time.Duration, ink story.Ink) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, s.Write(&text, noon.Add(after), time.FixedZone("CET", 3600), ink))
	return text.String()
}

func TestStory_IsTheGoldenText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		story story.Story
		after time.Duration
	}{
		"canceled-while-paying": {canceledWhilePaying(), time.Hour},
		"needs-attention":       {needsAttention(), 30 * time.Hour},
		"just-placed":           {justPlaced(), 300 * time.Millisecond},
		"refunded":              {refunded(), 49 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, text := filepath.Join("testdata", name+".txt"), written(t, c.story, c.after, plain{})
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			}
			kept, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(kept), text, "if the change is meant: go test ./shared/ops/story -update")
		})
	}
}

func justPlaced() story.Story {
	var l log
	l.add(0, "client:kiosk", saga.OrderPlaced, "req-1")
	return story.Story{Story: order.Story{Order: placed(), Entries: l.entries}}
}

// needsAttention is the story of an order whose capture failed.
func needsAttention() story.Story {
	var l log
	l.add(0, "ada", saga.OrderPlaced, "req-1")
	asked := "clock:main#" + id + "@1"
	due := l.add(125_000, "advance-order", saga.ReserveDue, asked)
	l.add(125_000, "advance-order", saga.PaymentCheckDue, asked)
	reserved := l.add(126_000, "reserve-stock", saga.StockReserved, due)
	authorized := l.add(127_000, "authorize-payment", saga.PaymentAuthorized, reserved)
	confirmed := l.add(127_500, "advance-order", saga.OrderConfirmed, authorized)
	l.add(127_400, "commit-stock", saga.StockSold, confirmed) // its clock is behind
	failed := l.add(26*3600_000, "capture-payment", saga.CaptureFailed, confirmed)
	l.add(26*3600_000+200, "advance-order", saga.OrderNeedsAttention, failed)
	o := placed()
	o.Outcome, o.Awaits, o.Attention = order.Confirmed, []order.Awaited{order.AwaitsCapture}, order.CaptureFailed
	o.Due, o.Retries = noon.Add(26*time.Hour), 7
	return story.Story{
		Story:       order.Story{Order: o, Entries: l.entries},
		Reservation: &stock.Reservation{Desired: stock.DesiredSell, Observed: stock.Sold},
		Charge: &payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Lapsed, Intent: "pi_1",
			Reason: "payment-canceled", DeclineCode: "expired"},
		Notices: []story.Notice{{Notice: notify.Notice{Template: notify.Confirmed}, Status: notify.Sending}},
	}
}

// refunded is the story of an order with one refund that arrived, and one that is pending.
func refunded() story.Story {
	var l log
	l.add(0, "ada", saga.OrderPlaced, "req-1")
	l.add(900, "advance-order", saga.OrderSettled, "gone")
	l.add(48*3600_000, "staff-7", saga.OrderRefunding, "req-2")
	o := placed()
	o.Outcome, o.Paid, o.Awaits, o.Due, o.Retries = order.Confirmed, true, []order.Awaited{order.AwaitsRefund},
		noon.Add(48*time.Hour+10*time.Minute), 2
	o.Refunds = []saga.Refund{{ID: "ref_1", Amount: 1250, Try: 1, Status: saga.RefundStatusSucceeded},
		{ID: "ref_2", Amount: 500, Try: 2, Status: saga.RefundStatusPending}}
	o.Resolution = order.Resolution{ID: "r", Action: order.Retry, Reason: "the provider was down", By: "staff-7",
		At: noon.Add(time.Hour)}
	return story.Story{
		Story: order.Story{Order: o, Entries: l.entries},
		Reservation: &stock.Reservation{Desired: stock.DesiredReserve, Observed: stock.Nothing,
			Short: []string{"MUG-1", "RUG-1"}},
		Charge: &payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Captured, Intent: "pi_1"},
		Notices: []story.Notice{
			{Notice: notify.Notice{Template: notify.Confirmed}, Status: notify.Sent, At: noon.Add(time.Second)},
			{Notice: notify.Notice{Template: notify.Refunded, Refund: "ref_1"}, Status: notify.Suppressed,
				At: noon.Add(24 * time.Hour)},
		},
	}
}

func TestStory_HasASentenceForEveryFact(t *testing.T) {
	t.Parallel()
	said := map[string]saga.Fact{}
	for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
		var l log
		l.add(0, "somebody", fact, "something")
		text := written(t, story.Story{Story: order.Story{Order: placed(), Entries: l.entries}}, time.Second, plain{})
		sentence := strings.Split(text, "\n")[4]
		assert.NotContains(t, sentence, "recorded "+string(fact), "%s has no sentence", fact)
		words, _, _ := strings.Cut(sentence, string(fact))
		assert.Empty(t, said[words], "%s has the same sentence", fact)
		said[words] = fact
	}
	assert.Len(t, said, len(saga.Routes))
}

func TestStory_HasNoPersonalData(t *testing.T) {
	t.Parallel()
	text := written(t, canceledWhilePaying(), time.Hour, plain{})
	for _, secret := range []string{"ada@example.com", "pm_card_visa", "pi_3Qx8_secret"} {
		assert.NotContains(t, text, secret)
	}
}

func TestStory_ColoursTheOutcome(t *testing.T) {
	t.Parallel()
	text := written(t, canceledWhilePaying(), time.Hour, marked{})
	assert.Regexp(t, `<bad> +\+0\.4 s  ada canceled the order.*</bad>  <dim>OrderCanceling ← request req-81d0</dim>`,
		text)
	assert.Regexp(t, `<good> +\+1\.0 s .*complete\..*</good>`, text)
	assert.Contains(t, text, "<good>canceled: ordered by mistake</good>")
}

// TestReadme_ShowsTheStoryOfACanceledOrder compares the example in README.md with the story in testdata. The
// example leaves out which fact was recorded and what caused it.
func TestReadme_ShowsTheStoryOfACanceledOrder(t *testing.T) {
	t.Parallel()
	const (
		readme = "../../../README.md"
		begin  = "<!-- from shared/ops/story/testdata/canceled-while-paying.txt: go test ./shared/ops/story -update " +
			"-->\n"
		end = "<!-- end -->\n"
	)
	text := written(t, canceledWhilePaying(), time.Hour, plain{})
	facts := regexp.MustCompile(`(?m) +\w+ ← .*$`)
	page, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	require.True(t, found && closed, "README.md has no place for the story: %s%s", begin, end)
	want := before + begin + "```\n" + facts.ReplaceAllString(text, "") + "```\n" + end + after
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page), "next: go test ./shared/ops/story -update")
}

func TestStory_NamesALostReservation(t *testing.T) {
	t.Parallel()
	const lost = "its reservation was lost"
	for name, c := range map[string]struct {
		facts       []saga.Fact
		reservation *stock.Reservation
		lost        bool
	}{
		"confirmed, and no reservation": {[]saga.Fact{saga.OrderPlaced, saga.OrderConfirmed}, nil, true},
		"canceled after it was confirmed, and released without lines": {
			[]saga.Fact{saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling},
			&stock.Reservation{Desired: stock.DesiredRelease, Observed: stock.Nothing}, true,
		},
		"canceled after it was confirmed, and released": {
			[]saga.Fact{saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling}, &stock.Reservation{
				Desired: stock.DesiredRelease, Observed: stock.Nothing,
				Lines: []stock.Line{{SKU: "MUG-1", Quantity: 2}},
			}, false,
		},
		"canceled before it was reserved for": {
			[]saga.Fact{saga.OrderPlaced, saga.OrderCanceling},
			&stock.Reservation{Desired: stock.DesiredRelease, Observed: stock.Nothing}, false,
		},
		"just placed": {[]saga.Fact{saga.OrderPlaced}, nil, false},
	} {
		var l log
		for i, fact := range c.facts {
			l.add(i, "ada", fact, fmt.Sprint("req-", i))
		}
		s := story.Story{Story: order.Story{Order: placed(), Entries: l.entries}, Reservation: c.reservation}
		assert.Equal(t, c.lost, strings.Contains(written(t, s, time.Hour, plain{}), lost), name)
	}
}
