package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/notify"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/story"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/stock/stockdb"
)

// Story reads every row about an order. The rows may be from different moments. The error of an
// unknown order names the shop.
func (s Site) Story(ctx context.Context, shop saga.Shop, id string) (story.Story, error) {
	tables := map[string]record.Table{}
	for _, name := range []string{"Orders", "Reservations", "Charges", "Notices"} {
		table, err := s.table(name)
		if err != nil {
			return story.Story{}, err
		}
		tables[name] = table
	}
	read, err := orderdb.Stories{Orders: tables["Orders"], Sources: []orderdb.Source{
		{By: saga.Reservations, Table: tables["Reservations"], Key: record.Key},
		{By: saga.Charges, Table: tables["Charges"], Key: paymentdb.Key},
	}}.Read(ctx, shop, id)
	if fault.KindOf(err) == fault.NotFound {
		return story.Story{}, remedy.For(fmt.Errorf("the shop %s has no order %q", shop, id),
			"GET /orders lists orders; for another shop: --shop NAME")
	}
	if err != nil {
		return story.Story{}, err
	}
	all := story.Story{Story: read}
	if reservation, err := (stockdb.Store{Reservations: tables["Reservations"]}).Load(ctx, shop, id); err == nil {
		all.Reservation = &reservation
	} else if fault.KindOf(err) != fault.NotFound {
		return story.Story{}, err
	}
	if charge, err := (paymentdb.Store{Table: tables["Charges"]}).Load(ctx, shop, id); err == nil {
		all.Charge = &charge
	} else if fault.KindOf(err) != fault.NotFound {
		return story.Story{}, err
	}
	all.Notices, err = s.notices(ctx, tables["Notices"].Name, read.Order)
	return all, err
}

// notices returns the notices of an order's mails that exist.
func (s Site) notices(ctx context.Context, table string, o order.Order) ([]story.Notice, error) {
	possible := possibleNotices(o)
	var keys []string
	for _, n := range possible {
		keys = append(keys, n.Key())
	}
	found := map[string]story.Notice{}
	var broken error
	err := record.ReadMany(ctx, s.DB, table, keys, func(image map[string]types.AttributeValue) {
		var row struct {
			PK     string        `dynamodbav:"pk"`
			Status notify.Status `dynamodbav:"status"`
			At     int64         `dynamodbav:"at"` // milliseconds since 1970
		}
		if err := attributevalue.UnmarshalMap(image, &row); err != nil {
			broken = err
		}
		n := story.Notice{Status: row.Status}
		if row.At > 0 {
			n.At = time.UnixMilli(row.At).UTC()
		}
		found[row.PK] = n
	})
	if err != nil || broken != nil {
		return nil, fmt.Errorf("notices of order %s: %w", o.ID, errors.Join(err, broken))
	}
	var notices []story.Notice
	for _, n := range possible {
		if is, ok := found[n.Key()]; ok {
			is.Notice = n
			notices = append(notices, is)
		}
	}
	return notices, nil
}

// possibleNotices returns every notice that an order can have.
func possibleNotices(o order.Order) []notify.Notice {
	var all []notify.Notice
	for _, t := range []notify.Template{notify.Confirmed, notify.Rejected, notify.Expired, notify.Canceled} {
		all = append(all, notify.Notice{Shop: o.Shop, Order: o.ID, Template: t})
	}
	for _, r := range o.Refunds {
		all = append(all, notify.Notice{Shop: o.Shop, Order: o.ID, Template: notify.Refunded, Refund: r.ID})
	}
	return all
}
