package notify

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"unicode"

	"backroom/shared/money"
)

// Mail is a mail as a sender gets it. All of it is personal data.
type Mail struct {
	To      string
	Subject string // one line
	Text    string
	HTML    string
}

//go:embed templates
var files embed.FS

// layout is the parts of a template: <template>.txt defines subject and text, <template>.html
// defines title, colour and body for the common page.
type layout struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

var layouts = read()

func read() map[Template]layout {
	all := map[Template]layout{}
	text := texttemplate.Must(texttemplate.ParseFS(files, "templates/common.txt"))
	page := htmltemplate.Must(htmltemplate.ParseFS(files, "templates/common.html"))
	for _, t := range []Template{Confirmed, Rejected, Expired, Canceled, Refunded} {
		all[t] = layout{
			texttemplate.Must(texttemplate.Must(text.Clone()).ParseFS(files, "templates/"+string(t)+".txt")),
			htmltemplate.Must(htmltemplate.Must(page.Clone()).ParseFS(files, "templates/"+string(t)+".html")),
		}
	}
	return all
}

// content is the data of the templates. Each of its strings is one line.
type content struct {
	Order    string
	PlacedAt string
	Reason   string // a sentence; empty: the mail gives no reason
	Lines    []contentLine
	Total    string
	Refund   string // the amount of the refund
	Free     bool   // there was nothing to pay
}

type contentLine struct {
	SKU      string
	Quantity int64
	Amount   string // of all units
}

// reasons are sentences for the reasons of a rejection. The mail leaves out other reasons: a
// customer must not see a code.
var reasons = map[string]string{
	"out-of-stock":           "Not everything in it is in stock.",
	"card-declined":          "Your card was declined.",
	"payment-method-missing": "There was no payment method to charge.",
	"payment-method-unknown": "The payment method is not known to our payment provider.",
	"payment-refused":        "The payment was refused.",
	"payment-canceled":       "The payment was canceled.",
	"amount-not-payable":     "The amount cannot be paid this way.",
}

// Write returns the mail of a notice. An unknown template is an error.
func Write(n Notice, o Order) (Mail, error) {
	l, ok := layouts[n.Template]
	if !ok {
		return Mail{}, fmt.Errorf("notify: unknown template %q", n.Template)
	}
	c := content{
		Order: line(o.ID), PlacedAt: o.PlacedAt.UTC().Format("2 January 2006"), Reason: reasons[o.Reason],
		Total:  o.Total.Format(),
		Refund: o.in(o.refund(n.Refund).Amount),
		Free:   o.Total.Amount == 0,
	}
	for _, ol := range o.Lines {
		c.Lines = append(c.Lines, contentLine{line(ol.SKU), ol.Quantity, o.in(ol.Price * ol.Quantity)})
	}
	var subject, text, html bytes.Buffer
	for _, err := range []error{
		l.text.ExecuteTemplate(&subject, "subject", c), l.text.ExecuteTemplate(&text, "text", c),
		l.html.ExecuteTemplate(&html, "page", c),
	} {
		if err != nil {
			return Mail{}, fmt.Errorf("notify: write %s: %w", n.Template, err)
		}
	}
	return Mail{To: o.Email, Subject: line(subject.String()), Text: text.String(), HTML: html.String()}, nil
}

// in formats an amount in the order's currency.
func (o Order) in(amount int64) string {
	return money.Money{Amount: amount, Currency: o.Total.Currency}.Format()
}

// line returns s without control characters, line breaks of any alphabet, and marks that change the
// direction of text.
func line(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, s))
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Cf) || r == unicode.ReplacementChar
}
