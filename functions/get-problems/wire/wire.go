// Package wire connects get-problems to its page.
package wire

import (
	"backroom/docs"
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/reference"
)

// Settings are what get-problems reads from its environment: nothing.
type Settings struct{}

// New returns the operation, ready to serve.
func New(function.Runtime, Settings) api.Operation {
	return reference.ProblemsHandler{Page: docs.ProblemsPage}.Operation()
}
