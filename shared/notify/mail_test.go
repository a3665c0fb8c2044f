package notify_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/notify"
	"backroom/shared/saga"
)

var update = flag.Bool("update", false, "write shared/notify/testdata instead of comparing it")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), got, "if the change is meant: go test ./shared/notify -run Golden -update")
}

func TestWrite_MatchesTheGoldenMails(t *testing.T) {
	refunded := with(func(o *notify.Order) {
		o.Refunds = []saga.Refund{{ID: "r0", Amount: 1}, {ID: "r1", Amount: 1250, Status: saga.RefundStatusSucceeded}}
	})
	for file, c := range map[string]struct {
		template notify.Template
		order    notify.Order
	}{
		"confirmed":       {notify.Confirmed, sold()},
		"rejected":        {notify.Rejected, with(func(o *notify.Order) { o.Reason = "out-of-stock" })},
		"rejected.no-why": {notify.Rejected, with(func(o *notify.Order) { o.Reason = "some-code-of-tomorrow" })},
		"expired":         {notify.Expired, sold()},
		"canceled":        {notify.Canceled, with(func(o *notify.Order) { o.Reason = "what a person wrote" })},
		"refunded":        {notify.Refunded, refunded},
	} {
		t.Run(file, func(t *testing.T) {
			m, err := notify.Write(notify.Notice{Shop: "main", Order: "ord_1", Template: c.template, Refund: "r1"}, c.order)
			require.NoError(t, err)
			assert.Equal(t, "ada@example.com", m.To)
			golden(t, file+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, file+".html", m.HTML)
		})
	}
}

func TestWrite_SaysNothingOfMoneyThatWasNeverAsked(t *testing.T) {
	free := with(func(o *notify.Order) { o.Total.Amount, o.Lines[0].Price, o.Lines[1].Price = 0, 0, 0 })
	for template, says := range map[notify.Template]string{
		notify.Confirmed: "There is nothing to pay.",
		notify.Canceled:  "There was nothing to pay for it.",
		notify.Expired:   "It was not completed in time.",
		notify.Rejected:  "We could not accept your order.",
	} {
		m, err := notify.Write(notify.Notice{Template: template}, free)
		require.NoError(t, err)
		assert.Contains(t, m.Text, says, template)
		for _, wrong := range []string{"payment", "charged", "returned", "bank", "approved"} {
			assert.NotContains(t, m.Text+m.HTML, wrong, template)
		}
	}
}

func TestWrite_FormatsAmountsAsTheCurrencyDoes(t *testing.T) {
	for currency, want := range map[string][]string{
		"JPY": {"2 x MUG-1: 2,500 JPY", "Total: 127,900 JPY", "We have refunded 1,250 JPY."},
		"KWD": {"2 x MUG-1: 2.500 KWD", "Total: 127.900 KWD", "We have refunded 1.250 KWD."},
		"EUR": {"2 x MUG-1: 25.00 EUR", "Total: 1,279.00 EUR", "We have refunded 12.50 EUR."},
	} {
		o := with(func(o *notify.Order) {
			o.Total.Currency = currency
			o.Refunds = []saga.Refund{{ID: "r1", Amount: 1250, Status: saga.RefundStatusSucceeded}}
		})
		m, err := notify.Write(notify.Notice{Template: notify.Refunded, Refund: "r1"}, o)
		require.NoError(t, err)
		for _, text := range want {
			assert.Contains(t, m.Text, text)
		}
	}
}

// An outcome's mail must not announce later events: for instance, money that is to go back has not
// gone back yet.
func TestWrite_OutcomeAnnouncesNothing(t *testing.T) {
	for _, template := range []notify.Template{notify.Confirmed, notify.Rejected, notify.Expired} {
		m, err := notify.Write(notify.Notice{Template: template}, sold())
		require.NoError(t, err)
		for _, promise := range []string{"return", "refund", "release", "will ", "charged"} {
			assert.NotContains(t, strings.ToLower(m.Subject+m.Text+m.HTML), promise, template)
		}
	}
}

func TestWrite_EscapesAnOrdersText(t *testing.T) {
	hostile := "<script>alert(1)</script>\r\nBcc: eve@example.com\u2028\u202e\"><img src=x onerror=alert(1)>{{.Total}}"
	o := with(func(o *notify.Order) {
		o.ID, o.Email, o.Reason = hostile, hostile+"@example.com", hostile
		o.Lines = []saga.Line{{SKU: hostile, Quantity: 1, Price: 1}}
		o.Refunds = []saga.Refund{{ID: "r1", Amount: 1}}
	})
	for _, template := range []notify.Template{
		notify.Confirmed, notify.Rejected, notify.Expired, notify.Canceled, notify.Refunded,
	} {
		m, err := notify.Write(notify.Notice{Template: template, Refund: "r1"}, o)
		require.NoError(t, err)
		assert.NotContains(t, m.HTML, "<script", template)
		assert.NotContains(t, m.HTML, "<img", template)
		assert.Contains(t, m.HTML, "&lt;script&gt;", "markup is shown as text")
		assert.Contains(t, m.HTML, "{{.Total}}", "template syntax is not run")
		for part, text := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
			assert.NotContains(t, text, "\r", part)
			assert.NotContains(t, text, "\nBcc", part)
			assert.NotContains(t, text, "\u2028", part)
			assert.NotContains(t, text, "\u202e", part)
		}
		assert.NotContains(t, m.Subject, "\n")
		assert.NotContains(t, m.Text+m.HTML, "eve@example.com@", "no mail contains the address")
	}
}

func TestWrite_RefusesAnUnknownTemplate(t *testing.T) {
	_, err := notify.Write(notify.Notice{Template: "birthday"}, sold())
	assert.ErrorContains(t, err, "birthday")
}

// A mail must look the same without external images and styles, and must not reveal that it was
// read.
func TestWrite_LoadsNothingExternal(t *testing.T) {
	pages, err := filepath.Glob("testdata/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		html, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, loading := range []string{"http", "src=", "url(", "@import", "<link", "ZgotmplZ"} {
			assert.NotContains(t, string(html), loading, page)
		}
	}
}
