// Package vault simulates AWS KMS and Secrets Manager, as far as this system uses them: keys that sign, and secrets. Nothing in
// it is secret. Keys and signatures follow from counters, so that the same calls at the same times get the same bytes.
package vault

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"backroom/localstack/cloudsim/wire"
)

// Settings are what a simulated vault knows of the world.
type Settings struct {
	Region, Account string
	Now             func() time.Time
}

// Service is KMS and Secrets Manager in one region of one account. It is not safe for concurrent use: the caller serialises.
type Service struct {
	settings Settings
	keys     map[string]*key    // by id
	secrets  map[string]*secret // by name
	made     int                // how many keys and secrets there ever were
}

// New returns an empty vault.
func New(s Settings) *Service {
	return &Service{settings: s, keys: map[string]*key{}, secrets: map[string]*secret{}}
}

// operations are what X-Amz-Target may ask for.
var operations = map[string]func(*Service, []byte) (any, error){
	"TrentService.CreateKey":           decoded((*Service).createKey),
	"TrentService.DescribeKey":         decoded((*Service).describeKey),
	"TrentService.DisableKey":          decoded((*Service).disableKey),
	"TrentService.EnableKey":           decoded((*Service).enableKey),
	"TrentService.GetPublicKey":        decoded((*Service).getPublicKey),
	"TrentService.Sign":                decoded((*Service).sign),
	"TrentService.Verify":              decoded((*Service).verify),
	"TrentService.ScheduleKeyDeletion": decoded((*Service).scheduleKeyDeletion),
	"secretsmanager.CreateSecret":      decoded((*Service).createSecret),
	"secretsmanager.DescribeSecret":    decoded((*Service).describeSecret),
	"secretsmanager.GetSecretValue":    decoded((*Service).getSecretValue),
	"secretsmanager.PutSecretValue":    decoded((*Service).putSecretValue),
	"secretsmanager.DeleteSecret":      decoded((*Service).deleteSecret),
}

// decoded returns an operation that reads its input from JSON.
func decoded[In any](do func(*Service, In) (any, error)) func(*Service, []byte) (any, error) {
	return func(s *Service, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, wire.Refuse("SerializationException", err.Error())
		}
		return do(s, in)
	}
}

// Do answers a request by its X-Amz-Target. An error is a *wire.Error: nothing was done.
func (s *Service) Do(target string, body []byte) (answer []byte, err error) {
	do, ok := operations[target]
	if !ok {
		return nil, wire.Refuse("UnknownOperationException", "cloudsim does not know "+target)
	}
	out, err := do(s, body)
	if err != nil {
		return nil, err
	}
	answer, err = json.Marshal(out)
	if err != nil {
		panic(err) // made of what JSON can say
	}
	return answer, nil
}

// seed returns bytes that only this account's nth resource has.
func (s *Service) seed(n int, what string) [32]byte {
	return sha256.Sum256([]byte(s.settings.Region + " " + s.settings.Account + " " + strconv.Itoa(n) + " " + what))
}

// uuid returns bytes in the shape of a UUID.
func uuid(b [32]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// seconds returns a time as the JSON protocol says it.
func seconds(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64))
}
