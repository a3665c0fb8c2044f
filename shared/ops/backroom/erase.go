package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backroom/shared/ops/remedy"
)

// erase is `make erase CUSTOMER=…`: the shop forgets whose a customer's orders were.
func erase(ctx context.Context, d desk, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return remedy.For(errors.New("which customer?"), "make erase CUSTOMER=… with the subject of the customer's tokens, as make order prints it")
	}
	site, err := d.site(ctx)
	if err != nil {
		return err
	}
	done, err := site.Erase(ctx, ofShop(), args[0])
	if err != nil {
		return fmt.Errorf("%d orders erased, then: %w", len(done.Orders), err)
	}
	d.Linef("%d orders of %s in the shop %s erased", len(done.Orders), args[0], ofShop())
	if len(done.Holding) > 0 {
		d.Linef("%s their holds still have the token of the payment method, until stock is sold or released: %s", d.Bad("but"), strings.Join(done.Holding, " "))
	}
	if len(done.Open) == 0 {
		return nil
	}
	return remedy.For(fmt.Errorf("%d orders are still open and were left: %s", len(done.Open), strings.Join(done.Open, " ")),
		"when they are over, this again; POST /orders/{id}/cancellation ends one sooner")
}
