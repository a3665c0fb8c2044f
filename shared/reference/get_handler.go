// Package reference serves the API reference: a page that shows the OpenAPI document and can send
// requests. One route serves the page, its scripts and the document; nothing is loaded from
// elsewhere.
package reference

import (
	"cmp"
	"context"
	"net/http"

	"backroom/shared/api"
)

// front is the file of a request that names none.
const front = "index.html"

// policy allows the page to load files from its own origin and to send requests there. It forbids
// inline scripts and styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// GetHandler answers GET /docs.
type GetHandler struct {
	Document []byte // OpenAPI, as YAML
	Problems []byte // Markdown; the document links to it as problems.md
	Cards    []byte // Markdown; the document links to it as test-cards.md
}

type getInput struct {
	File string `query:"file"`
}

type getOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	ETag         string `header:"ETag"`
	Policy       string `header:"Content-Security-Policy"`
	Sniffing     string `header:"X-Content-Type-Options"`
	Referrer     string `header:"Referrer-Policy"`
	Body         []byte
}

// Operation returns the route. The query names the file, so that the page's references work behind every stage and base
// path.
func (h GetHandler) Operation() api.Operation {
	all := files(h.Document, h.Problems, h.Cards)
	return api.New(api.Route{
		Name: "get-docs", Method: http.MethodGet, Path: "/docs", Access: api.Public,
		Summary: "Read this reference",
	}, func(_ context.Context, in *getInput) (*getOutput, error) {
		f, ok := all[cmp.Or(in.File, front)]
		if !ok {
			return nil, api.ErrNoRoute
		}
		c, err := f.content()
		if err != nil {
			return nil, err
		}
		return &getOutput{f.media, f.cache, c.etag, policy, "nosniff", "no-referrer", c.bytes}, nil
	})
}
