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

// Erased says what became of a customer's orders.
type Erased struct {
	Orders  []string // that nobody knows any more whose they were
	Open    []string // that are still on their way, and left alone
	Holding []string // of Orders: those whose hold still has the token of the payment method
}

// atOnce is how many orders are read at once.
const atOnce = 50

// eraseTries is how often an order that changes at the same moment is decided anew.
const eraseTries = 5

// Erase makes the shop forget whose a customer's orders were: in whose name, paid with what, and where to write. What was sold, when and
// for how much stays. Orders whose story goes on are left. Once more changes nothing; orders placed just now may need it.
// A dry run changes nothing and says what it would do.
func (s Site) Erase(ctx context.Context, shop saga.Shop, customer string, dryRun bool) (Erased, error) {
	var done Erased
	if customer == "" || customer == order.Erased {
		return done, remedy.For(fmt.Errorf("%q is no customer", customer),
			"CUSTOMER is the subject that tokens name, as backroom order show prints it")
	}
	orders, err := s.table("Orders")
	if err != nil {
		return done, err
	}
	holds, err := s.table("Reservations")
	if err != nil {
		return done, err
	}
	store, shelf := orderdb.Store{Table: orders}, stockdb.Store{Reservations: holds}
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
			hold, err := shelf.Load(ctx, shop, o.ID)
			if err == nil && hold.PaymentMethod != "" {
				done.Holding = append(done.Holding, o.ID)
			} else if err != nil && fault.KindOf(err) != fault.NotFound {
				return done, err
			}
		}
	}
	return done, nil
}

// erase erases one order, and its mails before it: a command that is stopped between the two finds the order again. It decides
// anew while others change the order. A dry run only decides. It returns order.ErrNotSettled for an order whose story
// goes on.
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

// eraseMails removes an order's mails from the mailbox, which local clouds have instead of a post office.
func (s Site) eraseMails(ctx context.Context, o order.Order) error {
	mailbox, ok := s.Names["Mailbox"]
	if !ok {
		return nil
	}
	for _, n := range possibleNotices(o) {
		if _, err := s.DB.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &mailbox, Key: record.PrimaryKey(n.Key())}); err != nil {
			return record.Failure(err)
		}
	}
	return nil
}
