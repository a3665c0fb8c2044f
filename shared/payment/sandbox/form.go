package sandbox

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostPayable is the largest amount that Stripe takes in most currencies: eight digits.
const mostPayable = 99_999_999

// Create decides what intent a form asks for. It returns a *Problem for a form that breaks Stripe's rules, as far as the
// sandbox knows them. The intent has no id yet.
func Create(form url.Values, now time.Time) (Intent, error) {
	known := []string{"amount", "currency", "capture_method", "confirm", "confirmation_method", "description", "payment_method", "expand"}
	if err := only(form, known, "metadata", "payment_method_types", "expand"); err != nil {
		return Intent{}, err
	}
	amount, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	switch {
	case form.Get("amount") == "":
		return Intent{}, missing("amount")
	case err != nil || amount < 1:
		return Intent{}, invalid("amount", "parameter_invalid_integer", "Invalid positive integer")
	case amount > mostPayable:
		return Intent{}, invalid("amount", "amount_too_large", "Amount must be no more than 999,999.99")
	}
	currency := form.Get("currency")
	switch {
	case currency == "":
		return Intent{}, missing("currency")
	case len(currency) != 3 || strings.Trim(currency, "abcdefghijklmnopqrstuvwxyz") != "":
		return Intent{}, invalid("currency", "", "Invalid currency: "+currency+".")
	}
	i := Intent{
		Status: RequiresPaymentMethod, Amount: amount, Currency: currency, CaptureMethod: Automatic, ConfirmationMethod: Automatic,
		PaymentMethod: form.Get("payment_method"), Metadata: map[string]string{}, Created: now,
	}
	for param, field := range map[string]*string{"capture_method": &i.CaptureMethod, "confirmation_method": &i.ConfirmationMethod} {
		switch form.Get(param) {
		case Manual:
			*field = Manual
		case "", Automatic, "automatic_async":
		default:
			return Intent{}, invalid(param, "", "Invalid "+param+": must be one of automatic, automatic_async, or manual")
		}
	}
	if i.PaymentMethod != "" {
		if _, known := CardOf(i.PaymentMethod); !known {
			return Intent{}, noSuchPaymentMethod(i.PaymentMethod)
		}
		i.Status = RequiresConfirmation
	}
	for name, values := range form {
		if key, ok := strings.CutPrefix(name, "metadata["); ok {
			i.Metadata[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return i, nil
}

// only returns a *Problem for the first parameter, by name, that is neither known nor inside one of the lists.
func only(form url.Values, known []string, lists ...string) error {
	var unknown []string
	for name := range form {
		list, _, inside := strings.Cut(name, "[")
		if !slices.Contains(known, name) && !(inside && slices.Contains(lists, list)) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return invalid(unknown[0], "parameter_unknown", "Received unknown parameter: "+unknown[0])
}

func missing(param string) *Problem {
	return invalid(param, "parameter_missing", "Missing required param: "+param+".")
}
