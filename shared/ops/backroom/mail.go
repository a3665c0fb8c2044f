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
	"github.com/spf13/cobra"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/terminal"
)

// A mail is one in the stack's mailbox, which has them where mails are not delivered.
type mail struct {
	To      string `dynamodbav:"to"`
	Subject string `dynamodbav:"subject"`
	Text    string `dynamodbav:"text"`
	HTML    string `dynamodbav:"html"`
	At      int64  `dynamodbav:"at"` // milliseconds since 1970
}

// When returns the local time at which the mail was sent.
func (m mail) When() string { return time.UnixMilli(m.At).Local().Format("2 Jan 15:04:05") }

// mailList is the verb mail list.
func (c *console) mailList() *cobra.Command {
	verb := &cobra.Command{
		Use:   "list",
		Short: "Show the last mails of a stack that delivers none",
		Long: "list shows the last mails in the mailbox of a stack, which keeps them for 7 days instead of\n" +
			"delivering them. A stack with the parameter MailFrom delivers its mails and keeps none.",
		Example: "  backroom mail list --last 3 --stack backroom-dev\n  backroom mail list --html mails.html --open",
		Args:    cobra.NoArgs,
	}
	last := verb.Flags().Int("last", 5, "`number` of mails to show")
	html := verb.Flags().String("html", "", "`file` to write the mails to, as a page for a browser; it has addresses")
	open := verb.Flags().Bool("open", false, "open that page in the browser; without --html it is a temporary file")
	verb.RunE = c.begin(func(ctx context.Context, _ []string) error {
		if err := atLeast(1, "last", *last); err != nil {
			return err
		}
		site, err := c.site(ctx, false)
		if err != nil {
			return err
		}
		mails, err := readMail(ctx, site)
		if err != nil {
			return err
		}
		if len(mails) == 0 {
			c.Linef(
				"the mailbox is empty: no order with an email has an outcome yet, " +
					"or the stack delivers mail (MailFrom)")
			return nil
		}
		mails = mails[max(0, len(mails)-*last):]
		for _, m := range mails {
			c.Linef("%s  to %s\nSubject: %s\n\n%s", m.When(), m.To, m.Subject, terminal.Lines(m.Text))
		}
		slices.Reverse(mails)
		return c.showPage(ctx, mails, *html, *open)
	})
	return verb
}

// showPage writes mails to file, or to a temporary one if file is empty and open is set. It opens
// the file if open is set.
func (c *console) showPage(ctx context.Context, mails []mail, file string, open bool) error {
	if file == "" && !open {
		return nil
	}
	if file == "" {
		folder, err := os.MkdirTemp("", "backroom-mail-")
		if err != nil {
			return err
		}
		file = filepath.Join(folder, "index.html")
	}
	if err := writePage(file, mails); err != nil {
		return err
	}
	c.Linef("as HTML: %s", file)
	if !open {
		return nil
	}
	//nolint:gosec // the file is the one that this command just wrote
	return remedy.For(exec.CommandContext(ctx, "xdg-open", file).Run(), "open "+file+" in a browser")
}

// readMail returns the mails of a stack's mailbox, the oldest first. A stack without a mailbox is
// an error.
func readMail(ctx context.Context, site ops.Site) ([]mail, error) {
	table := site.Names["Mailbox"]
	if table == "" {
		return nil,
			remedy.For(errors.New("the stack has no mailbox, because it is older than this command"),
				"deploy this version")
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
	slices.SortFunc(mails,
		func(a, b mail) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Subject, b.Subject)) })
	return mails, nil
}

// page shows each mail in a sandboxed frame, in which no script runs.
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
	return os.WriteFile(file, html.Bytes(), 0o600) // it has addresses
}
