package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
)

var errDiscontinued = fault.New(fault.Conflict, "discontinued", "The product is no longer sold.")

type reserveInput struct {
	api.Keyed
	SKU  string `path:"sku" maxLength:"64" doc:"the product"`
	Body struct {
		Quantity int64 `json:"quantity" minimum:"1" maximum:"999"`
	}
}

type reserveOutput struct {
	api.Replay
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     struct {
		ID    string `json:"id"`
		Owner string `json:"owner"`
	}
}

// An operation is a typed function and its route; it serves HTTP by itself.
func Example() {
	reserve := api.New(api.Route{
		Name: "reserve", Method: http.MethodPost, Path: "/products/{sku}/reservations", Summary: "Set stock aside",
		DefaultStatus: http.StatusAccepted,
		Access:        api.Needs(callers, "orders:write"),
		Faults:        []*fault.Fault{errDiscontinued},
	}, func(ctx context.Context, in *reserveInput) (*reserveOutput, error) {
		if in.SKU == "gramophone" {
			return nil, errDiscontinued
		}
		out := &reserveOutput{Location: api.Location(ctx, in.Key), ETag: api.ETag(1)}
		out.Body.ID, out.Body.Owner = in.Key, identity.From(ctx).Subject
		return out, nil
	})

	for _, sku := range []string{"mug", "gramophone"} {
		r := httptest.NewRequest(http.MethodPost, "/products/"+sku+"/reservations", strings.NewReader(`{"quantity":2}`))
		r.Header.Set("Authorization", "Bearer writer")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "r-1")
		w := httptest.NewRecorder()
		reserve.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Header().Get("Location"), w.Header().Get("ETag"))
	}
	// Output:
	// 202 application/json /products/mug/reservations/r-1 "v1"
	// 409 application/problem+json
}
