package e2e

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func TestKeys_VerifyAToken(t *testing.T) {
	parallel(t, func(t conformance.T) {
		token, err := jwt.ParseSigned(system.Token(t, ""), []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(t, err)
		answer, err := system.API.GetKeysWithResponse(t.Context())
		require.NoError(t, err)
		require.Contains(t, answer.HTTPResponse.Header.Get("Cache-Control"), "public")
		var keys jose.JSONWebKeySet
		require.NoError(t, json.Unmarshal(answer.Body, &keys))
		found := keys.Key(token.Headers[0].KeyID)
		require.Len(t, found, 1, "%s", answer.Body)
		require.True(t, found[0].IsPublic())
		require.NoError(t, token.Claims(found[0], &jwt.Claims{}), "the signature holds")
	})
}
