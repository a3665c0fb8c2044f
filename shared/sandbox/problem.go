package sandbox

import "net/http"

// Problem is an error in Stripe's form
// (https://docs.stripe.com/api/errors).
type Problem struct {
	Status      int
	Type        string
	Code        string
	DeclineCode string
	Message     string
	Param       string
	Intent      *Intent // the intent, for a problem with one
	Begun       bool    // the request was valid and had begun: Stripe stores such a refusal under the idempotency key
}

// Error returns the message.
func (p *Problem) Error() string { return "sandbox: " + p.Message }

// The types of Stripe's errors.
const (
	apiError            = "api_error"
	cardError           = "card_error"
	idempotencyError    = "idempotency_error"
	invalidRequestError = "invalid_request_error"
)

type problemDocument struct {
	Type          string    `json:"type"`
	Code          string    `json:"code,omitempty"`
	DeclineCode   string    `json:"decline_code,omitempty"`
	Message       string    `json:"message"`
	Param         string    `json:"param,omitempty"`
	PaymentMethod *method   `json:"payment_method,omitempty"`
	PaymentIntent *document `json:"payment_intent,omitempty"`
}

type method struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Type   string `json:"type"`
}

func (p *Problem) document() problemDocument {
	d := problemDocument{Type: p.Type, Code: p.Code, DeclineCode: p.DeclineCode, Message: p.Message, Param: p.Param}
	if p.Intent != nil {
		i := p.Intent.document()
		d.PaymentIntent = &i
	}
	return d
}

func (d Decline) document() problemDocument {
	return problemDocument{
		Type: cardError, Code: d.Code, DeclineCode: d.DeclineCode, Message: d.Message,
		PaymentMethod: &method{d.Card, "payment_method", "card"},
	}
}

func invalid(param, code, message string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Type: invalidRequestError, Code: code, Message: message,
		Param: param}
}

func noSuchPaymentMethod(id string) *Problem {
	return invalid("payment_method", "resource_missing", "No such PaymentMethod: '"+id+"'")
}

func unexpectedState(i Intent, message string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Type: invalidRequestError, Code: "payment_intent_unexpected_state",
		Message: message, Intent: &i, Begun: true}
}

func declined(i Intent) *Problem {
	d := i.LastError
	return &Problem{Status: http.StatusPaymentRequired, Type: cardError, Code: d.Code, DeclineCode: d.DeclineCode,
		Message: d.Message, Intent: &i}
}

// refused returns the problem of a request that had begun and was refused.
func refused(param, code, message string) *Problem {
	p := invalid(param, code, message)
	p.Begun = true
	return p
}

// noSuch returns the problem of an unknown thing, which param named.
func noSuch(thing, id, param string) *Problem {
	p := invalid(param, "resource_missing", "No such "+thing+": '"+id+"'")
	p.Status = http.StatusNotFound
	return p
}

// The problems of requests for an unknown route, without the key, or at the wrong time.
var (
	errNoKey = &Problem{Status: http.StatusUnauthorized, Type: invalidRequestError,
		Message: "You did not provide an API key. You need to provide your API key in the Authorization header, " +
			"using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."}
	errWrongKey = &Problem{Status: http.StatusUnauthorized, Type: invalidRequestError,
		Message: "Invalid API Key provided."}
	errNoRoute = &Problem{Status: http.StatusNotFound, Type: invalidRequestError,
		Message: "Unrecognized request URL. " +
			"The sandbox knows payment_intents, refunds, disputes and webhook_endpoints."}
	errTooLarge = &Problem{Status: http.StatusRequestEntityTooLarge, Type: invalidRequestError,
		Message: "The request is too large."}
	errFailed = &Problem{Status: http.StatusInternalServerError, Type: apiError,
		Message: "An unknown error occurred."}
	errDown = &Problem{Status: http.StatusServiceUnavailable, Type: apiError,
		Message: "The sandbox is out of order: an operator wants it so."}
	errInUse = &Problem{Status: http.StatusConflict, Type: idempotencyError, Code: "idempotency_key_in_use",
		Message: "There is currently another in-progress request using this Idempotency Key."}
	errLocked = &Problem{Status: http.StatusTooManyRequests, Type: invalidRequestError, Code: "lock_timeout",
		Message: "This object cannot be accessed right now because another API request is currently accessing it."}
	errUsedUp = &Problem{Status: http.StatusBadRequest, Type: invalidRequestError, Begun: true,
		Message: "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment. " +
			"It may not be used again."}
	errOtherUse = &Problem{Status: http.StatusBadRequest, Type: idempotencyError,
		Message: "Keys for idempotent requests can only be used with the same parameters they were first used with."}
)
