package sandbox

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"backroom/shared/money/payable"
)

// Create returns the intent that a form describes, without an id. It returns a *Problem for a form
// that breaks a rule of Stripe that the sandbox knows.
func Create(form url.Values, now time.Time) (Intent, error) {
	known := []string{"amount", "currency", "capture_method", "confirm", "confirmation_method", "description",
		"payment_method"}
	if err := only(form, known, "metadata", "payment_method_types"); err != nil {
		return Intent{}, err
	}
	amount, err := positive(form, "amount", 0)
	switch {
	case err != nil:
		return Intent{}, err
	case amount == 0:
		return Intent{}, missing("amount")
	case form.Get("currency") == "":
		return Intent{}, missing("currency")
	}
	currency := form.Get("currency")
	if err := chargeable(amount, currency); err != nil {
		return Intent{}, err
	}
	i := Intent{
		Status: RequiresPaymentMethod, Amount: amount, Currency: currency, CaptureMethod: Automatic,
		ConfirmationMethod: Automatic,
		PaymentMethod:      form.Get("payment_method"), Metadata: entries(form, "metadata"), Created: now,
	}
	for param, field := range map[string]*string{
		"capture_method": &i.CaptureMethod, "confirmation_method": &i.ConfirmationMethod,
	} {
		switch form.Get(param) {
		case Manual:
			*field = Manual
		case "", Automatic, "automatic_async":
		default:
			return Intent{},
				invalid(param, "", "Invalid "+param+": must be one of automatic, automatic_async, or manual")
		}
	}
	if i.PaymentMethod != "" {
		if _, known := CardOf(i.PaymentMethod); !known {
			return Intent{}, noSuchPaymentMethod(i.PaymentMethod)
		}
		i.Status = RequiresConfirmation
	}
	return i, nil
}

// chargeable returns a *Problem for an amount, in Stripe's units, that Stripe does not charge in the currency, and for
// a currency that it does not take.
func chargeable(amount int64, currency string) error {
	limits, taken := payable.LimitsOf(strings.ToUpper(currency))
	switch {
	case !taken || currency != strings.ToLower(currency):
		return invalid("currency", "", "Invalid currency: "+currency+".")
	case amount < limits.Least:
		return invalid("amount", "amount_too_small",
			"Amount must be at least "+strconv.FormatInt(limits.Least, 10)+" "+currency+".")
	case amount > limits.Most:
		return invalid("amount", "amount_too_large",
			"Amount must be no more than "+strconv.FormatInt(limits.Most, 10)+" "+currency+".")
	}
	return countable(amount, limits, currency)
}

// countable returns a *Problem for an amount that Stripe does not count in the currency, such as 1.125 KWD.
func countable(amount int64, limits payable.Limits, currency string) error {
	if amount%limits.Step != 0 {
		return invalid("amount", "",
			"Amount must be a multiple of "+strconv.FormatInt(limits.Step, 10)+" in "+currency+".")
	}
	return nil
}

// entries returns the map with a name in a form, as in metadata[order].
func entries(form url.Values, name string) map[string]string {
	all := map[string]string{}
	for param, values := range form {
		if key, ok := strings.CutPrefix(param, name+"["); ok {
			all[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return all
}

// elements returns the list with a name in a form, as in enabled_events[0] or enabled_events[].
func elements(form url.Values, name string) []string {
	var all []string
	for _, param := range slices.Sorted(maps.Keys(form)) {
		if strings.HasPrefix(param, name+"[") {
			all = append(all, form[param]...)
		}
	}
	return all
}

// positive returns an integer ≥ 1, or otherwise if the parameter is missing.
func positive(form url.Values, param string, otherwise int64) (int64, error) {
	if form.Get(param) == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(form.Get(param), 10, 64)
	if err != nil || n < 1 {
		return 0, invalid(param, "parameter_invalid_integer", "Invalid positive integer")
	}
	return n, nil
}

// oneOf returns a *Problem for an existing parameter with another value than the given ones.
func oneOf(form url.Values, param string, values ...string) error {
	if given := form.Get(param); given != "" && !slices.Contains(values, given) {
		return invalid(param, "", "Invalid "+param+": must be one of "+strings.Join(values, ", "))
	}
	return nil
}

// only returns a *Problem for the first parameter, by name, that is neither known nor part of one
// of the lists. It accepts expand, which has no effect: members stay ids.
func only(form url.Values, known []string, lists ...string) error {
	var unknown []string
	for name := range form {
		list, _, inside := strings.Cut(name, "[")
		if !slices.Contains(known, name) && !(inside && (slices.Contains(lists, list) || list == "expand")) {
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
