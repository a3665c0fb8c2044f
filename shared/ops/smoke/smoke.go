// Package smoke tests a deployed stack with one order: it places the order, follows it until its
// refund, and removes its product afterwards.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"backroom/shared/client"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
)

// A Walk is one smoke test of a stack.
type Walk struct {
	API              shop.API
	ClientID, Secret string
	Name             string // unique: this walk's product and idempotency keys contain it
	// Card is a payment method that the stack's provider accepts. Without one the walk orders
	// nothing and only reads.
	Card string
	// Mailed returns the status of the order's first mail, "" while it has none. It is nil if the
	// status cannot be read.
	Mailed func(ctx context.Context, order string) (string, error)
	Bound  time.Duration // the longest wait for each result
	Pause  time.Duration // between two requests
	// Step runs work and reports it: its name, its result or its error.
	Step func(name string, work func() (saw string, err error)) error
}

// The buyer of the order, and the address of its mail, at which SES accepts every mail and delivers
// none.
const (
	buyer = "smoke-test"
	email = "success@simulator.amazonses.com"
)

// price is the product's price. The walk orders one unit.
var price = shop.Euro(100)

// Go runs the walk. It returns the first error, with its next step.
func (w Walk) Go(ctx context.Context) (err error) {
	if err := w.Step("health", func() (string, error) { return w.health(ctx) }); err != nil {
		return err
	}
	var staff string
	err = w.Step("token", func() (string, error) {
		staff, err = w.API.Token(ctx, client.Credentials{ClientID: w.ClientID, Secret: w.Secret})
		return "for the client " + w.ClientID, remedy.For(err,
			"check that the secret is this stack's, then the log of issue-token; a changed secret takes some "+
				"minutes to work")
	})
	if err != nil {
		return err
	}
	if err := w.Step("keys", func() (string, error) { return w.keys(ctx) }); err != nil {
		return err
	}
	if err := w.Step("lists", func() (string, error) { return w.lists(ctx, staff) }); err != nil {
		return err
	}
	if w.Card == "" {
		return nil
	}
	return w.buy(ctx, staff)
}

func (w Walk) health(ctx context.Context) (string, error) {
	_, err := w.API.GetHealthWithResponse(ctx)
	return w.API.URL, remedy.For(wrap("GET /health", err),
		"check that this is the URL of the API, otherwise give --url URL; then the log of get-health")
}

func (w Walk) keys(ctx context.Context) (string, error) {
	const next = "the logs of issue-token, which publishes the keys, and of get-keys"
	set, err := w.API.GetKeysWithResponse(ctx)
	if err == nil && len(set.JSON200.Keys) == 0 {
		err = errors.New("no key is published, though a token was signed")
	}
	if err != nil {
		return "", remedy.For(wrap("GET /.well-known/jwks.json", err), next)
	}
	return fmt.Sprintf("%d published", len(set.JSON200.Keys)), nil
}

// lists reads the products on sale, and the orders that need attention.
func (w Walk) lists(ctx context.Context, staff string) (string, error) {
	products, err := w.API.ListProductsWithResponse(ctx, nil)
	orders,
		failed := w.API.ListOrdersWithResponse(ctx, &client.ListOrdersParams{Attention: new(true)}, shop.Bearer(staff))
	if err := errors.Join(wrap("GET /products", err), wrap("GET /orders?attention=true", failed)); err != nil {
		return "", remedy.For(err, "the logs of list-products and list-orders")
	}
	return fmt.Sprintf("%d products on the first page; %d orders need attention", len(products.JSON200.Products),
		len(orders.JSON200.Orders)), nil
}

// buy puts a product on sale, orders it, refunds the order and removes the product.
func (w Walk) buy(ctx context.Context, staff string) (err error) {
	sku := "SMOKE-" + strings.ToUpper(w.Name)
	defer func() {
		remove := func() (string, error) {
			limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Bound)
			defer cancel()
			params := &client.DeleteProductParams{IfMatch: new("*")}
			_, err := w.API.DeleteProductWithResponse(limit, sku, params, shop.Bearer(staff))
			if shop.RefusedWith(err, http.StatusNotFound, http.StatusPreconditionFailed) {
				err = nil // it was never added
			}
			return "the product is off sale", remedy.For(wrap("DELETE /products/"+sku, err),
				"delete the product by hand, because it is on sale")
		}
		err = errors.Join(err, w.Step("clear up", remove))
	}()
	err = w.Step("product", func() (string, error) {
		if _,
			err := w.API.AddProduct(ctx, staff, sku,
			client.ProductContent{Title: "Smoke test, not for sale", Prices: price}); err != nil {
			return "", remedy.For(err, "the log of put-product")
		}
		return sku + ", one in stock", remedy.For(w.API.Deliver(ctx, staff, w.Name, sku, 1), "the log of adjust-stock")
	})
	if err != nil {
		return err
	}
	var customer, id string
	err = w.Step("order", func() (string, error) {
		customer, err = w.API.Token(ctx, client.Credentials{ClientID: w.ClientID, Secret: w.Secret, Customer: buyer})
		if err != nil {
			return "", err
		}
		receipt,
			err := w.API.Place(ctx, customer, w.Name,
			client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 1}}, PaymentMethod: w.Card,
				Email: email})
		id = receipt.ID
		return id, remedy.For(err, "the log of place-order")
	})
	if err != nil {
		return err
	}
	if err := w.follow(ctx, customer, id); err != nil {
		return errors.Join(err, w.giveUp(ctx, staff, id))
	}
	return w.Step("refund", func() (string, error) { return w.refund(ctx, staff, id) })
}

// follow waits until the order is paid and its mail is sent. An order that is not confirmed, or
// needs attention, is an error.
func (w Walk) follow(ctx context.Context, customer, id string) error {
	story := "backroom order show " + id +
		", with the same --stack; then the log and the dead-letter queue of the missing step"
	err := w.Step("outcome", func() (string, error) {
		return w.until(ctx, "the order has its outcome", func(ctx context.Context) (string, bool, error) {
			o, err := w.API.Order(ctx, customer, id)
			if err == nil && shop.Decided(o) && shop.Outcome(o) != "confirmed" {
				err = remedy.For(
					fmt.Errorf("%s is %s, not confirmed", id, strings.TrimSpace(shop.Outcome(o)+" "+o.Attention)),
					"check that the provider accepts "+w.Card+" and our key; "+story)
			}
			return shop.Outcome(o), shop.Decided(o), remedy.For(err, story)
		}, story)
	})
	if err != nil {
		return err
	}
	err = w.Step("paid", func() (string, error) {
		return w.until(ctx, "the order is paid", func(ctx context.Context) (string, bool, error) {
			o, err := w.API.Order(ctx, customer, id)
			if err == nil && o.Attention != "" {
				err = fmt.Errorf("%s needs attention: %s", id, o.Attention)
			}
			return fmt.Sprintf("%s; %d.%02d %s captured", o.Status, o.Total.Amount/100, o.Total.Amount%100,
				o.Total.Currency), o.Status == client.OrderStatusPaid, remedy.For(err, story)
		}, story)
	})
	if err != nil || w.Mailed == nil {
		return err
	}
	return w.Step("mail", func() (string, error) {
		return w.until(ctx, "the mail is sent", func(ctx context.Context) (string, bool, error) {
			state, err := w.Mailed(ctx, id)
			return state, state == "sent", err
		}, "the log of send-notification, and its dead-letter queue")
	})
}

// refund refunds the order and waits until the money has arrived. A failed refund is an error.
func (w Walk) refund(ctx context.Context, staff, id string) (string, error) {
	const next = "read the payment at the provider, and refund there what it still has; " +
		"then the logs of refund-order and return-payment"
	whole := client.RefundRequest{Reason: "smoke test"}
	if _,
		err := w.API.RefundOrderWithResponse(ctx, id, &client.RefundOrderParams{IdempotencyKey: w.Name}, whole,
		shop.Bearer(staff)); err != nil {
		return "", remedy.For(wrap("POST /orders/"+id+"/refunds", err), next)
	}
	return w.until(ctx, "the refund is done", func(ctx context.Context) (string, bool, error) {
		o, err := w.API.Order(ctx, staff, id)
		if err != nil || len(o.Refunds) == 0 {
			return "", false, remedy.For(err, next)
		}
		state := o.Refunds[0].Status
		if state == client.Failed || state == client.Refused {
			err = remedy.For(errors.New("the refund did not arrive"), next)
		}
		return "the money is back: " + string(state), state == client.Succeeded, err
	}, next)
}

// giveUp cancels an order after a failure, so that it keeps neither stock nor money.
func (w Walk) giveUp(ctx context.Context, staff, id string) error {
	return w.Step("cancel", func() (string, error) {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Bound)
		defer cancel()
		canceled, err := w.API.Cancel(limit, staff, id, "smoke test")
		if err == nil && !canceled {
			return "it can no longer be canceled; read the payment at the provider, and refund there what it has", nil
		}
		return "its stock and money come back", remedy.For(err, "cancel "+id+" by hand")
	})
}

// until calls look until it is done, and returns what it saw last. It returns the first error of
// look, or an error when w.Bound is over.
func (w Walk) until(ctx context.Context, what string, look func(context.Context) (seen string, done bool, err error),
	next string) (string, error) {
	limit, cancel := context.WithTimeout(ctx, w.Bound)
	defer cancel()
	last := ""
	for {
		seen, done, err := look(limit)
		if limit.Err() != nil {
			return "",
				remedy.For(fmt.Errorf("not within %s: %s; last seen: %q: %w", w.Bound, what, last, limit.Err()), next)
		}
		if err != nil || done {
			return seen, err
		}
		last = seen
		select {
		case <-limit.Done():
		case <-time.After(w.Pause):
		}
	}
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
