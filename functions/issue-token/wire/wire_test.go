package wire_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/issue-token/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitydb"
	"backroom/shared/saga"
)

func TestIssueToken_AnswersTheSampleEvents(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	environment := cloud.Environment("issue-token")
	store := identitydb.Store{DB: cloud.Runtime().DynamoDB(), Table: cloud.Table("Access")}
	verifier := identity.NewVerifier(environment["ISSUER"], environment["AUDIENCE"], store.Keys, cloud.Clock.Now)
	shop := saga.Shop(environment["SHOP"])

	for file, c := range map[string]struct {
		status int
		caller identity.Caller
		code   string
	}{
		"issue-token.json": {status: 200,
			caller: identity.Caller{Shop: shop, Subject: "client:bootstrap", Client: "bootstrap", Scopes: []string{
				"catalog:write", "stock:read", "stock:write", "orders:write", "orders:read", "orders:read:all",
				"orders:refund", "orders:resolve", "tokens:customer",
			}}},
		"issue-token.for-customer.json": {status: 200, caller: identity.Caller{
			Shop: shop, Subject: "anna", Client: "bootstrap", Scopes: []string{"orders:write", "orders:read"},
		}},
		"issue-token.wrong-secret.json":   {status: 401, code: "invalid_client"},
		"issue-token.scope-too-wide.json": {status: 400, code: "invalid_scope"},
	} {
		t.Run(file, func(t *testing.T) {
			got := cloud.Request(function.Serving(wire.New), "issue-token", file)
			require.Equal(t, c.status, got.Status, got.Body)
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			assert.Equal(t, c.status == http.StatusUnauthorized, got.Header.Get("WWW-Authenticate") != "")
			var answer struct {
				Token string `json:"access_token"`
				Error string `json:"error"`
			}
			require.NoError(t, json.Unmarshal([]byte(got.Body), &answer))
			assert.Equal(t, c.code, answer.Error)
			if c.code != "" {
				return
			}
			caller, err := verifier.Verify(t.Context(), answer.Token)
			require.NoError(t, err)
			assert.Equal(t, c.caller, caller)
		})
	}
	keys, err := store.Keys(t.Context())
	require.NoError(t, err)
	assert.Len(t, keys, 1, "each cold start publishes the key, and it is there once")
	log := cloud.Log.String()
	for _, hidden := range []string{cloudtest.SampleSecret, "guessed", "eyJ", "anna"} {
		assert.NotContains(t, log, hidden, "the log")
	}
}

func TestIssueToken_RequiresEverySetting(t *testing.T) {
	t.Parallel()
	_, err := function.Serving(wire.New)(function.Environment(nil), map[string]string{"ISSUER": ""})
	for _, name := range []string{
		"ACCESS_TABLE", "ISSUER", "AUDIENCE", "SHOP", "SIGNING_KEY", "CLIENT_SECRET_ARN", "TOKEN_TTL",
	} {
		assert.ErrorContains(t, err, name)
	}
}
