package sender_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/function"
	"backroom/shared/notify"
	"backroom/shared/notify/sender"
)

var (
	notice = notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed}
	mail   = notify.Mail{To: "ada@example.com", Subject: "Größe", Text: "text", HTML: "<p>text</p>"}
)

// ses returns a sender whose SES is a handler.
func ses(t *testing.T, configurationSet string, answer http.HandlerFunc) sender.SES {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	cfg := function.Environment(
		map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}).AWS
	cfg.BaseEndpoint = aws.String(server.URL)
	return sender.NewSES(cfg, "orders@shop.example", configurationSet)
}

func TestSES_SendsTextAndHTML(t *testing.T) {
	var asked string
	s := ses(t, "backroom", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "POST /v2/email/outbound-emails", r.Method+" "+r.URL.Path)
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		asked = string(body)
		_, _ = io.WriteString(w, `{"MessageId":"m-1"}`)
	})
	id, err := s.Send(t.Context(), notice, mail)
	require.NoError(t, err)
	assert.Equal(t, "m-1", id)
	assert.JSONEq(t, `{
		"FromEmailAddress": "orders@shop.example", "Destination": {"ToAddresses": ["ada@example.com"]}, "ConfigurationSetName": "backroom",
		"EmailTags": [{"Name": "template", "Value": "confirmed"}],
		"Content": {"Simple": {
			"Subject": {"Data": "Größe", "Charset": "UTF-8"},
			"Body": {"Text": {"Data": "text", "Charset": "UTF-8"}, "Html": {"Data": "<p>text</p>", "Charset": "UTF-8"}},
			"Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}]
		}}
	}`, asked)
}

const notVerified = "Email address is not verified. The following identities failed the check in region " +
	"EU-CENTRAL-1: ada@example.com"

func TestSES_ClassifiesErrors(t *testing.T) {
	for sentence, c := range map[string]struct {
		status  int
		code    string
		message string
		kind    error
	}{
		"an invalid address": {400, "BadRequestException", "Missing final '@domain'",
			notify.ErrRefused},
		"an address with a bad domain": {400, "BadRequestException", "Domain contains dot-dot",
			notify.ErrRefused},
		"an address that bounced":                {400, "MessageRejected", "Address blacklisted.", notify.ErrRefused},
		"our own address, which is not verified": {400, "MessageRejected", notVerified, fault.Internal},
		"a configuration set that does not exist": {404, "NotFoundException",
			"Configuration set <x> does not exist. ada@example.com", fault.Internal},
		"an account that was suspended": {400, "AccountSuspendedException", "no", fault.Internal},
		"sending was paused":            {400, "SendingPausedException", "no", sender.ErrUnavailable},
		"too many mails a second": {429, "TooManyRequestsException", "Maximum sending rate exceeded.",
			sender.ErrThrottled},
		"too many mails a day": {400, "LimitExceededException", "Daily message quota exceeded.",
			sender.ErrThrottled},
		"an internal error": {500, "InternalServiceErrorException", "ada@example.com",
			sender.ErrUnavailable},
	} {
		t.Run(sentence, func(t *testing.T) {
			asked := 0
			s := ses(t, "", func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("X-Amzn-ErrorType", c.code)
				w.Header().Set("X-Amzn-RequestId", "request-1")
				w.WriteHeader(c.status)
				body, _ := json.Marshal(map[string]string{"message": c.message})
				_, _ = w.Write(body)
			})
			_, err := s.Send(t.Context(), notice, mail)
			if c.kind == fault.Internal {
				assert.Equal(t, c.kind, fault.KindOf(err))
			} else {
				assert.ErrorIs(t, err, c.kind)
			}
			assert.ErrorContains(t, err, c.code)
			assert.ErrorContains(t, err, "request-1")
			assert.NotContains(t, err.Error(), "@", "no address in an error")
			assert.Equal(t, 1, asked, "a mail is sent once: the queue retries")
		})
	}
}

func TestSES_UnavailableWithoutAnAnswer(t *testing.T) {
	s := ses(t, "", func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		assert.NoError(t, err)
		connection.Close()
	})
	_, err := s.Send(t.Context(), notice, mail)
	require.ErrorIs(t, err, sender.ErrUnavailable)
	assert.NotContains(t, err.Error(), "ada")
}
