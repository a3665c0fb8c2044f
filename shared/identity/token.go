package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"backroom/shared/saga"
)

// An access token is a JWT of RFC 9068: signed with ES256, never encrypted, its header exactly alg, kid and typ.
const (
	algorithm = jose.ES256
	tokenType = "at+jwt"
)

// claims are the claims of an access token.
type claims struct {
	jwt.Claims
	Client string    `json:"client_id"`
	Shop   saga.Shop `json:"shop"`
	Scope  string    `json:"scope"` // separated by spaces
}

func (c claims) caller() Caller {
	return Caller{Shop: c.Shop, Subject: c.Subject, Client: c.Client, Scopes: strings.Fields(c.Scope)}
}

// check reports why c cannot be a caller. Every part of a key must be set, and a shop with a # in
// it could reach keys of another shop.
func (c Caller) check() error {
	switch {
	case c.Subject == "" || c.Client == "" || c.Shop == "":
		return errors.New("identity: a caller without sub, client_id or shop")
	case strings.Contains(string(c.Shop), "#"):
		return errors.New("identity: a shop with a # in its name")
	}
	return nil
}

// PublicKey returns key as a JSON Web Key. Its kid is the thumbprint of the key (RFC 7638), so that
// the same key has the same kid everywhere and no other key has it. It returns an error for a key
// that is not on P-256.
func PublicKey(key *ecdsa.PublicKey) (jose.JSONWebKey, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return jose.JSONWebKey{}, errors.New("identity: not a key on P-256")
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(algorithm), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("identity: thumbprint: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, nil
}
