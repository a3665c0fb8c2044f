// Package secrets simulates AWS KMS and Secrets Manager, as far as this system uses them: signing
// keys and secrets. Nothing in it is secret: keys and signatures are derived from counters, so that
// the same calls at the same times get the same bytes.
package secrets

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"backroom/localstack/cloudsim/wire"
)

// Settings are the account, region and clock of a Service.
type Settings struct {
	Region, Account string
	Now             func() time.Time
}

// Service is KMS and Secrets Manager in one region of one account. It is not safe for concurrent
// use.
type Service struct {
	settings Settings
	keys     map[string]*key    // by id
	secrets  map[string]*secret // by name
	made     int                // how many keys and secrets were ever created
}

// New returns a Service without keys and secrets.
func New(s Settings) *Service {
	return &Service{settings: s, keys: map[string]*key{}, secrets: map[string]*secret{}}
}

// operations are the operations by their X-Amz-Target.
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

// decoded returns an operation that decodes its input from JSON.
func decoded[In any](do func(*Service, In) (any, error)) func(*Service, []byte) (any, error) {
	return func(s *Service, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, wire.Refuse("SerializationException", err.Error())
		}
		return do(s, in)
	}
}

// Do carries out a request by its X-Amz-Target. Every error is a *wire.Error, and means that
// nothing changed.
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
		panic(err) // answers hold only values that JSON has
	}
	return answer, nil
}

// seed returns bytes that are unique to the account's nth resource.
func (s *Service) seed(n int, what string) [32]byte {
	return sha256.Sum256([]byte(s.settings.Region + " " + s.settings.Account + " " + strconv.Itoa(n) + " " + what))
}

// uuid formats bytes as a UUID.
func uuid(b [32]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// seconds formats a time as the JSON protocol does: seconds with a fraction.
func seconds(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64))
}
