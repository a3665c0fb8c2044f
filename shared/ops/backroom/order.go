package main

import (
	"context"
	"errors"
	"time"

	"backroom/shared/ops/remedy"
)

// tellOrder is `make order ID=…`: the story of one order.
func tellOrder(ctx context.Context, d desk, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return remedy.For(errors.New("which order?"), "make order ID=ord_… (make run prints some; GET /orders lists all)")
	}
	site, err := d.site(ctx)
	if err != nil {
		return err
	}
	told, err := site.Story(ctx, ofShop(), args[0])
	if err != nil {
		return err
	}
	return told.Write(d, time.Now(), time.Local, d)
}
