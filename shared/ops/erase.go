package ops

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/shared/fault"
	"backroom/shared/ops/remedy"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/stock/stockdb"
)

// Erased is the result of erasing a customer's orders.
type Erased struct {
	Orders  []string // erased: they no longer name their customer
	Open    []string // not settled, and not changed
	Holding []string // those of Orders whose reservation still has the token of the payment method
}

// atOnce is how many orders one read returns.
const atOnce = 50

// eraseTries is how often an order that changes at the same time is reloaded and decided again.
const eraseTries = 5

// Erase removes a customer's personal data from the customer's orders: the owner, the email, the
// token of the payment method and people's reasons. Products, amounts and times stay. Orders that
// are not settled are not changed. A second call changes nothing, except for orders that were
// placed just before the first. A dry run changes nothing and returns what it would do. The error
// names a customer that is empty, or erased already.
func (s Site) Erase(ctx context.Context, shop saga.Shop, customer string, dryRun bool) (Erased, error) {
	var done Erased
	if customer == "" || customer == order.Erased {
		return done, remedy.For(fmt.Errorf("%q is not a customer", customer),
			"CUSTOMER is the subject of the customer's tokens, which backroom order show prints")
	}
	orders, err := s.table("Orders")
	if err != nil {
		return done, err
	}
	reservations, err := s.table("Reservations")
	if err != nil {
		return done, err
	}
	store, stock := orderdb.Store{Table: orders}, stockdb.Store{Reservations: reservations}
	var from map[string]string
	for more := true; more; more = from != nil {
		page, next, err := store.List(ctx, shop, order.Filter{Customer: customer}, atOnce, from)
		if err != nil {
			return done, err
		}
		from = next
		for _, o := range page {
			switch err := s.erase(ctx, store, o, customer, dryRun); {
			case errors.Is(err, order.ErrNotSettled):
				done.Open = append(done.Open, o.ID)
				continue
			case err != nil:
				return done, fmt.Errorf("order %s: %w", o.ID, err)
			}
			done.Orders = append(done.Orders, o.ID)
			reservation, err := stock.Load(ctx, shop, o.ID)
			if err == nil && reservation.PaymentMethod != "" {
				done.Holding = append(done.Holding, o.ID)
			} else if err != nil && fault.KindOf(err) != fault.NotFound {
				return done, err
			}
		}
	}
	return done, nil
}

// erase erases one order. It deletes the order's mails first: after an interrupt between the two,
// the next run finds the order again. If another change comes first, it reloads the order and
// decides again. A dry run only decides. It returns order.ErrNotSettled for an order that still
// awaits something.
func (s Site) erase(ctx context.Context, store orderdb.Store, o order.Order, customer string, dryRun bool) error {
	for try := 0; ; try++ {
		erased, facts, err := order.Erase(o)
		if err != nil || o.Owner != customer || dryRun {
			return err
		}
		if err := s.eraseMails(ctx, o); err != nil {
			return err
		}
		cause := saga.Cause{ID: fmt.Sprintf("erase@%d", s.Now().UnixMilli()), Actor: "operator"}
		err = store.Save(ctx, erased, cause, facts...)
		if try == eraseTries || !errors.Is(err, fault.Conflict) {
			return err
		}
		if o, err = store.Load(ctx, o.Shop, o.ID); err != nil {
			return err
		}
	}
}

// eraseMails deletes an order's mails from the mailbox, which has them where no mail is delivered.
func (s Site) eraseMails(ctx context.Context, o order.Order) error {
	mailbox, ok := s.Names["Mailbox"]
	if !ok {
		return nil
	}
	for _, n := range possibleNotices(o) {
		if _,
			err := s.DB.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &mailbox, Key: record.PrimaryKey(n.Key())}); err != nil {
			return record.Failure(err)
		}
	}
	return nil
}
