package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"backroom/shared/fault"
)

var errSigningUnavailable = fault.New(fault.Unavailable, "signing-unavailable",
	"Tokens cannot be issued now. Try again after Retry-After.").After(time.Second)

// Signer has a private key on P-256.
type Signer interface {
	Public(ctx context.Context) (*ecdsa.PublicKey, error)
	// Sign returns the ECDSA signature of a SHA-256 digest, in ASN.1 DER.
	Sign(ctx context.Context, digest []byte) ([]byte, error)
}

// Board publishes keys to verifiers.
type Board interface {
	// Publish adds the key. It keeps the other keys, for the tokens that were signed with them.
	Publish(ctx context.Context, key jose.JSONWebKey) error
}

// Mint issues access tokens.
type Mint struct {
	Issuer, Audience string
	Lifetime         time.Duration
	Signer           Signer
	Board            Board
	Now              func() time.Time
	NewID            func() string // a token's jti: unique, not guessable

	mu        sync.Mutex
	published *jose.JSONWebKey
}

// Prepare publishes the signer's public key, once. If it failed, Issue tries again.
func (m *Mint) Prepare(ctx context.Context) error {
	_, err := m.key(ctx)
	return err
}

// Issue returns an access token for c. It publishes the key first. It returns fault.Unavailable if the key could not be
// published, or if signing failed.
func (m *Mint) Issue(ctx context.Context, c Caller) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	key, err := m.key(ctx)
	if err != nil {
		return "", errSigningUnavailable.Because(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: signing{ctx, m.Signer, key}},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return "", fmt.Errorf("identity: signer: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(m.claims(c)).Serialize()
	if err != nil {
		return "", errSigningUnavailable.Because(err)
	}
	return token, nil
}

func (m *Mint) claims(c Caller) claims {
	now := m.Now()
	return claims{
		Claims: jwt.Claims{
			Issuer: m.Issuer, Audience: jwt.Audience{m.Audience}, Subject: c.Subject, ID: m.NewID(),
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(m.Lifetime)),
		},
		Client: c.Client, Shop: c.Shop, Scope: strings.Join(c.Scopes, " "),
	}
}

// key returns the signer's public key after it was published.
func (m *Mint) key(ctx context.Context) (jose.JSONWebKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.published != nil {
		return *m.published, nil
	}
	public, err := m.Signer.Public(ctx)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key, err := PublicKey(public)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	if err := m.Board.Publish(ctx, key); err != nil {
		return jose.JSONWebKey{}, err
	}
	m.published = &key
	return key, nil
}

// signing adapts a Signer to jose. It lives for one signature, so it may hold the context of that call.
type signing struct {
	ctx    context.Context
	signer Signer
	key    jose.JSONWebKey
}

func (s signing) Public() *jose.JSONWebKey { return &s.key }

func (s signing) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{algorithm} }

func (s signing) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	digest := sha256.Sum256(payload)
	der, err := s.signer.Sign(s.ctx, digest[:])
	if err != nil {
		return nil, err
	}
	return concatenated(der)
}

// concatenated converts an ECDSA signature from ASN.1 to the 64 bytes r‖s of JWS (RFC 7518, section 3.4).
func concatenated(der []byte) ([]byte, error) {
	var signature struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &signature)
	switch {
	case err != nil:
		return nil, fmt.Errorf("identity: signature: %w", err)
	case len(rest) > 0, signature.R.Sign() <= 0, signature.S.Sign() <= 0, signature.R.BitLen() > 256,
		signature.S.BitLen() > 256:
		return nil, errors.New("identity: the signature is not one on P-256")
	}
	raw := make([]byte, 64)
	signature.R.FillBytes(raw[:32])
	signature.S.FillBytes(raw[32:])
	return raw, nil
}
