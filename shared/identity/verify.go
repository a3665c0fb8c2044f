package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"backroom/shared/fault"
	"backroom/shared/secret/remember"
)

const (
	maxToken     = 8 << 10         // bytes; longer tokens are refused unread
	leeway       = time.Minute     // allowed difference between clocks
	keysMaxAge   = 5 * time.Minute // how long a withdrawn key is still accepted
	keysPatience = time.Second     // minimum time between two reads that unknown kids cause
)

var errKeysUnavailable = fault.New(fault.Unavailable, "keys-unavailable",
	"Tokens cannot be verified now. Try again after Retry-After.").After(time.Second)

// Keys reads the public keys that verify tokens.
type Keys func(context.Context) ([]jose.JSONWebKey, error)

// TokenVerifier verifies the access tokens that a Mint issues. It trusts only the keys that Keys
// returns, and no key that a token brings along.
type TokenVerifier struct {
	issuer, audience string
	now              func() time.Time
	keys             remember.Value[map[string]*ecdsa.PublicKey]
}

// NewVerifier returns a verifier of the tokens of issuer for audience.
func NewVerifier(issuer, audience string, keys Keys, now func() time.Time) *TokenVerifier {
	v := &TokenVerifier{issuer: issuer, audience: audience, now: now}
	v.keys.Read = func(ctx context.Context) (map[string]*ecdsa.PublicKey, error) { return byID(ctx, keys) }
	v.keys.Now, v.keys.MaxAge, v.keys.Patience = now, keysMaxAge, keysPatience
	return v
}

// Prepare reads the keys before the first request.
func (v *TokenVerifier) Prepare(ctx context.Context) error {
	_, err := v.keys.Get(ctx)
	return err
}

// Verify implements Verifier.
func (v *TokenVerifier) Verify(ctx context.Context, token string) (Caller, error) {
	c, err := v.verify(ctx, token)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, errKeysUnavailable):
		return Caller{}, err
	}
	return Caller{}, ErrNotAuthenticated.Because(err)
}

func (v *TokenVerifier) verify(ctx context.Context, token string) (Caller, error) {
	kid, err := readHeader(token)
	if err != nil {
		return Caller{}, err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return Caller{}, fmt.Errorf("identity: parse: %w", err)
	}
	key, err := v.key(ctx, kid)
	if err != nil {
		return Caller{}, err
	}
	var said claims
	if err := parsed.Claims(key, &said); err != nil { // checks the signature first
		return Caller{}, fmt.Errorf("identity: signature or claims: %w", err)
	}
	if err := v.accept(said); err != nil {
		return Caller{}, err
	}
	return said.caller(), said.caller().check()
}

// readHeader returns the kid of a token whose header is exactly what a Mint writes. It refuses
// other members, such as keys, certificates, URLs and extensions, before anything parses them.
func readHeader(token string) (kid string, err error) {
	if len(token) > maxToken {
		return "", fmt.Errorf("identity: a token of %d bytes", len(token))
	}
	encoded, _, _ := strings.Cut(token, ".")
	document, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("identity: header: %w", err)
	}
	var header map[string]string
	if json.Unmarshal(document, &header) != nil {
		return "", errors.New("identity: the header is not an object of strings")
	}
	if header["alg"] != string(algorithm) || header["typ"] != tokenType || header["kid"] == "" || len(header) != 3 {
		return "", errors.New("identity: the header differs from that of our access tokens")
	}
	return header["kid"], nil
}

// key returns the key with the kid. For an unknown kid it reads the keys again, because the key may be new.
func (v *TokenVerifier) key(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	known, err := v.keys.Get(ctx)
	if err == nil && known[kid] == nil {
		known, err = v.keys.Doubt(ctx)
	}
	switch {
	case err != nil:
		return nil, errKeysUnavailable.Because(err)
	case known[kid] == nil:
		return nil, errors.New("identity: the token's key is unknown")
	}
	return known[kid], nil
}

// accept checks issuer, audience and times of the token.
func (v *TokenVerifier) accept(said claims) error {
	switch {
	case v.issuer == "" || v.audience == "":
		return errors.New("identity: a verifier without issuer or audience accepts nothing")
	case said.Expiry == nil:
		return errors.New("identity: the token never expires")
	}
	return said.ValidateWithLeeway(jwt.Expected{Issuer: v.issuer, AnyAudience: jwt.Audience{v.audience}, Time: v.now()},
		leeway)
}

// byID reads the usable keys, by their kid.
func byID(ctx context.Context, keys Keys) (map[string]*ecdsa.PublicKey, error) {
	list, err := keys(ctx)
	if err != nil {
		return nil, err
	}
	return Usable(list), nil
}

// Usable returns the keys that can verify tokens, by their kid. A key of another kind is left out:
// it is neither trusted nor published, and does not make the others fail.
func Usable(list []jose.JSONWebKey) map[string]*ecdsa.PublicKey {
	usable := make(map[string]*ecdsa.PublicKey, len(list))
	for _, jwk := range list {
		if key, ok := jwk.Key.(*ecdsa.PublicKey); ok && key.Curve == elliptic.P256() {
			usable[jwk.KeyID] = key
		}
	}
	return usable
}
