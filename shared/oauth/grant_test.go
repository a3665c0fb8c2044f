package oauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/identity"
	"backroom/shared/oauth"
)

var (
	all = []string{"catalog:write", "stock:read", "stock:write", "orders:write", "orders:read", "orders:read:all",
		"orders:refund", "orders:resolve", "tokens:customer"}
	shop = oauth.Client{ID: "shop", Shop: "main", Scopes: all}
)

func TestGrant_ReturnsTheCaller(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		client  oauth.Client
		ask     oauth.TokenRequest
		subject string
		scopes  []string
	}{
		"everything it may, if it names nothing": {client: shop, subject: "client:shop", scopes: all},
		"just what it names": {client: shop,
			ask: oauth.TokenRequest{Scope: new("orders:read catalog:write")}, subject: "client:shop",
			scopes: []string{"orders:read", "catalog:write"}},
		"once, what it names twice": {client: shop,
			ask: oauth.TokenRequest{Scope: new("orders:read orders:read")}, subject: "client:shop",
			scopes: []string{"orders:read"}},
		"for a customer no more than orders": {client: shop, ask: oauth.TokenRequest{Customer: new("anna")},
			subject: "anna", scopes: []string{"orders:write", "orders:read"}},
		"for a customer less": {client: shop,
			ask: oauth.TokenRequest{Customer: new("anna"), Scope: new("orders:read")}, subject: "anna",
			scopes: []string{"orders:read"}},
		"for a customer no more than it may": {client: oauth.Client{ID: "kiosk", Shop: "main",
			Scopes: []string{"tokens:customer", "orders:write"}}, ask: oauth.TokenRequest{Customer: new("anna")},
			subject: "anna", scopes: []string{"orders:write"}},
		"for a customer with an unusual name": {client: shop, ask: oauth.TokenRequest{Customer: new("A.b_c-d.42")},
			subject: "A.b_c-d.42", scopes: []string{"orders:write", "orders:read"}},
		"for a customer with the longest name": {client: shop,
			ask: oauth.TokenRequest{Customer: new(strings.Repeat("x", 64))}, subject: strings.Repeat("x", 64),
			scopes: []string{"orders:write", "orders:read"}},
		"the same if it says again who it is": {client: shop,
			ask: oauth.TokenRequest{ClientID: "shop", Scope: new("orders:read")}, subject: "client:shop",
			scopes: []string{"orders:read"}},
		"for a customer who is called like it is": {client: shop, ask: oauth.TokenRequest{Customer: new("shop")},
			subject: "shop", scopes: []string{"orders:write", "orders:read"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ask.GrantType = "client_credentials"
			caller, err := oauth.Grant(c.client, c.ask)
			require.NoError(t, err)
			assert.Equal(t, identity.Caller{Shop: "main", Subject: c.subject, Client: c.client.ID, Scopes: c.scopes},
				caller)
		})
	}
}

func TestGrant_Refuses(t *testing.T) {
	t.Parallel()
	const cc = "client_credentials"
	for name, c := range map[string]struct {
		scopes []string // of the client; nil: all
		ask    oauth.TokenRequest
		code   string
	}{
		"a request without a grant type": {ask: oauth.TokenRequest{}, code: "invalid_request"},
		"another grant": {ask: oauth.TokenRequest{GrantType: "password"},
			code: "unsupported_grant_type"},
		"a grant type in another case": {ask: oauth.TokenRequest{GrantType: "Client_Credentials"},
			code: "unsupported_grant_type"},
		"a secret in the body, beside the header": {ask: oauth.TokenRequest{GrantType: cc, Secret: "s"},
			code: "invalid_request"},
		"another client's name": {ask: oauth.TokenRequest{GrantType: cc, ClientID: "other"},
			code: "invalid_request"},
		"a scope that nobody knows": {ask: oauth.TokenRequest{GrantType: cc, Scope: new("everything")},
			code: "invalid_scope"},
		"a scope in another case": {ask: oauth.TokenRequest{GrantType: cc, Scope: new("Orders:Read")},
			code: "invalid_scope"},
		"a good scope and one that is not its": {scopes: []string{"orders:read"},
			ask: oauth.TokenRequest{GrantType: cc, Scope: new("orders:read orders:write")}, code: "invalid_scope"},
		"scopes that begin with a space": {ask: oauth.TokenRequest{GrantType: cc, Scope: new(" orders:read")},
			code: "invalid_scope"},
		"scopes separated by tabs": {ask: oauth.TokenRequest{GrantType: cc,
			Scope: new("orders:read\torders:write")}, code: "invalid_scope"},
		"nothing but a space": {ask: oauth.TokenRequest{GrantType: cc, Scope: new(" ")},
			code: "invalid_scope"},
		"a client without scopes": {scopes: []string{}, ask: oauth.TokenRequest{GrantType: cc},
			code: "invalid_scope"},
		"a customer, for a client that may not": {scopes: []string{"orders:write", "orders:read"},
			ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna")}, code: "unauthorized_client"},
		"a customer who could do nothing": {scopes: []string{"tokens:customer"},
			ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna")}, code: "invalid_scope"},
		"more than a customer may": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna"),
			Scope: new("orders:read:all")}, code: "invalid_scope"},
		"tokens for customers to a customer": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna"),
			Scope: new("tokens:customer")}, code: "invalid_scope"},
		"a customer with a client's name": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("client:shop")},
			code: "invalid_request"},
		"a customer who reaches into keys": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna#1")},
			code: "invalid_request"},
		"a customer's name with a line end": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("anna\n")},
			code: "invalid_request"},
		"a customer's name in another script": {ask: oauth.TokenRequest{GrantType: cc, Customer: new("аnna")},
			code: "invalid_request"},
		"a customer's name that is too long": {ask: oauth.TokenRequest{GrantType: cc,
			Customer: new(strings.Repeat("x", 65))}, code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := shop
			if c.scopes != nil {
				client.Scopes = c.scopes
			}
			caller, err := oauth.Grant(client, c.ask)
			var refusal *oauth.Refusal
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, c.code, refusal.Code)
			assert.Zero(t, caller)
		})
	}
}
