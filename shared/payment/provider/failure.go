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

// The provider's outages. The request may have had its effect after both.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "payment-provider-unavailable",
		"The payment provider does not answer. Try again later.")
	ErrThrottled = fault.New(fault.Throttled, "payment-provider-throttled",
		"The payment provider throttles requests. Try again later.")
)

// failure gives an error of a call its kind. A request that the provider always refuses is Internal.
func failure(err error) error {
	if _, classified := errors.AsType[*fault.Fault](err); classified || err == nil {
		return err
	}
	said, ok := errors.AsType[*stripe.Error](err)
	switch {
	case !ok:
		return ErrUnavailable.Because(unanswered(err))
	case said.HTTPStatusCode >= http.StatusInternalServerError, locked(said):
		return ErrUnavailable.Because(discreet(said))
	case said.HTTPStatusCode == http.StatusTooManyRequests, said.Code == stripe.ErrorCodeRateLimit:
		return ErrThrottled.Because(discreet(said))
	}
	return discreet(said)
}

// outage reports whether an error means that the provider is down or throttles us. A refusal does
// not, nor does a lock that another request holds.
func outage(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	switch {
	case err == nil:
		return false
	case !ok:
		_, classified := errors.AsType[*fault.Fault](err)
		return !classified
	case locked(said):
		return false
	}
	return said.HTTPStatusCode == http.StatusTooManyRequests || said.Code == stripe.ErrorCodeRateLimit ||
		said.HTTPStatusCode >= http.StatusInternalServerError
}

// absent reports whether the provider does not have the object that we named.
func absent(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.HTTPStatusCode == http.StatusNotFound && said.Code == stripe.ErrorCodeResourceMissing
}

// locked reports whether another request with the same idempotency key or about the same intent is
// being processed. The status is then 409, or 429 with a code of its own
// (https://docs.stripe.com/rate-limits#object-lock-timeouts).
func locked(said *stripe.Error) bool {
	return said.HTTPStatusCode == http.StatusConflict || said.Code == stripe.ErrorCodeIdempotencyKeyInUse ||
		said.Code == stripe.ErrorCodeLockTimeout
}

// discreet returns what may be logged of an error: codes and the provider's request id, never its
// message, which may quote what was sent.
func discreet(said *stripe.Error) error {
	return fmt.Errorf("provider: status %d, %s, code %q, parameter %q, request %s",
		said.HTTPStatusCode, said.Type, said.Code, said.Param, said.RequestID)
}

// note logs a refusal of the provider: a decline is not an error, and its row keeps only a reason.
func note(ctx context.Context, err error) {
	if said, ok := errors.AsType[*stripe.Error](err); ok {
		observe.Note(ctx, slog.String("providerSaid", discreet(said).Error()))
	}
}

// unanswered describes a call without an answer in the provider's format.
func unanswered(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent
	}
	return errors.New("provider: the answer is not in the provider's form")
}

// keyRefused reports whether the provider refuses our API key.
func keyRefused(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.HTTPStatusCode == http.StatusUnauthorized
}

// keyBlocked reports whether an idempotency key is of no use for a day: the provider keeps a failure
// of its own for it, or it belongs to another request, for example one before our code changed.
func keyBlocked(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return false
	}
	replayed := said.LastResponse != nil && said.LastResponse.Header.Get("Idempotent-Replayed") == "true"
	return said.Type == stripe.ErrorTypeIdempotency || replayed && said.HTTPStatusCode >= http.StatusInternalServerError
}

// stateForbids reports whether an intent was not confirmed or canceled because of its current state.
func stateForbids(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	return ok && said.Code == stripe.ErrorCodePaymentIntentUnexpectedState
}

// finallyRefused reports whether an error about an intent proves that the intent can no longer take
// money: it was canceled, or its card was declined and it has no other.
func finallyRefused(err error, intent string) bool {
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

// refusal returns the declined intent for an error that says that the provider declined the card or
// refuses such a payment. That is an answer to the customer and not a mistake. The provider does not
// document all its reasons – a used-up payment method is refused without a code or parameter – so
// that every bad request counts, except one about our API key, about the intent's state, about an
// unknown parameter, which only we can have sent, or one that may succeed later.
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
	case stateForbids(err), locked(said), said.Code == stripe.ErrorCodeRateLimit,
		said.Code == stripe.ErrorCodeParameterUnknown:
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
