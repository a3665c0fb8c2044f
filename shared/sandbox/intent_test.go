package sandbox_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/sandbox"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestConfirm_FollowsTheCard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given   sandbox.Status
		card    string
		status  sandbox.Status
		left    string // the payment method that the intent has afterwards
		held    int
		code    string
		decline string
	}{
		"a card that pays is held": {sandbox.RequiresConfirmation, "pm_card_visa",
			sandbox.RequiresCapture, "pm_card_visa", 1, "", ""},
		"any other test card pays": {sandbox.RequiresConfirmation, "pm_card_mastercard_prepaid",
			sandbox.RequiresCapture, "pm_card_mastercard_prepaid", 1, "", ""},
		"a slow card is held at once": {sandbox.RequiresConfirmation, "pm_sandbox_slow_500",
			sandbox.RequiresCapture, "pm_sandbox_slow_500", 1, "", ""},
		"a card whose answer is lost is held": {sandbox.RequiresConfirmation, "pm_sandbox_lost",
			sandbox.RequiresCapture, "pm_sandbox_lost", 1, "", ""},
		"a declined card leaves no payment method": {sandbox.RequiresConfirmation, "pm_card_chargeDeclined",
			sandbox.RequiresPaymentMethod, "", 0, "card_declined", "generic_decline"},
		"a declined card may be a visa": {sandbox.RequiresConfirmation,
			"pm_card_visa_chargeDeclinedLostCard", sandbox.RequiresPaymentMethod, "", 0, "card_declined", "lost_card"},
		"an empty account is declined with that": {sandbox.RequiresConfirmation,
			"pm_card_chargeDeclinedInsufficientFunds", sandbox.RequiresPaymentMethod, "", 0, "card_declined",
			"insufficient_funds"},
		"a card that requires an action is not held": {sandbox.RequiresConfirmation,
			"pm_card_authenticationRequired", sandbox.RequiresAction, "pm_card_authenticationRequired", 0, "", ""},
		"a card in processing is not held yet": {sandbox.RequiresConfirmation, "pm_sandbox_processing_500",
			sandbox.Processing, "pm_sandbox_processing_500", 0, "", ""},
		"another card may be tried after a declined one": {sandbox.RequiresPaymentMethod, "pm_card_visa",
			sandbox.RequiresCapture, "pm_card_visa", 1, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sandbox.Confirm(sandbox.Intent{Status: c.given, CaptureMethod: sandbox.Manual}, c.card, noon)
			require.NoError(t, err)
			assert.Equal(t, c.status, got.Status)
			assert.Equal(t, c.left, got.PaymentMethod)
			assert.Equal(t, c.held, got.Authorizations)
			if c.code == "" {
				assert.Nil(t, got.LastError)
				return
			}
			assert.Equal(t, []string{c.code, c.decline, c.card},
				[]string{got.LastError.Code, got.LastError.DeclineCode, got.LastError.Card})
		})
	}
}

func TestConfirm_RefusesOtherStatuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given sandbox.Status
		card  string
		code  string
	}{
		"an authorized intent": {sandbox.RequiresCapture, "pm_card_visa",
			"payment_intent_unexpected_state"},
		"a captured intent":       {sandbox.Succeeded, "pm_card_visa", "payment_intent_unexpected_state"},
		"a canceled intent":       {sandbox.Canceled, "pm_card_visa", "payment_intent_unexpected_state"},
		"an intent in processing": {sandbox.Processing, "pm_card_visa", "payment_intent_unexpected_state"},
		"an intent that requires an action": {sandbox.RequiresAction, "pm_card_visa",
			"payment_intent_unexpected_state"},
		"a declined intent without a new card": {sandbox.RequiresPaymentMethod, "", "payment_intent_unexpected_state"},
		"an unknown card":                      {sandbox.RequiresConfirmation, "pm_nonsense", "resource_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := sandbox.Intent{Status: c.given, Authorizations: 7}
			got, err := sandbox.Confirm(given, c.card, noon)
			problem, ok := errors.AsType[*sandbox.Problem](err)
			require.True(t, ok)
			assert.Equal(t, c.code, problem.Code)
			assert.Equal(t, given, got)
		})
	}
}

func TestAt_AuthorizesAPaymentInProcessing(t *testing.T) {
	t.Parallel()
	i, err := sandbox.Confirm(sandbox.Intent{Status: sandbox.RequiresConfirmation, CaptureMethod: sandbox.Manual}, "pm_sandbox_processing_500", noon)
	require.NoError(t, err)
	assert.Equal(t, sandbox.Processing, i.At(noon.Add(499*time.Millisecond)).Status)
	held := i.At(noon.Add(500 * time.Millisecond))
	assert.Equal(t, sandbox.RequiresCapture, held.Status)
	assert.Equal(t, 1, held.At(noon.Add(time.Hour)).Authorizations)
}

func TestConfirm_AutomaticCaptureIsImmediate(t *testing.T) {
	t.Parallel()
	i, err := sandbox.Confirm(sandbox.Intent{Status: sandbox.RequiresConfirmation, CaptureMethod: sandbox.Automatic}, "pm_card_visa", noon)
	require.NoError(t, err)
	assert.Equal(t, sandbox.Succeeded, i.Status)
}

func TestCancel_FollowsTheStatus(t *testing.T) {
	t.Parallel()
	for _, given := range []sandbox.Status{
		sandbox.RequiresPaymentMethod, sandbox.RequiresConfirmation, sandbox.RequiresAction, sandbox.Processing,
		sandbox.RequiresCapture,
	} {
		i, err := sandbox.Cancel(sandbox.Intent{Status: given}, "abandoned", noon)
		require.NoError(t, err)
		assert.Equal(t, sandbox.Intent{Status: sandbox.Canceled, CancellationReason: "abandoned", CanceledAt: noon}, i)
	}
	for _, given := range []sandbox.Status{sandbox.Succeeded, sandbox.Canceled} {
		_, err := sandbox.Cancel(sandbox.Intent{Status: given}, "", noon)
		require.Error(t, err)
	}
}

func TestCreate_RefusesInvalidForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form  string
		param string
		code  string
	}{
		"no amount":                        {"currency=eur", "amount", "parameter_missing"},
		"an amount that is not an integer": {"amount=1.5&currency=eur", "amount", "parameter_invalid_integer"},
		"an amount of 0":                   {"amount=0&currency=eur", "amount", "parameter_invalid_integer"},
		"an amount of nine digits":         {"amount=100000000&currency=eur", "amount", "amount_too_large"},
		"a cent less than the minimum":     {"amount=49&currency=eur", "amount", "amount_too_small"},
		"a yen less than the minimum":      {"amount=49&currency=jpy", "amount", "amount_too_small"},
		"a forint less than the minimum":   {"amount=17499&currency=huf", "amount", "amount_too_small"},
		"too many rupiah":                  {"amount=1000000000000&currency=idr", "amount", "amount_too_large"},
		"thousandths of a dinar":           {"amount=1125&currency=kwd", "amount", ""},
		"a part of a króna":                {"amount=550&currency=isk", "amount", ""},
		"a currency that nobody has":       {"amount=100&currency=zzz", "currency", ""},
		"a currency that Stripe has not":   {"amount=100&currency=ved", "currency", ""},
		"a withdrawn currency":             {"amount=100&currency=bgn", "currency", ""},
		"no currency":                      {"amount=100", "currency", "parameter_missing"},
		"a currency in capitals":           {"amount=100&currency=EUR", "currency", ""},
		"a currency of four letters":       {"amount=100&currency=euro", "currency", ""},
		"an unknown payment method": {"amount=100&currency=eur&payment_method=pm_nonsense", "payment_method",
			"resource_missing"},
		"a slow card without a delay": {"amount=100&currency=eur&payment_method=pm_sandbox_slow_soon",
			"payment_method", "resource_missing"},
		"a parameter that Stripe does not have": {"amount=100&currency=eur&zest=1", "zest", "parameter_unknown"},
		"a list that Stripe does not have":      {"amount=100&currency=eur&zest[0]=1", "zest[0]", "parameter_unknown"},
		"an invalid capture method":             {"amount=100&currency=eur&capture_method=later", "capture_method", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form, err := url.ParseQuery(c.form)
			require.NoError(t, err)
			_, err = sandbox.Create(form, noon)
			problem, ok := errors.AsType[*sandbox.Problem](err)
			require.True(t, ok)
			assert.Equal(t, []string{c.param, c.code}, []string{problem.Param, problem.Code})
		})
	}
}

func TestCardOf_LimitsDelays(t *testing.T) {
	t.Parallel()
	card, known := sandbox.CardOf("pm_sandbox_slow_" + strings.Repeat("9", 9))
	assert.True(t, known)
	assert.LessOrEqual(t, card.Delay, 8*time.Second)
}
