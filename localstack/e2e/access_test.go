package e2e

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/localstack/contract"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

func TestGetOrder_HidesOrdersOfOtherCustomers(t *testing.T) {
	parallel(t, func(t conformance.T) {
		ada, grace, sku := system.New("ada"), system.New("grace"), system.Product(t, 100, 1)
		id := system.Place(t, ada, Basket(sku)).ID
		read := func(buyer, id string) shop.Answer {
			return system.Send(t,
				shop.Call{Method: http.MethodGet, Path: "/orders/" + id, Token: system.Token(t, buyer)})
		}
		anothers := Refused(t, read(grace, id), http.StatusNotFound, "unknown-order")
		absent := Refused(t, read(grace, "ord_"+strings.Repeat("a", 32)), http.StatusNotFound, "unknown-order")
		require.NotEqual(t, anothers.RequestID, absent.RequestID)
		anothers.RequestID = absent.RequestID
		require.Equal(t, absent, anothers)

		require.Equal(t, http.StatusOK, read(ada, id).Status)
		require.Equal(t, http.StatusOK, read("", id).Status, "staff see every order")
	})
}

func TestAccess_NeedsATokenWithTheScope(t *testing.T) {
	promised, err := contract.Promised()
	require.NoError(t, err)
	guarded, err := promised.Guarded()
	require.NoError(t, err)
	require.NotEmpty(t, guarded)
	for _, g := range guarded {
		route := shop.Call{Method: g.Method, Path: g.Path, Header: g.Header}
		if g.Body != "" {
			route.Body = g.Body
		}
		t.Run(g.Operation, func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				good := system.Token(t, system.New("ada"))
				for what, token := range map[string]string{
					"garbage": "garbage",
					"signed by nobody": withHeader(t, good,
						map[string]string{"alg": "none", "typ": "at+jwt", "kid": "none"}, ""),
					"of a key it brings along": withHeader(t, good,
						map[string]string{"alg": "ES256", "typ": "at+jwt", "kid": "mine",
							"jku": "https://example.org/keys"}, ""),
					"for more than was granted": forged(t, good),
				} {
					route.Token = token
					answer := system.Send(t, route)
					Refused(t, answer, http.StatusUnauthorized, "not-authenticated")
					require.Equal(t, `Bearer realm="backroom", error="invalid_token"`, challenge(answer),
						"a token that is %s", what)
				}

				route.Token = ""
				answer := system.Send(t, route)
				Refused(t, answer, http.StatusUnauthorized, "not-authenticated")
				require.Equal(t, `Bearer realm="backroom"`, challenge(answer))

				other := "orders:write"
				if slices.Contains(g.Scopes, other) {
					other = "orders:read"
				}
				route.Token = system.Token(t, "", other)
				answer = system.Send(t, route)
				Refused(t, answer, http.StatusForbidden, "insufficient-scope")
				require.Equal(t, `Bearer realm="backroom", error="insufficient_scope", scope="`+
					strings.Join(g.Scopes, " ")+`"`, challenge(answer))
			})
		})
	}
}

// challenge returns the header WWW-Authenticate, which AWS's gateway renames.
func challenge(answer shop.Answer) string {
	return cmp.Or(answer.Header.Get("WWW-Authenticate"), answer.Header.Get("X-Amzn-Remapped-Www-Authenticate"))
}

// forged returns the token with more scopes, under the same signature.
func forged(t conformance.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	document, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(document, &claims))
	claims["scope"] = "catalog:write stock:write stock:read orders:write orders:read orders:read:all orders:refund " +
		"orders:resolve"
	document, err = json.Marshal(claims)
	require.NoError(t, err)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(document) + "." + parts[2]
}

// withHeader returns the token with another header and signature.
func withHeader(t conformance.T, token string, header map[string]string, signature string) string {
	t.Helper()
	document, err := json.Marshal(header)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(document) + "." + strings.Split(token, ".")[1] + "." + signature
}

func TestToken_IsForKnownClientsWithTheirScopesOnly(t *testing.T) {
	parallel(t, func(t conformance.T) {
		id, secret := system.Client()
		ask := func(id, secret, form string) (answer shop.Answer, said struct {
			client.Token
			Error string `json:"error"`
		}) {
			answer = system.Send(t,
				shop.Call{Method: http.MethodPost, Path: "/oauth/token", Body: form, Header: map[string]string{
					"Content-Type":  "application/x-www-form-urlencoded",
					"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret)),
				}})
			require.NoError(t, json.Unmarshal(answer.Body, &said), "%s", answer.Body)
			require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
			return answer, said
		}
		answer, said := ask(id, "wrong", "grant_type=client_credentials")
		require.Equal(t, http.StatusUnauthorized, answer.Status)
		require.Equal(t, "invalid_client", said.Error)
		require.Contains(t, challenge(answer), "Basic")

		answer, said = ask(id, secret, "grant_type=password")
		require.Equal(t, http.StatusBadRequest, answer.Status)
		require.Equal(t, "unsupported_grant_type", said.Error)

		answer, said = ask(id, secret, "grant_type=client_credentials&customer=ada&scope=catalog:write")
		require.Equal(t, http.StatusBadRequest, answer.Status)
		require.Equal(t, "invalid_scope", said.Error)

		answer, said = ask(id, secret, "grant_type=client_credentials&customer=ada")
		require.Equal(t, http.StatusOK, answer.Status)
		require.ElementsMatch(t, []string{"orders:write", "orders:read"}, strings.Fields(said.Scope),
			"what a customer may do")
	})
}
