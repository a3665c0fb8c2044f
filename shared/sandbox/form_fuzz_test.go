package sandbox_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/sandbox"
)

// FuzzCreate requires that a form makes an intent that can be paid, or is refused as Stripe refuses
// it: as a bad request that names the parameter.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{
		"amount=1250&currency=eur&capture_method=manual&metadata[order]=ord_1&payment_method=pm_card_visa&payment_method_types[0]=card",
		"amount=100000000&currency=eur", "amount=-1&currency=EUR", "amount=1", "amount=100&currency=eur&foo=1",
		"amount=100&currency=eur&expand[]=latest_charge", "metadata[=x&metadata]", "=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		i, err := sandbox.Create(form, noon)
		if err != nil {
			var p *sandbox.Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, 400, p.Status)
			if _, nameless := form[""]; !nameless { // a parameter without a name cannot be named
				require.NotEmpty(t, p.Param)
			}
			return
		}
		require.True(t, i.Amount >= 1 && i.Amount <= 999_999_999_999, "%d", i.Amount)
		require.Regexp(t, "^[a-z]{3}$", i.Currency)
		require.Contains(t, []sandbox.Status{sandbox.RequiresPaymentMethod, sandbox.RequiresConfirmation}, i.Status)
		require.Equal(t, i.Status == sandbox.RequiresConfirmation, i.PaymentMethod != "")
		require.Equal(t, noon, i.Created)
	})
}
