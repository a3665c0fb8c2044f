package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"backroom/shared/notify"
)

// sesTimeout is how long SES may take for a mail: less than the function's timeout. A mail is tried
// once. SES has no idempotency key, so a retry of the SDK after a lost answer would send the mail
// twice within a second.
const sesTimeout = 4 * time.Second

// SES delivers mails with Amazon SES.
type SES struct {
	client           *sesv2.Client
	from             string
	configurationSet *string
}

var _ notify.Sender = SES{}

// NewSES returns a sender whose mails come from the address from. configurationSet may be empty.
func NewSES(cfg aws.Config, from, configurationSet string) SES {
	s := SES{client: sesv2.NewFromConfig(cfg, func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} }), from: from}
	if configurationSet != "" {
		s.configurationSet = &configurationSet
	}
	return s
}

// Send sends the mail through SES, as text and as HTML, and returns its message id. It returns
// notify.ErrRefused for an address that SES refuses at once; a later bounce is not known yet. It
// returns ErrThrottled beyond the account's sending rate, and ErrUnavailable if SES does not answer
// or its sending is paused. Errors never contain the address.
func (s SES) Send(ctx context.Context, n notify.Notice, m notify.Mail) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sesTimeout)
	defer cancel()
	utf8 := func(text string) *types.Content { return &types.Content{Data: &text, Charset: aws.String("UTF-8")} }
	sent, err := s.client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress:     &s.from,
		Destination:          &types.Destination{ToAddresses: []string{m.To}},
		ConfigurationSetName: s.configurationSet,
		EmailTags:            []types.MessageTag{{Name: aws.String("template"), Value: aws.String(string(n.Template))}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: utf8(m.Subject),
			Body:    &types.Body{Text: utf8(m.Text), Html: utf8(m.HTML)},
			Headers: []types.MessageHeader{ // RFC 3834: no automatic replies
				{Name: aws.String("Auto-Submitted"), Value: aws.String("auto-generated")},
			},
		}},
	})
	if err != nil {
		return "", failure(err)
	}
	return aws.ToString(sent.MessageId), nil
}

// failure returns an error of SES with its kind.
func failure(err error) error {
	said, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ErrUnavailable.Because(unanswered(err))
	}
	answer, _ := errors.AsType[*awshttp.ResponseError](err)
	discreet := fmt.Errorf("ses: %s, status %d, request %s", said.ErrorCode(), status(answer), requestID(answer))
	switch code := said.ErrorCode(); {
	case aboutTheAddress(said):
		return notify.ErrRefused.Because(discreet)
	case code == "TooManyRequestsException", code == "LimitExceededException",
		status(answer) == http.StatusTooManyRequests:
		return ErrThrottled.Because(discreet)
	case code == "SendingPausedException", status(answer) >= http.StatusInternalServerError:
		return ErrUnavailable.Because(discreet)
	}
	return discreet
}

// badAddress are parts of SES's messages about an invalid or blacklisted address. SES has no codes
// for these. A sender that is not verified gets another message: no recipient may be suppressed for
// our mistake.
var badAddress = []string{
	"address blacklisted", "illegal address", "illegal semicolon", "missing final '@domain'", "missing local name",
	"local address ",
	"domain contains ", "domain starts with ", "domain ends with ", "invalid domain name", "missing domain",
}

func aboutTheAddress(said smithy.APIError) bool {
	if said.ErrorCode() != "MessageRejected" && said.ErrorCode() != "BadRequestException" {
		return false
	}
	message := strings.ToLower(said.ErrorMessage())
	for _, words := range badAddress {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

func status(answer *awshttp.ResponseError) int {
	if answer == nil {
		return 0
	}
	return answer.HTTPStatusCode()
}

func requestID(answer *awshttp.ResponseError) string {
	if answer == nil {
		return ""
	}
	return answer.ServiceRequestID()
}

// unanswered describes a call without an answer in SES's form.
func unanswered(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent
	}
	return errors.New("ses: no answer")
}
