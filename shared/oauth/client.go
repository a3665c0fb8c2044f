// Package oauth is the token endpoint (RFC 6749). It decides which client gets which access token.
package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/saga"
	"backroom/shared/secret/remember"
)

// Client is an application that may ask for tokens.
type Client struct {
	ID     string
	Shop   saga.Shop
	Scopes []string // the most that its tokens may grant
}

const (
	secretMaxAge   = 5 * time.Minute // how long a replaced secret is still accepted
	secretPatience = 5 * time.Second // minimum time between two reads that wrong secrets cause
)

var errClientsUnavailable = fault.New(fault.Unavailable, "clients-unavailable",
	"Clients cannot be authenticated now. Try again after Retry-After.").After(time.Second)

// Bootstrap is the first client of a deployment. It has every scope, so its secret gives access to the whole shop.
type Bootstrap struct {
	shop        saga.Shop
	credentials remember.Value[digests]
}

// NewBootstrap returns the client of shop. read decodes a JSON document with client_id and client_secret into value.
func NewBootstrap(shop saga.Shop, read func(ctx context.Context, value any) error, now func() time.Time) *Bootstrap {
	b := &Bootstrap{shop: shop}
	b.credentials.Read = func(ctx context.Context) (digests, error) {
		var document struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		if err := read(ctx, &document); err != nil {
			return digests{}, err
		}
		if document.ID == "" || document.Secret == "" {
			return digests{}, errors.New("oauth: the client's secret lacks client_id or client_secret")
		}
		return digest(document.ID, document.Secret), nil
	}
	b.credentials.Now, b.credentials.MaxAge, b.credentials.Patience = now, secretMaxAge, secretPatience
	return b
}

// Prepare reads the secret before the first request.
func (b *Bootstrap) Prepare(ctx context.Context) error {
	_, err := b.credentials.Get(ctx)
	return err
}

// Authenticate returns the client if id and secret match, as Clients promises. If they do not
// match, it reads the secret again, because it may have been replaced.
func (b *Bootstrap) Authenticate(ctx context.Context, id, secret string) (Client, error) {
	given := digest(id, secret)
	own, err := b.credentials.Get(ctx)
	if err == nil && !own.equal(given) {
		own, err = b.credentials.Doubt(ctx)
	}
	switch {
	case err != nil:
		return Client{}, errClientsUnavailable.Because(err)
	case !own.equal(given):
		return Client{}, ErrUnknownClient
	}
	return Client{ID: id, Shop: b.shop, Scopes: []string{
		identity.CatalogWrite, identity.StockRead, identity.StockWrite, identity.OrdersWrite, identity.OrdersRead,
		identity.OrdersReadAll, identity.OrdersRefund, identity.OrdersResolve, identity.TokensCustomer,
	}}, nil
}

// digests are the hashes of an id and a secret. Comparing them takes the same time for all values and lengths.
type digests struct{ id, secret [sha256.Size]byte }

func digest(id, secret string) digests {
	return digests{sha256.Sum256([]byte(id)), sha256.Sum256([]byte(secret))}
}

func (d digests) equal(other digests) bool {
	return subtle.ConstantTimeCompare(d.id[:], other.id[:])&subtle.ConstantTimeCompare(d.secret[:],
		other.secret[:]) == 1
}
