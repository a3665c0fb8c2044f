// Package wire connects delete-product to the catalogue.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/catalog/catalogapi"
	"backroom/shared/catalog/catalogdb"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
)

// Settings are what delete-product reads from its environment.
type Settings struct {
	identitydb.Settings
	Catalog string `env:"CATALOG_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return catalogapi.DeleteHandler{
		Callers:  identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Products: catalogdb.Store{DB: rt.DynamoDB(), Name: env.Catalog},
		Now:      rt.Now,
	}.Operation()
}
