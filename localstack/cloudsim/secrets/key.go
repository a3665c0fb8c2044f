package secrets

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"backroom/localstack/cloudsim/wire"
)

const (
	p256 = "ECC_NIST_P256"
	rsa2 = "RSA_2048"

	signing   = "SIGN_VERIFY"
	algorithm = "ECDSA_SHA_256"
	digest    = "DIGEST"
	longest   = 4096 // bytes of a message that KMS hashes

	enabled, disabled, pending = "Enabled", "Disabled", "PendingDeletion"
)

// key is a KMS key.
type key struct {
	id, arn, description, spec string
	made                       time.Time
	state                      string
	goneAt                     time.Time // set while the state is pending
	private                    *ecdsa.PrivateKey
	public                     []byte // in PKIX form
}

// algorithms returns the signing algorithms that KMS lists for the key.
func (k *key) algorithms() []string {
	if k.spec == rsa2 {
		return []string{"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"}
	}
	return []string{algorithm}
}

// metadata is KMS's description of a key.
type metadata struct {
	AWSAccountID          string `json:"AWSAccountId"`
	KeyID                 string `json:"KeyId"`
	Arn                   string
	CreationDate          json.Number
	DeletionDate          json.Number `json:",omitempty"`
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	Origin                string
	KeyManager            string
	KeySpec               string
	CustomerMasterKeySpec string
	SigningAlgorithms     []string
	MultiRegion           bool
}

func (s *Service) describe(k *key) metadata {
	m := metadata{
		AWSAccountID: s.settings.Account, KeyID: k.id, Arn: k.arn, CreationDate: seconds(k.made),
		Enabled:     k.state == enabled,
		Description: k.description, KeyUsage: signing, KeyState: k.state, Origin: "AWS_KMS", KeyManager: "CUSTOMER",
		KeySpec: k.spec, CustomerMasterKeySpec: k.spec, SigningAlgorithms: k.algorithms(),
	}
	if k.state == pending {
		m.DeletionDate = seconds(k.goneAt)
	}
	return m
}

type aboutKey struct{ KeyMetadata metadata }

type newKey struct {
	Description string
	KeySpec     string
	KeyUsage    string
}

// createKey creates a signing key. A key of spec RSA_2048 has a public key but cannot sign: tests
// use it as a key of the wrong spec.
func (s *Service) createKey(in newKey) (any, error) {
	if in.KeyUsage != signing || in.KeySpec != p256 && in.KeySpec != rsa2 {
		return nil,
			wire.Refuse("UnsupportedOperationException",
				fmt.Sprintf("cloudsim has keys for %s only, of the specs %s and %s.", signing, p256, rsa2))
	}
	s.made++
	k := &key{id: uuid(s.seed(s.made, "id")), description: in.Description, spec: in.KeySpec, made: s.settings.Now(),
		state: enabled}
	k.arn = "arn:aws:kms:" + s.settings.Region + ":" + s.settings.Account + ":key/" + k.id
	var public any = s.modulus(s.made)
	if k.spec == p256 {
		k.private = s.private(s.made)
		public = k.private.Public()
	}
	var err error
	if k.public, err = x509.MarshalPKIXPublicKey(public); err != nil {
		panic(err) // both kinds of keys have a PKIX form
	}
	s.keys[k.id] = k
	return aboutKey{s.describe(k)}, nil
}

// private returns the nth private key.
func (s *Service) private(n int) *ecdsa.PrivateKey {
	for try := 0; ; try++ {
		scalar := s.seed(n, "private key, try "+strconv.Itoa(try))
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:]); err == nil {
			return k // the scalar is valid except once in four billion
		}
	}
}

// modulus returns the nth RSA public key. No private key exists for it.
func (s *Service) modulus(n int) *rsa.PublicKey {
	var bytes []byte
	for i := range 8 {
		part := s.seed(n, "modulus "+strconv.Itoa(i))
		bytes = append(bytes, part[:]...)
	}
	bytes[0] |= 0x80
	bytes[len(bytes)-1] |= 1
	return &rsa.PublicKey{N: new(big.Int).SetBytes(bytes), E: 65537}
}

type whichKey struct {
	KeyID string `json:"KeyId"`
}

// key returns the key with an id or an ARN, or NotFoundException.
func (s *Service) key(name string) (*key, error) {
	k, ok := s.keys[name[strings.LastIndex(name, "/")+1:]]
	if ok && k.state == pending && !s.settings.Now().Before(k.goneAt) {
		ok = false
	}
	if !ok || name != k.id && name != k.arn {
		return nil, wire.Refuse("NotFoundException", fmt.Sprintf("Key '%s' does not exist", name))
	}
	return k, nil
}

// usable returns the key with an id or an ARN, or an error if it is disabled or pending deletion.
func (s *Service) usable(name string) (*key, error) {
	k, err := s.key(name)
	switch {
	case err != nil:
		return nil, err
	case k.state == pending:
		return nil, wire.Refuse("KMSInvalidStateException", k.arn+" is pending deletion.")
	case k.state == disabled:
		return nil, wire.Refuse("DisabledException", k.arn+" is disabled.")
	}
	return k, nil
}

func (s *Service) describeKey(in whichKey) (any, error) {
	k, err := s.key(in.KeyID)
	if err != nil {
		return nil, err
	}
	return aboutKey{s.describe(k)}, nil
}

func (s *Service) disableKey(in whichKey) (any, error) { return s.turn(in, disabled) }
func (s *Service) enableKey(in whichKey) (any, error)  { return s.turn(in, enabled) }

// turn changes the state of a key. A key that is pending deletion is refused.
func (s *Service) turn(in whichKey, state string) (any, error) {
	k, err := s.key(in.KeyID)
	if err != nil {
		return nil, err
	}
	if k.state == pending {
		return nil, wire.Refuse("KMSInvalidStateException", k.arn+" is pending deletion.")
	}
	k.state = state
	return struct{}{}, nil
}

func (s *Service) getPublicKey(in whichKey) (any, error) {
	k, err := s.usable(in.KeyID)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID                                    string `json:"KeyId"`
		PublicKey                                []byte
		KeyUsage, KeySpec, CustomerMasterKeySpec string
		SigningAlgorithms                        []string
	}{k.arn, k.public, signing, k.spec, k.spec, k.algorithms()}, nil
}

// signable is a message to sign, or to verify a signature of.
type signable struct {
	KeyID            string `json:"KeyId"`
	Message          []byte
	MessageType      string
	SigningAlgorithm string
	Signature        []byte
}

// hash returns the message's digest and the key to use.
func (s *Service) hash(in signable) (*key, []byte, error) {
	k, err := s.usable(in.KeyID)
	if err != nil {
		return nil, nil, err
	}
	if k.private == nil || in.SigningAlgorithm != algorithm {
		return nil, nil,
			wire.Refuse("InvalidKeyUsageException",
				fmt.Sprintf("Algorithm %s and key spec %s are not compatible.", in.SigningAlgorithm, k.spec))
	}
	switch cmp.Or(in.MessageType, "RAW") {
	case digest:
		if len(in.Message) != sha256.Size {
			return nil, nil, wire.Refuse("ValidationException", "Digest is invalid length for algorithm "+algorithm+".")
		}
		return k, in.Message, nil
	case "RAW":
		if len(in.Message) < 1 || len(in.Message) > longest {
			return nil, nil,
				wire.Refuse("ValidationException",
					fmt.Sprintf(
						"1 validation error detected: Value at 'message' failed to satisfy constraint: Member must "+
							"have length between 1 and %d", longest))
		}
		sum := sha256.Sum256(in.Message)
		return k, sum[:], nil
	}
	return nil, nil,
		wire.Refuse("UnsupportedOperationException", "cloudsim does not know the message type "+in.MessageType+".")
}

// sign returns the deterministic signature of RFC 6979 for a key and a digest.
func (s *Service) sign(in signable) (any, error) {
	k, hash, err := s.hash(in)
	if err != nil {
		return nil, err
	}
	signature, err := k.private.Sign(nil, hash, crypto.SHA256)
	if err != nil {
		panic(err) // the digest has the length of the algorithm
	}
	return struct {
		KeyID            string `json:"KeyId"`
		Signature        []byte
		SigningAlgorithm string
	}{k.arn, signature, algorithm}, nil
}

func (s *Service) verify(in signable) (any, error) {
	k, hash, err := s.hash(in)
	if err != nil {
		return nil, err
	}
	if !ecdsa.VerifyASN1(&k.private.PublicKey, hash, in.Signature) {
		return nil, wire.Refuse("KMSInvalidSignatureException", "The signature is not valid.")
	}
	return struct {
		KeyID            string `json:"KeyId"`
		SignatureValid   bool
		SigningAlgorithm string
	}{k.arn, true, algorithm}, nil
}

type deletion struct {
	KeyID               string `json:"KeyId"`
	PendingWindowInDays *int
}

// scheduleKeyDeletion deletes a key after 7 to 30 days. Until then it can be described but not
// used.
func (s *Service) scheduleKeyDeletion(in deletion) (any, error) {
	k, err := s.key(in.KeyID)
	if err != nil {
		return nil, err
	}
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, wire.Refuse("ValidationException", "PendingWindowInDays must be between 7 and 30.")
	}
	if k.state == pending {
		return nil, wire.Refuse("KMSInvalidStateException", k.arn+" is pending deletion.")
	}
	k.state, k.goneAt = pending, s.settings.Now().AddDate(0, 0, days)
	return struct {
		KeyID               string `json:"KeyId"`
		DeletionDate        json.Number
		KeyState            string
		PendingWindowInDays int
	}{k.arn, seconds(k.goneAt), pending, days}, nil
}
