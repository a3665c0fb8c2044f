package stocktest

import (
	"context"
	"encoding/json"

	"backroom/shared/saga"
	"backroom/shared/stock"
)

// Deliver hands a fact of an order to the step of the stock that hears it, as its queue would.
func Deliver(ctx context.Context, shelf stock.Shelf, id string, fact saga.Fact, w saga.Wanted) error {
	step, handle, carries := saga.ReleaseStock, stock.ReleaseStep{Shelf: shelf}.Handle, any(saga.About{Order: w.Order, Shop: w.Shop})
	switch fact {
	case saga.OrderPlaced, saga.ReserveDue:
		step, handle, carries = saga.ReserveStock, stock.ReserveStep{Shelf: shelf}.Handle, w
	case saga.OrderConfirmed:
		step, handle = saga.CommitStock, stock.CommitStep{Shelf: shelf}.Handle
	}
	data, err := json.Marshal(carries)
	if err != nil {
		return err
	}
	body, err := json.Marshal(saga.Event{SpecVersion: saga.SpecVersion, ID: id, Type: fact, Subject: w.Order, Shop: w.Shop, Data: data})
	if err != nil {
		return err
	}
	e, err := saga.Hear(step, string(body))
	if err != nil {
		return err
	}
	return handle(ctx, e)
}
