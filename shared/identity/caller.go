// Package identity issues and verifies access tokens. A Caller may do only what its token grants.
package identity

import (
	"context"
	"slices"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Caller is the subject of a verified access token.
type Caller struct {
	Shop    saga.Shop // the tenant: the first part of every key that the caller can reach
	Subject string    // the customer, or "client:" and the client's id without one; owns what it creates
	Client  string    // the OAuth client that asked for the token
	Scopes  []string  // what the token grants
}

// May reports whether the caller's token grants scope.
func (c Caller) May(scope string) bool { return slices.Contains(c.Scopes, scope) }

// Needs returns ErrInsufficientScope, which names the missing scopes, unless the caller's token grants all of these.
func (c Caller) Needs(scopes ...string) error {
	missing := slices.DeleteFunc(slices.Clone(scopes), c.May)
	if len(missing) == 0 {
		return nil
	}
	return ErrInsufficientScope.With("The token lacks "+strings.Join(missing, " ")+
		". Get a token that grants it.").Now("scopes", missing)
}

// The scopes.
const (
	CatalogWrite   = "catalog:write"
	StockRead      = "stock:read"
	StockWrite     = "stock:write"
	OrdersWrite    = "orders:write"
	OrdersRead     = "orders:read"
	OrdersReadAll  = "orders:read:all" // every order of the shop, not only the caller's own
	OrdersRefund   = "orders:refund"   // refunds of any order of the shop
	OrdersResolve  = "orders:resolve"  // resolutions and cancellations of any order of the shop
	TokensCustomer = "tokens:customer" // at the token endpoint: tokens that act for a customer
)

// Scopes has the meaning of every scope, for clients.
var Scopes = map[string]string{
	CatalogWrite:   "create, change and delete products",
	StockRead:      "read stock levels",
	StockWrite:     "adjust stock levels",
	OrdersWrite:    "place orders, and cancel one's own",
	OrdersRead:     "read one's own orders",
	OrdersReadAll:  "read every order of the shop, and filter them by customer and day",
	OrdersRefund:   "refund any order of the shop",
	OrdersResolve:  "resolve and cancel any order of the shop",
	TokensCustomer: "get tokens that act for a customer, at POST /oauth/token",
}

// Verifier turns a bearer token into a Caller.
type Verifier interface {
	// Verify returns the caller of the token. It returns ErrNotAuthenticated for a token that is missing, unreadable,
	// expired, or not signed for this API by our issuer, and fault.Unavailable if the keys could not be read.
	Verify(ctx context.Context, token string) (Caller, error)
}

// The answers to a caller without the right token.
var (
	ErrNotAuthenticated = fault.New(fault.Unauthenticated, "not-authenticated",
		"The bearer token is missing, expired or invalid. Get one at POST /oauth/token.")
	ErrInsufficientScope = fault.New(fault.Forbidden, "insufficient-scope",
		"The token lacks a scope that this request needs. Get a token with that scope.")
)

type contextKey struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the caller that With put into the context; the zero Caller, which may do nothing, if there is none.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(contextKey{}).(Caller)
	return c
}
