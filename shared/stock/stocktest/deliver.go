package stocktest

import (
	"context"
	"encoding/json"

	"backroom/shared/saga"
	"backroom/shared/stock"
)

// Deliver hands a fact of an order to the step of the stock that hears it, as its queue would.
func Deliver(ctx context.Context, shelf stock.Store, id string, fact saga.Fact, w saga.OrderContents) error {
	step, handle, carries := saga.ReleaseStock, stock.ReleaseStep{Store: shelf}.Handle, any(saga.OrderRef{Order: w.Order, Shop: w.Shop})
	switch fact {
	case saga.OrderPlaced, saga.ReserveDue:
		step, handle, carries = saga.ReserveStock, stock.ReserveStep{Store: shelf}.Handle, w
	case saga.OrderConfirmed:
		step, handle = saga.CommitStock, stock.CommitStep{Store: shelf}.Handle
	}
	data, err := json.Marshal(carries)
	if err != nil {
		return err
	}
	body, err := json.Marshal(saga.Event{SpecVersion: saga.SpecVersion, ID: id, Type: fact, Subject: w.Order, Shop: w.Shop, Data: data})
	if err != nil {
		return err
	}
	e, err := saga.Decode(step, string(body))
	if err != nil {
		return err
	}
	return handle(ctx, e)
}
