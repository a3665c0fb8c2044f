package stocktest

import (
	"context"
	"encoding/json"

	"backroom/shared/saga"
	"backroom/shared/stock"
)

// Deliver hands a fact of an order to the stock step that consumes it, as the step's queue would.
// The id is the event's.
func Deliver(ctx context.Context, store stock.Store, id string, fact saga.Fact, c saga.OrderContents) error {
	step, handle := saga.ReleaseStock, stock.ReleaseStep{Store: store}.Handle
	data := any(saga.OrderRef{Order: c.Order, Shop: c.Shop})
	switch fact {
	case saga.OrderPlaced, saga.ReserveDue:
		step, handle, data = saga.ReserveStock, stock.ReserveStep{Store: store}.Handle, c
	case saga.OrderConfirmed:
		step, handle = saga.CommitStock, stock.CommitStep{Store: store}.Handle
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	body, err := json.Marshal(saga.Event{
		SpecVersion: saga.SpecVersion, ID: id, Type: fact, Subject: c.Order, Shop: c.Shop, Data: encoded,
	})
	if err != nil {
		return err
	}
	e, err := saga.Decode(step, string(body))
	if err != nil {
		return err
	}
	return handle(ctx, e)
}
