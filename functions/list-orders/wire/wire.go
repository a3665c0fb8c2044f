// Package wire connects list-orders to the orders and to the secret of its cursors.
package wire

import (
	"context"

	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/orderdb"
	"backroom/shared/secret"
)

// Settings are what list-orders reads from its environment.
type Settings struct {
	identitydb.Settings
	Orders       string `env:"ORDERS_TABLE"`
	CursorSecret string `env:"CURSOR_SECRET_ARN"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	read := func(ctx context.Context, v any) error { return secret.Read(ctx, rt.AWS, env.CursorSecret, v) }
	cursors := api.NewCursors(read, rt.Now)
	rt.OnInit(cursors.Prepare)
	return orderapi.ListHandler{
		Callers: identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Cursors: cursors,
		List:    orderdb.Store{Table: rt.Table(env.Orders)}.List,
	}.Operation()
}
