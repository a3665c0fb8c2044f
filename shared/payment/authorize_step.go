package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Charges keeps charges.
type Charges interface {
	// Create stores a new charge, announces f in the same write and returns the charge as it stands then. If the order has
	// this charge already it returns that one, with fault.Duplicate.
	Create(ctx context.Context, c Charge, cause saga.Cause, f saga.Fact) (Charge, error)
	// Load reads an order's first charge consistently. It returns fault.NotFound for none.
	Load(ctx context.Context, shop, order string) (Charge, error)
	// Save stores a charge, raises its version and announces f. It returns fault.Conflict if the charge moved on.
	Save(ctx context.Context, c Charge, cause saga.Cause, f saga.Fact) error
}

// Provider is who moves the money. Every method returns fault.Unavailable or fault.Throttled if it cannot say now how the
// intent stands: then anything may have happened.
type Provider interface {
	// Create makes an intent to pay the charge, which nobody confirmed: no money moves. For a day it returns the same intent
	// under the same key. An intent without an id and with a reason is one that the provider will not make.
	Create(ctx context.Context, c Charge, key string) (Intent, error)
	// Confirm has the intent's amount held on the customer's card, unless that happened or was refused before, and returns
	// how it stands then. It is declined only if it can take no money any more.
	Confirm(ctx context.Context, intent, key string) (Intent, error)
	// Find returns how an intent stands. It works however old the intent is.
	Find(ctx context.Context, intent string) (Intent, error)
}

// ErrUndecided is what a charge comes back with that the provider is still working on.
var ErrUndecided = fault.New(fault.Unavailable, "payment-undecided", "The payment provider has not decided yet.")

// rereads is how often a charge that others keep changing is read again before the queue's turn has come.
const rereads = 3

// AuthorizeStep has the money for orders set aside at the provider.
type AuthorizeStep struct {
	Charges  Charges
	Provider Provider
}

// Handle answers StockReserved and PaymentCheckDue: the money is authorized, or declined. Asked again, it answers again. It
// returns fault.Unavailable while the provider cannot say; the charge keeps the intent by which to ask later.
func (s AuthorizeStep) Handle(ctx context.Context, e saga.Event) error {
	if e.Type == saga.PaymentCheckDue {
		return s.check(ctx, e)
	}
	return s.begin(ctx, e)
}

// begin makes the intent, which moves no money; stores it, so that it cannot be lost; and only then confirms it. It makes
// one before it looks for the charge: mostly there is none, a payment takes two writes and no reading, and an intent too many
// is never confirmed. But a charge that stands needs no new intent, so none that cannot be made holds it up.
func (s AuthorizeStep) begin(ctx context.Context, e saga.Event) error {
	asked, err := saga.As[saga.Payable](e)
	if err != nil {
		return err
	}
	c := New(asked)
	if err := c.Amount.Check(); err != nil {
		return err
	}
	var intent Intent
	if !c.Free() {
		if intent, err = s.Provider.Create(ctx, c, creationKey(c)); err != nil {
			there, unread := s.Charges.Load(ctx, c.Shop, c.Order)
			if unread != nil {
				return err
			}
			return s.again(ctx, e, s.proceed(ctx, there, e))
		}
	}
	c, news := Begin(c, intent)
	c, err = s.Charges.Create(ctx, c, e.Cause(), news)
	switch {
	case errors.Is(err, fault.Duplicate):
		return s.again(ctx, e, s.proceed(ctx, c, e))
	case err != nil || c.Settled():
		return err
	}
	return s.again(ctx, e, s.confirm(ctx, c, e))
}

// check looks how a payment stands. An order without a charge has none to look for: its stock was never set aside.
func (s AuthorizeStep) check(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.About](e); err != nil {
		return err
	}
	c, err := s.Charges.Load(ctx, e.Shop, e.Subject)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	}
	return s.again(ctx, e, s.proceed(ctx, c, e))
}

// proceed goes on with a charge that stands: one that is settled tells so again, unless this very event was answered
// already; for any other the provider is asked, and an intent that nobody confirmed yet is confirmed.
func (s AuthorizeStep) proceed(ctx context.Context, c Charge, e saga.Event) error {
	if c.Settled() {
		if c.Diary.Heeds(e.Cause()) {
			return nil
		}
		return s.Charges.Save(ctx, c, e.Cause(), Answer(c))
	}
	intent, err := s.Provider.Find(ctx, c.Intent)
	if err != nil {
		return err
	}
	if intent.Has == Nothing {
		return s.confirm(ctx, c, e)
	}
	return s.learn(ctx, c, intent, e)
}

func (s AuthorizeStep) confirm(ctx context.Context, c Charge, e saga.Event) error {
	intent, err := s.Provider.Confirm(ctx, c.Intent, confirmationKey(c, e.Cause()))
	if err != nil {
		return err
	}
	return s.learn(ctx, c, intent, e)
}

// learn stores what is new about a charge. What the customer has to do is not asked for again before somebody asks us.
func (s AuthorizeStep) learn(ctx context.Context, c Charge, i Intent, e saga.Event) error {
	c, news := Learn(c, i)
	for _, f := range news {
		if err := s.Charges.Save(ctx, c, e.Cause(), f); err != nil {
			return err
		}
	}
	if !c.Settled() && c.Has != ActionNeeded {
		return ErrUndecided
	}
	return nil
}

// again decides anew, a few times, while others keep changing the charge; then it returns their fault.Conflict.
func (s AuthorizeStep) again(ctx context.Context, e saga.Event, err error) error {
	for try := 0; try < rereads && errors.Is(err, fault.Conflict); try++ {
		var c Charge
		if c, err = s.Charges.Load(ctx, e.Shop, e.Subject); err == nil {
			err = s.proceed(ctx, c, e)
		}
	}
	return err
}
