// Package wire connects get-docs to its pages.
package wire

import (
	"backroom/docs"
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/reference"
)

// Settings are what get-docs reads from its environment: nothing.
type Settings struct{}

// New returns the operation, ready to serve.
func New(function.Runtime, Settings) api.Operation {
	return reference.GetHandler{Document: docs.OpenAPI, Problems: docs.Problems, Cards: docs.TestCards}.Operation()
}
