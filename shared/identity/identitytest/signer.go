// Package identitytest has a Signer and a Board for tests of tokens.
package identitytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Signer is an identity.Signer with an exported private key.
type Signer struct{ Private *ecdsa.PrivateKey }

// NewSigner returns a signer with a new key.
func NewSigner(t testing.TB) Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("generate a key: %v", err)
	}
	return Signer{key}
}

// Public returns the public key.
func (s Signer) Public(context.Context) (*ecdsa.PublicKey, error) { return &s.Private.PublicKey, nil }

// Sign returns the signature in ASN.1 DER.
func (s Signer) Sign(_ context.Context, digest []byte) ([]byte, error) {
	return ecdsa.SignASN1(rand.Reader, s.Private, digest)
}

// Board is an identity.Board in memory. Away is the error that it returns; nil: it works.
type Board struct {
	Away error

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	reads int
}

// Publish adds the key.
func (b *Board) Publish(_ context.Context, key jose.JSONWebKey) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Away == nil {
		b.keys = append(b.keys, key)
	}
	return b.Away
}

// Withdraw removes all keys.
func (b *Board) Withdraw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys = nil
}

// Keys returns the keys. Reads counts the calls.
func (b *Board) Keys(context.Context) ([]jose.JSONWebKey, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	return b.keys, b.Away
}

// Reads returns how often Keys was called.
func (b *Board) Reads() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reads
}
