// Package health reports whether the API can serve requests.
package health

import (
	"context"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
)

var errUnhealthy = fault.New(fault.Unavailable, "unhealthy",
	"The API runs, but its tables do not answer. Ask again after Retry-After.").After(5 * time.Second)

// GetHandler answers GET /health.
type GetHandler struct {
	// Check returns an error if requests cannot be served now. It must be cheap: the route is public.
	Check func(context.Context) error
}

type getOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Health
}

// Health is the answer of a healthy API.
type Health struct {
	Status string `json:"status" enum:"ok" doc:"ok: the API can serve requests"`
}

// Operation returns the route.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-health", Method: http.MethodGet, Path: "/health", Tags: []string{"operation"},
		Summary:     "Check the health of the API",
		Description: "Answers 200 if the API can read from its database, otherwise 503. One table is read.",
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
