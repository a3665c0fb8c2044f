package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/fault"
	"backroom/shared/payment"
)

// What the provider's troubles are to us. After both anything may have happened.
var (
	ErrAway = fault.New(fault.Unavailable, "payment-provider-away", "The payment provider does not answer; try again later.")
	ErrBusy = fault.New(fault.Throttled, "payment-provider-busy", "The payment provider takes no more requests now; try again later.")
)

// failure gives an error of a call its kind. What the provider will never do, whoever asks, is a mistake of ours. The
// causes name codes and the provider's request id, never its message, which may quote what was sent.
func failure(err error) error {
	if _, judged := errors.AsType[*fault.Fault](err); judged || err == nil {
		return err
	}
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return ErrAway.Because(unanswered(err))
	}
	cause := fmt.Errorf("provider: status %d, %s, code %q, parameter %q, request %s", said.HTTPStatusCode, said.Type, said.Code, said.Param, said.RequestID)
	switch {
	case said.HTTPStatusCode == http.StatusTooManyRequests:
		return ErrBusy.Because(cause)
	case said.HTTPStatusCode == http.StatusConflict, said.HTTPStatusCode >= http.StatusInternalServerError:
		return ErrAway.Because(cause) // a conflict: the same request is being worked on
	}
	return cause
}

// unanswered describes a call that brought no answer in the provider's form.
func unanswered(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent
	}
	return errors.New("provider: the answer is not in the provider's form")
}

// refused reports whether the provider does not take our key.
func refused(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.HTTPStatusCode == http.StatusUnauthorized
}

// spent reports whether an idempotency key leads nowhere for a day: the provider remembers a failure of its own under it, or
// another request, as one that was sent before our code changed.
func spent(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return false
	}
	replayed := said.LastResponse != nil && said.LastResponse.Header.Get("Idempotent-Replayed") == "true"
	return said.Type == stripe.ErrorTypeIdempotency || replayed && said.HTTPStatusCode >= http.StatusInternalServerError
}

// pastConfirming reports whether an intent was not confirmed because of how it stands already.
func pastConfirming(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.Code == stripe.ErrorCodePaymentIntentUnexpectedState
}

// refusal tells whether the provider declined the card or will never have such a payment: that is an answer to the
// customer, not a mistake.
func refusal(err error) (payment.Intent, bool) {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return payment.Intent{}, false
	}
	i := payment.Intent{Has: payment.Declined, DeclineCode: declineCode(said.Code, said.DeclineCode)}
	switch {
	case said.Type == stripe.ErrorTypeCard:
		i.Reason = payment.CardDeclined
	case said.Type != stripe.ErrorTypeInvalidRequest:
		return payment.Intent{}, false
	case said.Param == "payment_method":
		i.Reason = payment.PaymentMethodUnknown
	case said.Param == "amount" || said.Param == "currency":
		i.Reason = payment.AmountNotPayable
	default:
		return payment.Intent{}, false
	}
	return i, true
}
