package identitykms_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/identity/identitykms"
)

func TestKey_SignatureVerifiesWithItsPublicKey(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	key := identitykms.Key{KMS: kms.NewFromConfig(cloud.Runtime().AWS),
		ID: cloud.Environment("issue-token")["SIGNING_KEY"]}
	public, err := key.Public(t.Context())
	require.NoError(t, err)
	digest := sha256.Sum256([]byte("what is signed"))
	signature, err := key.Sign(t.Context(), digest[:])
	require.NoError(t, err)
	assert.True(t, ecdsa.VerifyASN1(public, digest[:], signature))
	other := sha256.Sum256([]byte("something else"))
	assert.False(t, ecdsa.VerifyASN1(public, other[:], signature))
}

func TestKey_RefusesOtherKeySpecs(t *testing.T) {
	t.Parallel()
	client := kms.NewFromConfig(cloudtest.New(t).Runtime().AWS)
	rsa,
		err := client.CreateKey(t.Context(),
		&kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	require.NoError(t, err)
	_, err = identitykms.Key{KMS: client, ID: *rsa.KeyMetadata.Arn}.Public(t.Context())
	assert.ErrorContains(t, err, "not of spec ECC_NIST_P256")
	for name, id := range map[string]string{
		"an RSA key":      *rsa.KeyMetadata.Arn,
		"a key not there": "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := identitykms.Key{KMS: client, ID: id}.Public(t.Context())
			assert.ErrorContains(t, err, id)
			_, err = identitykms.Key{KMS: client, ID: id}.Sign(t.Context(), make([]byte, 32))
			assert.ErrorContains(t, err, id)
		})
	}
}
