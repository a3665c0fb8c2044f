// Package health tells whether the API can work at all.
package health

import (
	"context"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
)

var errUnhealthy = fault.New(fault.Unavailable, "unhealthy", "The API is up, but what it depends on does not answer.").After(5 * time.Second)

// GetHandler answers GET /health.
type GetHandler struct {
	// Check returns an error if a request could not be served now. It is cheap: everybody may ask.
	Check func(context.Context) error
}

type getOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Health
}

// Health is the answer while the API works.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Operation returns the route.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-health", Method: http.MethodGet, Path: "/health", Tags: []string{"operation"},
		Summary:     "Ask whether the API works",
		Description: "200 while the API reaches its tables; otherwise 503.",
		Access:      api.Public,
		Faults:      []*fault.Fault{errUnhealthy},
	}, h.serve)
}

func (h GetHandler) serve(ctx context.Context, _ *struct{}) (*getOutput, error) {
	if err := h.Check(ctx); err != nil {
		return nil, errUnhealthy.Because(err)
	}
	out := &getOutput{CacheControl: "no-store"}
	out.Body.Status = "ok"
	return out, nil
}
