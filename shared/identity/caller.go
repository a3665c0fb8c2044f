// Package identity answers one question for every route: who is calling, and what may they do. Nothing is allowed unless
// a token says so.
package identity

import (
	"context"
	"slices"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Caller is whoever a verified access token speaks for.
type Caller struct {
	Shop    saga.Shop // the tenant: the leading part of every key that the caller may touch
	Subject string    // the customer, or the client itself where it speaks for no customer; owns what it creates
	Client  string    // the OAuth client that asked for the token
	Scopes  []string  // what the token allows
}

// May reports whether the caller's token grants scope.
func (c Caller) May(scope string) bool { return slices.Contains(c.Scopes, scope) }

// What a token may grant.
const (
	CatalogWrite   = "catalog:write"
	StockRead      = "stock:read"
	StockWrite     = "stock:write"
	OrdersWrite    = "orders:write"
	OrdersRead     = "orders:read"
	OrdersReadAll  = "orders:read:all" // every order of the shop, not only one's own
	OrdersRefund   = "orders:refund"   // money of any order of the shop goes back
	OrdersResolve  = "orders:resolve"  // orders of the shop that need a person, and to cancel another's
	TokensCustomer = "tokens:customer" // at the token endpoint: tokens that speak for a customer
)

// Verifier turns a bearer token into a Caller.
type Verifier interface {
	// Verify returns who the token speaks for. It returns ErrNotAuthenticated for a token that is missing, unreadable,
	// expired, or not signed for this API by our issuer, and fault.Unavailable if the keys could not be read.
	Verify(ctx context.Context, token string) (Caller, error)
}

// What a caller without the right token is told.
var (
	ErrNotAuthenticated  = fault.New(fault.Unauthenticated, "not-authenticated", "A valid bearer token is needed. Ask for one at POST /oauth/token.")
	ErrInsufficientScope = fault.New(fault.Forbidden, "insufficient-scope", "The token does not grant what this request needs.")
)

type contextKey struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the caller that With put into the context; the zero Caller, who may do nothing, if there is none.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(contextKey{}).(Caller)
	return c
}
