package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
)

// A mail is one that the stack sent to its mailbox, which it has where mails are not delivered.
type mail struct {
	To      string `dynamodbav:"to"`
	Subject string `dynamodbav:"subject"`
	Text    string `dynamodbav:"text"`
	HTML    string `dynamodbav:"html"`
	At      int64  `dynamodbav:"at"` // milliseconds since 1970
}

// When returns when the mail was sent, for people.
func (m mail) When() string { return time.UnixMilli(m.At).Local().Format("2 Jan 15:04:05") }

// showMail is `make mail`: the last mails of a stack, here and on a page for the browser; OPEN=1 opens it.
func showMail(ctx context.Context, d desk, _ []string) error {
	last, err := count("N", 5)
	if err != nil {
		return err
	}
	site, err := d.site(ctx)
	if err != nil {
		return err
	}
	mails, err := readMail(ctx, site)
	if err != nil {
		return err
	}
	if len(mails) == 0 {
		d.Linef("the mailbox is empty: no order with an email has its verdict yet, or mails are delivered (MailFrom)")
		return nil
	}
	mails = mails[max(0, len(mails)-last):]
	for _, m := range mails {
		d.Linef("%s  to %s\nSubject: %s\n\n%s", m.When(), m.To, m.Subject, m.Text)
	}
	file := filepath.Join(d.repo, ".backroom", "mail", "index.html")
	slices.Reverse(mails)
	if err := writePage(file, mails); err != nil {
		return err
	}
	d.Linef("as HTML: %s", file)
	if os.Getenv("OPEN") == "1" {
		return remedy.For(exec.CommandContext(ctx, "xdg-open", file).Run(), "open "+file+" in a browser")
	}
	return nil
}

// readMail returns what is in a stack's mailbox, the oldest first.
func readMail(ctx context.Context, site ops.Site) ([]mail, error) {
	table := site.Names["Mailbox"]
	if table == "" {
		return nil, remedy.For(errors.New("the stack has no mailbox: it is older than this command"), "deploy this version")
	}
	var mails []mail
	pages := dynamodb.NewScanPaginator(site.DB, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var found []mail
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &found); err != nil {
			return nil, err
		}
		mails = append(mails, found...)
	}
	slices.SortFunc(mails, func(a, b mail) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Subject, b.Subject)) })
	return mails, nil
}

// page shows mails in frames of their own, in which nothing runs.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Backroom: the last mails</title>
<style>
body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: #23241f }
article { margin: 0 0 2rem; border: 1px solid #d8d8d2; border-radius: 6px; overflow: hidden }
header { padding: .75rem 1rem; border-bottom: 1px solid #d8d8d2 }
h2 { margin: 0; font-size: 1rem }
header p { margin: 0; color: #6b6c64 }
iframe { display: block; width: 100%; height: 32rem; border: 0 }
details { padding: .5rem 1rem; border-top: 1px solid #d8d8d2 }
</style>
</head>
<body>
<h1>The last mails</h1>
{{range .}}<article>
<header><h2>{{.Subject}}</h2><p>{{.When}} to {{.To}}</p></header>
<iframe sandbox title="{{.Subject}}" srcdoc="{{.HTML}}"></iframe>
<details><summary>as text</summary><pre>{{.Text}}</pre></details>
</article>
{{end}}</body>
</html>
`))

func writePage(file string, mails []mail) error {
	var html bytes.Buffer
	if err := page.Execute(&html, mails); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, html.Bytes(), 0o600) // it holds addresses
}
