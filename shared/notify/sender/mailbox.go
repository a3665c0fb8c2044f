package sender

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/shared/notify"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// keep is how long the mailbox keeps a mail.
const keep = 7 * 24 * time.Hour

// Mailbox is a table that stores mails instead of delivering them, for local clouds and for stages
// that must send no mail. It stores each notice once, and counts how often it was sent.
type Mailbox struct {
	db    *dynamodb.Client
	table string
	now   func() time.Time
}

var _ notify.Sender = Mailbox{}

// NewMailbox returns the mailbox in a table.
func NewMailbox(db *dynamodb.Client, table string, now func() time.Time) Mailbox {
	return Mailbox{db, table, now}
}

// mailItem has the values of an update of a mail's row.
type mailItem struct {
	Shop     saga.Shop       `dynamodbav:":shop"`
	Order    string          `dynamodbav:":order"`
	Template notify.Template `dynamodbav:":template"`
	To       string          `dynamodbav:":to"`
	Subject  string          `dynamodbav:":subject"`
	Text     string          `dynamodbav:":text"`
	HTML     string          `dynamodbav:":html"`
	At       int64           `dynamodbav:":at"`      // milliseconds since 1970
	Expires  int64           `dynamodbav:":expires"` // seconds since 1970: the table's time to live
	Sends    int             `dynamodbav:":sends"`   // how often it was sent
}

// Send stores the mail under its notice's key, and replaces an existing one. It returns
// notify.ErrRefused for an address that bounces, as SES's mailbox simulator does: bounce@ at any
// domain. Other errors are those of record.Failure.
func (b Mailbox) Send(ctx context.Context, n notify.Notice, m notify.Mail) (id string, err error) {
	if bounces(m.To) {
		return "", notify.ErrRefused
	}
	now := b.now()
	values, err := attributevalue.MarshalMap(mailItem{
		Shop: n.Shop, Order: n.Order, Template: n.Template, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML,
		At: now.UnixMilli(), Expires: now.Add(keep).Unix(), Sends: 1,
	})
	if err != nil {
		return "", fmt.Errorf("sender: encode mail %s (details withheld: personal data)", n.Key())
	}
	_, err = b.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &b.table, Key: record.PrimaryKey(n.Key()), ExpressionAttributeValues: values,
		UpdateExpression: aws.String(
			"SET shop = :shop, #order = :order, #template = :template, #to = :to, subject = :subject, " +
				"#text = :text, html = :html, #at = :at, expires = :expires ADD sends :sends"),
		ExpressionAttributeNames: map[string]string{"#order": "order", "#template": "template", "#to": "to",
			"#text": "text", "#at": "at"},
	})
	return n.Key(), record.Failure(err)
}

// bounces reports whether mail to an address bounces. SES's simulator has
// bounce@simulator.amazonses.com, with or without a label, as in bounce+1@.
func bounces(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return local == "bounce"
}
