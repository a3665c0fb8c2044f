// Package wire connects get-product to the catalogue.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/catalog/catalogapi"
	"backroom/shared/catalog/catalogdb"
	"backroom/shared/function"
	"backroom/shared/saga"
)

// Settings are what get-product reads from its environment.
type Settings struct {
	Catalog string    `env:"CATALOG_TABLE"`
	Shop    saga.Shop `env:"SHOP"` // whose products a request without a token sees
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return catalogapi.GetHandler{
		Load: catalogdb.Store{DB: rt.DynamoDB(), Name: env.Catalog}.Load,
		Shop: env.Shop,
	}.Operation()
}
