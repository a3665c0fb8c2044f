// Command drive drives the API with the client that ogen generated. See ../clients.go for what it prints.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"drive/api"
)

var run = os.Getenv("BACKROOM_RUN")

// credentials are the shop's client, with an access token.
type credentials struct{ token string }

func (c *credentials) Basic(context.Context, api.OperationName) (api.Basic, error) {
	return api.Basic{Username: os.Getenv("BACKROOM_CLIENT_ID"), Password: os.Getenv("BACKROOM_CLIENT_SECRET")}, nil
}

func (c *credentials) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	return api.Bearer{Token: c.token}, nil
}

func main() {
	if err := drive(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// caller returns a client with a token of its own, which acts for a customer unless the name is empty.
func caller(ctx context.Context, customer string) (*api.Client, *api.TokenHeaders, error) {
	own := &credentials{}
	client, err := api.NewClient(os.Getenv("BACKROOM_API"), own)
	if err != nil {
		return nil, nil, err
	}
	form := &api.TokenRequest{GrantType: api.NewOptString("client_credentials")}
	if customer != "" {
		form.Customer = api.NewOptString(customer)
	}
	answer, err := client.IssueToken(ctx, form)
	token, ok := answer.(*api.TokenHeaders)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("token: %T %w", answer, err)
	}
	own.token = token.Response.AccessToken
	return client, token, nil
}

func place(ctx context.Context, client *api.Client, key, sku, method string) (api.PlaceOrderRes, error) {
	return client.PlaceOrder(ctx, &api.OrderRequest{
		Lines: []api.LineRequest{{Sku: sku, Quantity: 1}}, PaymentMethod: method,
	}, api.PlaceOrderParams{IdempotencyKey: run + "-" + key})
}

// placed returns the id of an order that must be accepted.
func placed(ctx context.Context, client *api.Client, key, method string) (string, error) {
	answer, err := place(ctx, client, key, "MUG-1", method)
	receipt, ok := answer.(*api.OrderReceiptHeaders)
	if err != nil || !ok {
		return "", fmt.Errorf("place: %T %w", answer, err)
	}
	return receipt.Response.ID, nil
}

func until(ctx context.Context, client *api.Client, id string, done func(api.Order) bool) (api.Order, error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		answer, err := client.GetOrder(ctx, api.GetOrderParams{ID: id})
		order, ok := answer.(*api.OrderHeaders)
		if err != nil || !ok {
			return api.Order{}, fmt.Errorf("read: %T %w", answer, err)
		}
		if done(order.Response) {
			return order.Response, nil
		}
	}
	return api.Order{}, fmt.Errorf("order %s did not get there in a minute", id)
}

// refusal returns the status and the code of a problem.
func refusal(answer any) string {
	switch problem := answer.(type) {
	case *api.PlaceOrderUnprocessableEntity:
		return fmt.Sprintf("%d %s", problem.Status, problem.Code)
	case *api.GetOrderNotFound:
		return fmt.Sprintf("%d %s", problem.Status, problem.Code)
	}
	return fmt.Sprintf("no refusal: %T", answer)
}

func drive(ctx context.Context) error {
	buyer, token, err := caller(ctx, run)
	if err != nil {
		return err
	}
	fmt.Println("token:", token.Response.TokenType)
	page, err := buyer.ListProducts(ctx, api.ListProductsParams{Limit: api.NewOptInt64(2)})
	if err != nil {
		return err
	}
	products, ok := page.(*api.ProductListHeaders)
	if !ok {
		return fmt.Errorf("products: %T", page)
	}
	fmt.Println("products:", len(products.Response.Products))

	id, err := placed(ctx, buyer, "one", "pm_card_visa")
	if err != nil {
		return err
	}
	fmt.Println("placed:", id[:4])
	paid, err := until(ctx, buyer, id, func(o api.Order) bool { return o.Status == "paid" || o.Status == "rejected" })
	if err != nil {
		return err
	}
	fmt.Println("paid:", paid.Status)
	again, err := placed(ctx, buyer, "one", "pm_card_visa")
	if err != nil {
		return err
	}
	fmt.Println("again:", map[bool]string{true: "same order", false: "another order"}[again == id])
	reused, err := place(ctx, buyer, "one", "MUG-1", "pm_card_mastercard")
	if err != nil {
		return err
	}
	fmt.Println("reused:", refusal(reused))

	staff, _, err := caller(ctx, "")
	if err != nil {
		return err
	}
	amount := api.RefundAmount{Amount: 100, Currency: paid.Total.Currency}
	if _,
		err := staff.RefundOrder(ctx,
		&api.RefundRequest{Amount: api.NewOptRefundAmount(amount), Reason: "arrived late"},
		api.RefundOrderParams{ID: id, IdempotencyKey: run + "-refund"}); err != nil {
		return err
	}
	refunded,
		err := until(ctx, staff, id, func(o api.Order) bool { return o.Refundable.Amount < paid.Refundable.Amount })
	if err != nil {
		return err
	}
	fmt.Println("refunded:", paid.Refundable.Amount-refunded.Refundable.Amount)

	second, err := placed(ctx, buyer, "two", "pm_sandbox_processing_4000")
	if err != nil {
		return err
	}
	if _, err := buyer.CancelOrder(ctx, api.OptCancellationRequest{}, api.CancelOrderParams{ID: second}); err != nil {
		return err
	}
	canceled,
		err := until(ctx, buyer, second, func(o api.Order) bool { return o.Status == "canceled" || o.Status == "paid" })
	if err != nil {
		return err
	}
	fmt.Println("canceled:", canceled.Status)
	list, err := buyer.ListOrders(ctx, api.ListOrdersParams{})
	if err != nil {
		return err
	}
	orders, ok := list.(*api.OrderListHeaders)
	if !ok {
		return fmt.Errorf("orders: %T", list)
	}
	fmt.Println("orders:", len(orders.Response.Orders))
	refused, err := place(ctx, buyer, "three", "NO-SUCH-SKU", "pm_card_visa")
	if err != nil {
		return err
	}
	fmt.Println("refused:", refusal(refused))
	unknown, err := buyer.GetOrder(ctx, api.GetOrderParams{ID: id[:len(id)-1]})
	if err != nil {
		return err
	}
	fmt.Println("unknown:", refusal(unknown))
	return nil
}
