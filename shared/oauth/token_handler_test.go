package oauth_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/identity/identitytest"
	"backroom/shared/oauth"
)

// oddClients has one client, whose id and secret need encoding.
type oddClients struct{ err error }

const oddID, oddSecret = "shöp:1", "a b+c%/?&=:ü"

func (c oddClients) Authenticate(_ context.Context, id, secret string) (oauth.Client, error) {
	switch {
	case c.err != nil:
		return oauth.Client{}, c.err
	case id == oddID && secret == oddSecret:
		return oauth.Client{ID: "odd", Shop: "main", Scopes: []string{"orders:read"}}, nil
	case id != "shop" || secret != "s3cret":
		return oauth.Client{}, oauth.ErrUnknownClient
	}
	return shop, nil
}

// endpoint returns the token endpoint and a verifier of its tokens.
func endpoint(t *testing.T, clients oauth.Clients, board *identitytest.Board) (http.Handler, identity.Verifier) {
	t.Helper()
	mint := &identity.Mint{
		Issuer: "https://backroom.example", Audience: "backroom-api", Lifetime: 15 * time.Minute,
		Signer: identitytest.NewSigner(t), Board: board, Now: time.Now, NewID: rand.Text,
	}
	verifier := identity.NewVerifier(mint.Issuer, mint.Audience, board.Keys, time.Now)
	return oauth.TokenHandler{Clients: clients, Mint: mint}.Operation(), verifier
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func post(h http.Handler, authorization, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTokenHandler_IssuesAToken(t *testing.T) {
	t.Parallel()
	h, verifier := endpoint(t, oddClients{}, &identitytest.Board{})
	for name, c := range map[string]struct {
		authorization, body string
		caller              identity.Caller
	}{
		"with everything it may": {
			basic("shop", "s3cret"), "grant_type=client_credentials",
			identity.Caller{Shop: "main", Subject: "client:shop", Client: "shop", Scopes: all},
		},
		"whatever is in a field of another spelling": {
			basic("shop", "s3cret"), "grant_type=client_credentials&customer=anna-42&Customer=bob&SCOPE=orders:read",
			identity.Caller{Shop: "main", Subject: "anna-42", Client: "shop",
				Scopes: []string{"orders:write", "orders:read"}},
		},
		"for a customer": {
			basic("shop", "s3cret"),
			"grant_type=client_credentials&customer=anna-42&scope=orders%3Aread+orders%3Awrite",
			identity.Caller{Shop: "main", Subject: "anna-42", Client: "shop",
				Scopes: []string{"orders:read", "orders:write"}},
		},
		"if its id and secret had to be encoded": {
			basic(oddID, oddSecret), "grant_type=client_credentials",
			identity.Caller{Shop: "main", Subject: "client:odd", Client: "odd", Scopes: []string{"orders:read"}},
		},
		"whatever the case of the scheme": {
			"bAsIc" + strings.TrimPrefix(basic("shop", "s3cret"), "Basic"),
			"grant_type=client_credentials&scope=orders:read",
			identity.Caller{Shop: "main", Subject: "client:shop", Client: "shop", Scopes: []string{"orders:read"}},
		},
		"whatever else is in the form": {
			basic("shop", "s3cret"), "grant_type=client_credentials&scope=orders:read&resource=x&client_id=shop",
			identity.Caller{Shop: "main", Subject: "client:shop", Client: "shop", Scopes: []string{"orders:read"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(h, c.authorization, c.body)
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			assert.Equal(t, "no-cache", w.Header().Get("Pragma"))
			assert.Empty(t, w.Header().Get("WWW-Authenticate"))
			var answer map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			token, _ := answer["access_token"].(string)
			delete(answer, "access_token")
			assert.Equal(t, map[string]any{
				"token_type": "Bearer", "expires_in": 900.0, "scope": strings.Join(c.caller.Scopes, " "),
			}, answer)
			caller, err := verifier.Verify(t.Context(), token)
			require.NoError(t, err)
			assert.Equal(t, c.caller, caller)
		})
	}
}

func TestTokenHandler_RefusesAsRFC6749Requires(t *testing.T) {
	t.Parallel()
	h, _ := endpoint(t, oddClients{}, &identitytest.Board{})
	const cc = "grant_type=client_credentials"
	plain := func(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }
	for name, c := range map[string]struct {
		authorization, body string
		status              int
		code                string
	}{
		"no authentication": {"", cc, 401, "invalid_client"},
		"an empty customer": {basic("shop", "s3cret"), cc + "&customer=", 400, "invalid_request"},
		"an empty scope":    {basic("shop", "s3cret"), cc + "&scope=", 400, "invalid_scope"},
		"an empty scope of a customer": {basic("shop", "s3cret"), cc + "&customer=anna&scope=", 400,
			"invalid_scope"},
		"a grant type in another spelling": {basic("shop", "s3cret"), "Grant_Type=client_credentials", 400,
			"invalid_request"},
		"authentication in the body only": {"", cc + "&client_id=shop&client_secret=s3cret", 401, "invalid_client"},
		"a wrong secret":                  {basic("shop", "guess"), cc, 401, "invalid_client"},
		"an unknown client":               {basic("nobody", "s3cret"), cc, 401, "invalid_client"},
		"a bearer token":                  {"Bearer abc", cc, 401, "invalid_client"},
		"a scheme and nothing else":       {"Basic", cc, 401, "invalid_client"},
		"no colon":                        {plain("shops3cret"), cc, 401, "invalid_client"},
		"no base64":                       {"Basic %%%", cc, 401, "invalid_client"},
		"an invalid escape":               {plain("shop:s3cret%zz"), cc, 401, "invalid_client"},
		"an id with an invalid escape":    {plain("%zz:s3cret"), cc, 401, "invalid_client"},
		"bytes that are not UTF-8":        {plain("\xff\xfe:\xff"), cc, 401, "invalid_client"},
		"no grant type":                   {basic("shop", "s3cret"), "scope=orders:read", 400, "invalid_request"},
		"another grant": {basic("shop", "s3cret"), "grant_type=refresh_token", 400,
			"unsupported_grant_type"},
		"a scope too many": {basic("shop", "s3cret"), cc + "&scope=orders:read+root", 400,
			"invalid_scope"},
		"a customer who cannot be one": {basic("shop", "s3cret"), cc + "&customer=a%23b", 400, "invalid_request"},
		"a client without customers":   {basic(oddID, oddSecret), cc + "&customer=anna", 400, "unauthorized_client"},
		"two ways to authenticate": {basic("shop", "s3cret"), cc + "&client_secret=s3cret", 400,
			"invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(h, c.authorization, c.body)
			require.Equal(t, c.status, w.Code, w.Body)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			var answer oauth.TokenError
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			assert.Equal(t, c.code, answer.OAuthError)
			assert.NotEmpty(t, answer.Description)
			assert.Equal(t, answer.Detail, answer.Description)
			assert.Equal(t, map[bool]string{true: "unknown-client", false: "token-refused"}[c.status == 401],
				answer.Code)
			assert.Equal(t, c.status, answer.Status)
			challenge := w.Header().Get("WWW-Authenticate")
			assert.Equal(t, c.status == 401, strings.HasPrefix(challenge, "Basic realm="), challenge)
		})
	}
}

func TestTokenHandler_WrongSecretLooksLikeAnUnknownClient(t *testing.T) {
	t.Parallel()
	h, _ := endpoint(t, oddClients{}, &identitytest.Board{})
	wrong := post(h, basic("shop", "guess"), "grant_type=client_credentials")
	unknown := post(h, basic("nobody", "guess"), "grant_type=client_credentials")
	assert.Equal(t, withoutRequestID(wrong), withoutRequestID(unknown))
	wrong.Header().Del("X-Request-Id")
	unknown.Header().Del("X-Request-Id")
	assert.Equal(t, wrong.Header(), unknown.Header())
}

func withoutRequestID(w *httptest.ResponseRecorder) string {
	return strings.ReplaceAll(w.Body.String(), w.Header().Get("X-Request-Id"), "")
}

func TestTokenHandler_OtherErrorsHaveTheSameForm(t *testing.T) {
	t.Parallel()
	request := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", basic("shop", "s3cret"))
		if change != nil {
			change(r)
		}
		return r
	}
	body := func(form string) func(*http.Request) {
		return func(r *http.Request) { *r = *replaced(r, form) }
	}
	away := fault.New(fault.Unavailable, "away", "Away.")
	for name, c := range map[string]struct {
		request *http.Request
		clients oddClients
		board   error
		status  int
		code    string // empty: invalid_request
	}{
		"clients that cannot be read": {request: request(nil), clients: oddClients{err: away}, status: 503,
			code: "temporarily_unavailable"},
		"a bug": {request: request(nil), clients: oddClients{err: errors.New("nil map")},
			status: 500, code: "server_error"},
		"a key that is not published": {request: request(nil), board: errors.New("timeout"), status: 503,
			code: "temporarily_unavailable"},
		"JSON": {request: request(
			func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), status: 415},
		"another method": {request: request(func(r *http.Request) { r.Method = http.MethodGet }),
			status: 405},
		"no body":           {request: request(body("")), status: 400},
		"an invalid escape": {request: request(body("grant_type=%zz")), status: 400},
		"a field twice": {request: request(
			body("grant_type=client_credentials&grant_type=client_credentials")), status: 422},
		"a form that is too large": {request: request(
			body("grant_type=client_credentials&scope=" + strings.Repeat("x", 64<<10))), status: 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := endpoint(t, c.clients, &identitytest.Board{Away: c.board})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, c.request)
			assert.Equal(t, c.status, w.Code, w.Body)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			var answer oauth.TokenError
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			assert.Equal(t, cmp.Or(c.code, "invalid_request"), answer.OAuthError)
			assert.NotContains(t, w.Body.String(), "timeout")
		})
	}
}

func replaced(r *http.Request, form string) *http.Request {
	n := httptest.NewRequest(r.Method, "/oauth/token", strings.NewReader(form))
	n.Header = r.Header
	return n
}
