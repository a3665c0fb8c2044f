// Package jwks publishes the public keys that verify access tokens.
package jwks

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"

	"backroom/shared/api"
	"backroom/shared/identity"
)

// KeysHandler answers with the keys as a JSON Web Key Set (RFC 7517).
type KeysHandler struct {
	Keys identity.Keys
}

type keysOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         JSONWebKeySet
}

// JSONWebKeySet is a JSON Web Key Set.
type JSONWebKeySet struct {
	Keys []JSONWebKey `json:"keys" doc:"all keys that a valid token may be signed with"`
}

// JSONWebKey is a public key on P-256. It has no member for a private key (RFC 7518, section 6.2.1).
type JSONWebKey struct {
	Type      string `json:"kty" enum:"EC" doc:"EC: an elliptic curve (RFC 7518, section 6.2)"`
	Curve     string `json:"crv" enum:"P-256" doc:"P-256: the curve of the key"`
	X         string `json:"x" doc:"a coordinate, in base64url"`
	Y         string `json:"y" doc:"a coordinate, in base64url"`
	ID        string `json:"kid" doc:"the kid in the header of a token; the thumbprint of the key (RFC 7638)"`
	Use       string `json:"use" enum:"sig" doc:"sig: for signatures (RFC 7517, section 4.2)"`
	Algorithm string `json:"alg" enum:"ES256" doc:"ES256: ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4)"`
}

// Operation returns GET /.well-known/jwks.json.
func (h KeysHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-keys", Method: http.MethodGet, Path: "/.well-known/jwks.json", Tags: []string{"operation"},
		Summary: "Read the public keys",
		Description: "The keys that verify access tokens. If you do not know the kid of a token, read the keys " +
			"again: it may be new.",
		Access: api.Public,
	}, h.serve)
}

func (h KeysHandler) serve(ctx context.Context, _ *struct{}) (*keysOutput, error) {
	published, err := h.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := &keysOutput{CacheControl: "public, max-age=300", Body: JSONWebKeySet{Keys: []JSONWebKey{}}}
	for id, public := range identity.Usable(published) {
		point, err := public.Bytes() // 4, x, y: SEC 1, section 2.3.3
		if err != nil {
			return nil, fmt.Errorf("jwks: key %s: %w", id, err)
		}
		out.Body.Keys = append(out.Body.Keys, JSONWebKey{
			Type: "EC", Curve: "P-256", ID: id, Use: "sig", Algorithm: "ES256",
			X: base64.RawURLEncoding.EncodeToString(point[1:33]), Y: base64.RawURLEncoding.EncodeToString(point[33:]),
		})
	}
	slices.SortFunc(out.Body.Keys, func(a, b JSONWebKey) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}
