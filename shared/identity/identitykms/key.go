// Package identitykms signs access tokens with a key that never leaves AWS KMS.
package identitykms

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Key is a key of spec ECC_NIST_P256 and usage SIGN_VERIFY. It is an identity.Signer.
type Key struct {
	KMS *kms.Client
	ID  string // the key's ARN or id. An alias could later mean another key, while tokens still name this one
}

// Public returns the public key. An error is one of KMS, or says that the key is of another spec.
func (k Key) Public(ctx context.Context) (*ecdsa.PublicKey, error) {
	out, err := k.KMS.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &k.ID})
	if err != nil {
		return nil, fmt.Errorf("identitykms: public key of %s: %w", k.ID, err)
	}
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("identitykms: public key of %s: %w", k.ID, err)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("identitykms: %s is not of spec ECC_NIST_P256", k.ID)
	}
	return key, nil
}

// Sign returns the signature of a SHA-256 digest in ASN.1 DER.
func (k Key) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	out, err := k.KMS.Sign(ctx, &kms.SignInput{
		KeyId: &k.ID, Message: digest, MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return nil, fmt.Errorf("identitykms: sign with %s: %w", k.ID, err)
	}
	return out.Signature, nil
}
