package secrets_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/secrets"
	"backroom/localstack/cloudsim/wire"
)

// stack is a simulated Service behind the SDK's HTTP client.
type stack struct {
	service *secrets.Service
	now     time.Time
	last    []byte // the body of the last answer
}

func newStack() *stack {
	s := &stack{now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}
	s.service = secrets.New(
		secrets.Settings{Region: "eu-central-1", Account: "123456789012", Now: func() time.Time { return s.now }})
	return s
}

// Do answers a request of the SDK.
func (s *stack) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	answer, err := s.service.Do(r.Header.Get("X-Amz-Target"), body)
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		status, answer = refusal.Status, refusal.Document()
	} else if err != nil {
		return nil, err
	}
	s.last = answer
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(bytes.NewReader(answer))}, nil
}

func (s *stack) config() aws.Config {
	return aws.Config{Region: "eu-central-1", HTTPClient: s, Credentials: aws.AnonymousCredentials{},
		RetryMaxAttempts: 1}
}

func (s *stack) kms() *kms.Client                { return kms.NewFromConfig(s.config()) }
func (s *stack) secrets() *secretsmanager.Client { return secretsmanager.NewFromConfig(s.config()) }

// key creates a key as the template does, and returns its ARN.
func (s *stack) key(t *testing.T, spec kmstypes.KeySpec) string {
	t.Helper()
	out,
		err := s.kms().CreateKey(t.Context(),
		&kms.CreateKeyInput{Description: aws.String("signs"), KeySpec: spec, KeyUsage: kmstypes.KeyUsageTypeSignVerify})
	require.NoError(t, err)
	return *out.KeyMetadata.Arn
}

// refused asserts the name that the service's model has for an error.
func refused(t *testing.T, name string, err error) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, name, refusal.ErrorCode(), "%v", err)
	require.NotEmpty(t, refusal.ErrorMessage())
}

// public returns a key's public key.
func (s *stack) public(t *testing.T, arn string) any {
	t.Helper()
	out, err := s.kms().GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &arn})
	require.NoError(t, err)
	key, err := x509.ParsePKIXPublicKey(out.PublicKey)
	require.NoError(t, err)
	return key
}

func TestSign_PublicKeyVerifiesTheSignature(t *testing.T) {
	s := newStack()
	arn := s.key(t, kmstypes.KeySpecEccNistP256)
	digest := sha256.Sum256([]byte("what is signed"))
	sign := func() []byte {
		out, err := s.kms().Sign(t.Context(), &kms.SignInput{
			KeyId: &arn, Message: digest[:], MessageType: kmstypes.MessageTypeDigest,
			SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256,
		})
		require.NoError(t, err)
		return out.Signature
	}
	public, ok := s.public(t, arn).(*ecdsa.PublicKey)
	require.True(t, ok)
	signature := sign()
	assert.True(t, ecdsa.VerifyASN1(public, digest[:], signature))
	assert.Equal(t, signature, sign(), "the signature is deterministic")
}

func TestSign_AMessageIsHashedByKMS(t *testing.T) {
	s := newStack()
	arn, digest := s.key(t, kmstypes.KeySpecEccNistP256), sha256.Sum256([]byte("message"))
	raw,
		err := s.kms().Sign(t.Context(),
		&kms.SignInput{KeyId: &arn, Message: []byte("message"),
			SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256})
	require.NoError(t, err)
	verified, err := s.kms().Verify(t.Context(), &kms.VerifyInput{
		KeyId: &arn, Message: digest[:], MessageType: kmstypes.MessageTypeDigest, Signature: raw.Signature,
		SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256,
	})
	require.NoError(t, err)
	assert.True(t, verified.SignatureValid)
	_, err = s.kms().Verify(t.Context(), &kms.VerifyInput{
		KeyId: &arn, Message: []byte("another message"), Signature: raw.Signature,
		SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256,
	})
	refused(t, "KMSInvalidSignatureException", err)
}

func TestSign_InvalidRequestsAreRefused(t *testing.T) {
	s := newStack()
	arn, other := s.key(t, kmstypes.KeySpecEccNistP256), s.key(t, kmstypes.KeySpecRsa2048)
	digest, p256 := kmstypes.MessageTypeDigest, kmstypes.SigningAlgorithmSpecEcdsaSha256
	for name, c := range map[string]struct {
		in      kms.SignInput
		refusal string
	}{
		"with an unknown key": {kms.SignInput{KeyId: aws.String(arn + "-away"), Message: make([]byte, 32),
			MessageType: digest, SigningAlgorithm: p256}, "NotFoundException"},
		"with a key of another spec": {kms.SignInput{KeyId: &other, Message: make([]byte, 32), MessageType: digest,
			SigningAlgorithm: p256}, "InvalidKeyUsageException"},
		"by an algorithm of another spec": {kms.SignInput{KeyId: &arn, Message: make([]byte, 32), MessageType: digest,
			SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha384}, "InvalidKeyUsageException"},
		"a digest that is too short": {kms.SignInput{KeyId: &arn, Message: make([]byte, 31), MessageType: digest,
			SigningAlgorithm: p256}, "ValidationException"},
		"a message that is too long": {kms.SignInput{KeyId: &arn, Message: make([]byte, 4097),
			SigningAlgorithm: p256}, "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.kms().Sign(t.Context(), &c.in)
			refused(t, c.refusal, err)
		})
	}
}

func TestGetPublicKey_HasTheKeysSpec(t *testing.T) {
	s := newStack()
	assert.IsType(t, &ecdsa.PublicKey{}, s.public(t, s.key(t, kmstypes.KeySpecEccNistP256)))
	assert.IsType(t, &rsa.PublicKey{}, s.public(t, s.key(t, kmstypes.KeySpecRsa2048)))
	_, err := s.kms().CreateKey(t.Context(), &kms.CreateKeyInput{})
	refused(t, "UnsupportedOperationException", err)
}

func TestKey_CannotBeUsedWhileDisabledOrPendingDeletion(t *testing.T) {
	s := newStack()
	arn := s.key(t, kmstypes.KeySpecEccNistP256)
	use := func() error {
		_, err := s.kms().GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &arn})
		return err
	}
	_, err := s.kms().DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &arn})
	require.NoError(t, err)
	refused(t, "DisabledException", use())
	_, err = s.kms().EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &arn})
	require.NoError(t, err)
	require.NoError(t, use())

	_, err = s.kms().ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{
		KeyId: &arn, PendingWindowInDays: aws.Int32(6),
	})
	refused(t, "ValidationException", err)
	_, err = s.kms().ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{
		KeyId: &arn, PendingWindowInDays: aws.Int32(7),
	})
	require.NoError(t, err)
	refused(t, "KMSInvalidStateException", use())
	_, err = s.kms().EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &arn})
	refused(t, "KMSInvalidStateException", err)
	about, err := s.kms().DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &arn})
	require.NoError(t, err)
	assert.Equal(t, kmstypes.KeyStatePendingDeletion, about.KeyMetadata.KeyState)
	assert.Equal(t, s.now.AddDate(0, 0, 7), about.KeyMetadata.DeletionDate.UTC())
	s.now = s.now.AddDate(0, 0, 7)
	refused(t, "NotFoundException", use())
}

func TestKey_IsFoundByIDAndByARN(t *testing.T) {
	s := newStack()
	arn := s.key(t, kmstypes.KeySpecEccNistP256)
	for _, name := range []string{arn, arn[len(arn)-36:]} {
		about, err := s.kms().DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &name})
		require.NoError(t, err)
		assert.Equal(t, arn, *about.KeyMetadata.Arn)
		assert.True(t, about.KeyMetadata.Enabled)
		assert.Equal(t, s.now, about.KeyMetadata.CreationDate.UTC())
	}
	foreign := "arn:aws:kms:us-east-1:123456789012:key/" + arn[len(arn)-36:]
	_, err := s.kms().DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &foreign})
	refused(t, "NotFoundException", err)
}

func TestSecret_IsReadByNameAndByARN(t *testing.T) {
	s := newStack()
	made,
		err := s.secrets().CreateSecret(t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("shop/Payments"), SecretString: aws.String(`{"key": "k1"}`)})
	require.NoError(t, err)
	assert.Regexp(t, `^arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/Payments-[0-9A-F]{6}$`, *made.ARN)
	read := func(id string) string {
		out, err := s.secrets().GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		require.NoError(t, err)
		return *out.SecretString
	}
	for _, id := range []string{*made.ARN, "shop/Payments", (*made.ARN)[:len(*made.ARN)-7]} {
		assert.Equal(t, `{"key": "k1"}`, read(id), id)
	}
	_, err = s.secrets().PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String(`{"key": "k2"}`)})
	require.NoError(t, err)
	assert.Equal(t, `{"key": "k2"}`, read(*made.ARN))
	before,
		err := s.secrets().GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: made.ARN, VersionStage: aws.String("AWSPREVIOUS")})
	require.NoError(t, err)
	assert.Equal(t, `{"key": "k1"}`, *before.SecretString)
	byID,
		err := s.secrets().GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: made.ARN, VersionId: made.VersionId})
	require.NoError(t, err)
	assert.Equal(t, before.SecretString, byID.SecretString)
	about, err := s.secrets().DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: made.ARN})
	require.NoError(t, err)
	assert.Len(t, about.VersionIdsToStages, 2)
	assert.Equal(t, []string{"AWSPREVIOUS"}, about.VersionIdsToStages[*made.VersionId])
}

func TestSecret_CanBeBinary(t *testing.T) {
	s := newStack()
	made,
		err := s.secrets().CreateSecret(t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("bytes"), SecretBinary: []byte{0, 255}})
	require.NoError(t, err)
	out, err := s.secrets().GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: made.ARN})
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 255}, out.SecretBinary)
	assert.Nil(t, out.SecretString)
}

func TestSecret_ARepeatedRequestChangesNothing(t *testing.T) {
	s := newStack()
	token := aws.String("00000000-0000-4000-8000-000000000001")
	create := &secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("x"),
		ClientRequestToken: token}
	made, err := s.secrets().CreateSecret(t.Context(), create)
	require.NoError(t, err)
	again, err := s.secrets().CreateSecret(t.Context(), create)
	require.NoError(t, err)
	assert.Equal(t, made.ARN, again.ARN)
	_, err = s.secrets().CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("a"), SecretString: aws.String("y"),
	})
	_, exists := errors.AsType[*secretstypes.ResourceExistsException](err)
	assert.True(t, exists, "%v", err)

	put := &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String("x"),
		ClientRequestToken: token}
	_, err = s.secrets().PutSecretValue(t.Context(), put)
	require.NoError(t, err)
	about, err := s.secrets().DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: made.ARN})
	require.NoError(t, err)
	assert.Len(t, about.VersionIdsToStages, 1)
	put.SecretString = aws.String("y")
	_, err = s.secrets().PutSecretValue(t.Context(), put)
	refused(t, "ResourceExistsException", err)
	_, err = s.secrets().PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN})
	refused(t, "InvalidRequestException", err)
}

func TestGetSecretValue_UnknownSecretOrVersionIsNotFound(t *testing.T) {
	s := newStack()
	made, err := s.secrets().CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a")})
	require.NoError(t, err)
	for name, in := range map[string]secretsmanager.GetSecretValueInput{
		"no such secret":         {SecretId: aws.String("b")},
		"no such ARN":            {SecretId: aws.String((*made.ARN)[:len(*made.ARN)-1] + "?")},
		"a secret without value": {SecretId: made.ARN},
		"no such version":        {SecretId: made.ARN, VersionId: aws.String("00000000-0000-4000-8000-000000000001")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.secrets().GetSecretValue(t.Context(), &in)
			_, gone := errors.AsType[*secretstypes.ResourceNotFoundException](err)
			assert.True(t, gone, "%v", err)
		})
	}
}

func TestDeleteSecret_AtOnceOrAfterTheRecoveryWindow(t *testing.T) {
	s := newStack()
	create := &secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("x")}
	made, err := s.secrets().CreateSecret(t.Context(), create)
	require.NoError(t, err)
	_, err = s.secrets().DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
		SecretId: made.ARN, RecoveryWindowInDays: aws.Int64(6),
	})
	refused(t, "InvalidParameterException", err)
	_, err = s.secrets().DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
		SecretId: made.ARN, RecoveryWindowInDays: aws.Int64(7),
	})
	require.NoError(t, err)
	_, err = s.secrets().GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: made.ARN})
	refused(t, "InvalidRequestException", err)
	_, err = s.secrets().CreateSecret(t.Context(), create)
	refused(t, "InvalidRequestException", err)
	s.now = s.now.AddDate(0, 0, 7)
	_, err = s.secrets().GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: made.ARN})
	refused(t, "ResourceNotFoundException", err)

	again, err := s.secrets().CreateSecret(t.Context(), create)
	require.NoError(t, err)
	assert.NotEqual(t, *made.ARN, *again.ARN)
	_, err = s.secrets().DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
		SecretId: again.ARN, ForceDeleteWithoutRecovery: aws.Bool(true),
	})
	require.NoError(t, err)
	_, err = s.secrets().CreateSecret(t.Context(), create)
	require.NoError(t, err)
}

func TestService_SameCallsGetTheSameBytes(t *testing.T) {
	run := func() string {
		s, all := newStack(), ""
		arn := s.key(t, kmstypes.KeySpecEccNistP256)
		all += string(s.last)
		s.key(t, kmstypes.KeySpecRsa2048)
		all += string(s.last)
		_, err := s.kms().Sign(t.Context(), &kms.SignInput{
			KeyId: &arn, Message: []byte("x"), SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256,
		})
		require.NoError(t, err)
		all += string(s.last)
		for _, request := range []struct{ target, body string }{ // without the SDK, which adds a random token to each
			{"secretsmanager.CreateSecret", `{"Name": "a", "SecretString": "x"}`},
			{"secretsmanager.PutSecretValue", `{"SecretId": "a", "SecretString": "y"}`},
			{"secretsmanager.DescribeSecret", `{"SecretId": "a"}`},
		} {
			answer, err := s.service.Do(request.target, []byte(request.body))
			require.NoError(t, err)
			all += string(answer)
		}
		return all
	}
	assert.Equal(t, run(), run())
}

func TestService_UnknownOperationsAreRefused(t *testing.T) {
	s := newStack()
	_, err := s.kms().ListKeys(t.Context(), nil)
	refused(t, "UnknownOperationException", err)
	_, err = s.service.Do("secretsmanager.CreateSecret", []byte("["))
	assert.ErrorContains(t, err, "SerializationException")
}
