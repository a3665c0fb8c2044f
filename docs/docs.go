// Package docs has those pages of this folder that a function serves.
package docs

import _ "embed"

// OpenAPI is the API's document, in version 3.1.
//
//go:embed openapi.yaml
var OpenAPI []byte

// ProblemsPage is problems.md as a page, made by `make contract UPDATE=1`.
//
//go:embed problems.html
var ProblemsPage []byte

// Problems has an entry for each type of problem that the document names.
//
//go:embed problems.md
var Problems []byte

// TestCards lists the payment methods of the payment sandbox. The document links to it.
//
//go:embed test-cards.md
var TestCards []byte
