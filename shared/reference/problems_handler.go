package reference

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"backroom/shared/api"
)

// ProblemsHandler answers GET /problems: the page to which the type of each problem leads.
type ProblemsHandler struct {
	Page []byte // HTML with an anchor for each code; its styles are in one style element, and it has no script
}

// Operation returns the route.
func (h ProblemsHandler) Operation() api.Operation {
	read := once(func() ([]byte, error) { return h.Page, nil })
	policy := "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"style-src 'sha256-" + styleHash(h.Page) + "'"
	return api.New(api.Route{
		Name: "get-problems", Method: http.MethodGet, Path: api.ProblemsPath, Access: api.Public,
		Summary: "Read about problems",
	}, func(context.Context, *struct{}) (*getOutput, error) {
		c, err := read()
		if err != nil {
			return nil, err
		}
		return &getOutput{html, asked, c.etag, policy, "nosniff", "no-referrer", c.bytes}, nil
	})
}

// styleHash returns the hash of the page's styles, by which the content security policy allows them.
func styleHash(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return base64.StdEncoding.EncodeToString(sum[:])
}
