package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/payment"
)

// What the provider's troubles are to us. After both anything may have happened.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "payment-provider-unavailable", "The payment provider does not answer. Try again later.")
	ErrThrottled   = fault.New(fault.Throttled, "payment-provider-throttled", "The payment provider throttles requests. Try again later.")
)

// failure gives an error of a call its kind. What the provider will never do, whoever asks, is a mistake of ours.
func failure(err error) error {
	if _, judged := errors.AsType[*fault.Fault](err); judged || err == nil {
		return err
	}
	said, ok := errors.AsType[*stripe.Error](err)
	switch {
	case !ok:
		return ErrUnavailable.Because(unanswered(err))
	case said.HTTPStatusCode >= http.StatusInternalServerError, inTheWay(said):
		return ErrUnavailable.Because(discreet(said))
	case said.HTTPStatusCode == http.StatusTooManyRequests, said.Code == stripe.ErrorCodeRateLimit:
		return ErrThrottled.Because(discreet(said))
	}
	return discreet(said)
}

// outage reports whether an error says that the provider is away or takes no more requests. A refusal says that it is there,
// and so does a request in the way of ours.
func outage(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	switch {
	case err == nil:
		return false
	case !ok:
		_, judged := errors.AsType[*fault.Fault](err)
		return !judged
	case inTheWay(said):
		return false
	}
	return said.HTTPStatusCode == http.StatusTooManyRequests || said.Code == stripe.ErrorCodeRateLimit || said.HTTPStatusCode >= http.StatusInternalServerError
}

// absent reports whether the provider does not have what we asked for.
func absent(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.HTTPStatusCode == http.StatusNotFound && said.Code == stripe.ErrorCodeResourceMissing
}

// inTheWay reports whether another request is being worked on, with the same idempotency key or about the same intent: then the
// status is 409, or 429 with a code of its own (https://docs.stripe.com/rate-limits#object-lock-timeouts).
func inTheWay(said *stripe.Error) bool {
	return said.HTTPStatusCode == http.StatusConflict || said.Code == stripe.ErrorCodeIdempotencyKeyInUse || said.Code == stripe.ErrorCodeLockTimeout
}

// discreet is what may be written down of an error: codes and the provider's request id, never its message, which may quote
// what was sent.
func discreet(said *stripe.Error) error {
	return fmt.Errorf("provider: status %d, %s, code %q, parameter %q, request %s", said.HTTPStatusCode, said.Type, said.Code, said.Param, said.RequestID)
}

// note has the log say what the provider refused: a decline is no error, and its row keeps no more than a reason.
func note(ctx context.Context, err error) {
	if said, ok := errors.AsType[*stripe.Error](err); ok {
		observe.Note(ctx, slog.String("providerSaid", discreet(said).Error()))
	}
}

// unanswered describes a call that brought no answer in the provider's form.
func unanswered(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent
	}
	return errors.New("provider: the answer is not in the provider's form")
}

// lockedOut reports whether the provider does not take our key.
func lockedOut(err error) bool {
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

// outOfTurn reports whether an intent was not confirmed or canceled because of how it stands already.
func outOfTurn(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.Code == stripe.ErrorCodePaymentIntentUnexpectedState
}

// barren reports whether an error about an intent says itself that it can take no money any more: it was canceled, or its
// card was declined and it has none left.
func barren(err error, intent string) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok || said.PaymentIntent == nil || said.PaymentIntent.ID != intent {
		return false
	}
	switch i := said.PaymentIntent; i.Status {
	case stripe.PaymentIntentStatusCanceled:
		return true
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		return i.LastPaymentError != nil
	}
	return false
}

// refusal tells whether the provider declined the card or will not have such a payment: that is an answer to the customer,
// not a mistake. Its reasons are not all known – a payment method that was used up is refused with neither code nor
// parameter – so that every bad request is one. But not one about our key, about how the intent stands, about a parameter
// that it does not know, which only we can have sent; nor one that may do better later.
func refusal(err error) (payment.Intent, bool) {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return payment.Intent{}, false
	}
	i := payment.Intent{Observed: payment.Declined, DeclineCode: declineCode(said.Code, said.DeclineCode)}
	switch {
	case said.Type == stripe.ErrorTypeCard:
		i.Reason = payment.CardDeclined
	case said.Type != stripe.ErrorTypeInvalidRequest || said.HTTPStatusCode != http.StatusBadRequest:
		return payment.Intent{}, false
	case outOfTurn(err), inTheWay(said), said.Code == stripe.ErrorCodeRateLimit, said.Code == stripe.ErrorCodeParameterUnknown:
		return payment.Intent{}, false
	case said.Param == "payment_method":
		i.Reason = payment.PaymentMethodUnknown
	case said.Param == "amount" || said.Param == "currency":
		i.Reason = payment.AmountNotPayable
	default:
		i.Reason = payment.PaymentRefused
	}
	return i, true
}
