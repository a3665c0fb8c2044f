package jwks_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/identity"
	"backroom/shared/oauth/jwks"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

func key(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return k
}

func public(t *testing.T) jose.JSONWebKey {
	t.Helper()
	jwk, err := identity.PublicKey(&key(t, elliptic.P256()).PublicKey)
	require.NoError(t, err)
	return jwk
}

func ask(keys identity.Keys) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	jwks.KeysHandler{Keys: keys}.Operation().ServeHTTP(w,
		httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))
	return w
}

func TestKeysHandler_PublishesOnlyPublicKeys(t *testing.T) {
	t.Parallel()
	one, two := public(t), public(t)
	answer := ask(func(context.Context) ([]jose.JSONWebKey, error) {
		return []jose.JSONWebKey{
			one, two,
			{Key: key(t, elliptic.P256()), KeyID: "private", Algorithm: "ES256", Use: "sig"},
			{Key: &key(t, elliptic.P384()).PublicKey, KeyID: "another curve"},
			{Key: []byte("symmetric"), KeyID: "symmetric"},
		}, nil
	})
	require.Equal(t, 200, answer.Code, answer.Body)
	assert.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	assert.Equal(t, "public, max-age=300", answer.Header().Get("Cache-Control"))

	want := []jose.JSONWebKey{one, two}
	slices.SortFunc(want, func(a, b jose.JSONWebKey) int { return cmp.Compare(a.KeyID, b.KeyID) })
	published, err := json.Marshal(jose.JSONWebKeySet{Keys: want})
	require.NoError(t, err)
	assert.JSONEq(t, string(published), answer.Body.String())
	var document struct {
		Keys []map[string]string `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &document))
	for _, k := range document.Keys {
		assert.Len(t, k, 7)
		assert.NotContains(t, k, "d")
		assert.Equal(t, []string{"EC", "P-256", "sig", "ES256"}, []string{k["kty"], k["crv"], k["use"], k["alg"]})
	}
}

func TestKeysHandler_ListIsEmptyBeforeTheFirstToken(t *testing.T) {
	t.Parallel()
	answer := ask(func(context.Context) ([]jose.JSONWebKey, error) { return nil, nil })
	assert.Equal(t, 200, answer.Code)
	assert.JSONEq(t, `{"keys": []}`, answer.Body.String())
}

func TestKeysHandler_UnreadableKeysAreAnError(t *testing.T) {
	t.Parallel()
	answer := ask(func(context.Context) ([]jose.JSONWebKey, error) { return nil, errors.New("timeout") })
	assert.Equal(t, 500, answer.Code)
	assert.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
	assert.NotContains(t, answer.Body.String(), "timeout")
}
