// Package wire connects list-products to the catalogue and to the secret of its cursors.
package wire

import (
	"context"

	"backroom/shared/api"
	"backroom/shared/catalog/catalogapi"
	"backroom/shared/catalog/catalogdb"
	"backroom/shared/function"
	"backroom/shared/saga"
	"backroom/shared/secret"
)

// Settings are what list-products reads from its environment.
type Settings struct {
	Catalog      string    `env:"CATALOG_TABLE"`
	CursorSecret string    `env:"CURSOR_SECRET_ARN"`
	Shop         saga.Shop `env:"SHOP"` // whose products a request without a token sees
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	read := func(ctx context.Context, v any) error { return secret.Read(ctx, rt.AWS, env.CursorSecret, v) }
	cursors := api.NewCursors(read, rt.Now)
	rt.OnInit(cursors.Prepare)
	return catalogapi.ListHandler{
		List:    catalogdb.Store{DB: rt.DynamoDB(), Name: env.Catalog}.List,
		Cursors: cursors,
		Shop:    env.Shop,
	}.Operation()
}
