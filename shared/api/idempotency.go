package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"backroom/shared/fault"
)

const keyHeader = "Idempotency-Key"

// ErrKeyMissing is the answer to a request that creates something and has no Idempotency-Key.
var ErrKeyMissing = fault.New(fault.Malformed, "idempotency-key-missing",
	"The Idempotency-Key header is missing. Send a new key for each new intent, and the same key for a repetition.").
	In(keyHeader, "is required")

// Keyed makes the request of an input repeatable. Embed it in the input. A request without the
// header gets ErrKeyMissing, and one with an invalid key ErrInvalid.
type Keyed struct {
	Key string `header:"Idempotency-Key" required:"true" maxLength:"255" pattern:"^[!-~]+$" doc:"a new key for each new intent; the same key with the same body has one effect and one answer, however often it is sent. Keys do not expire: what was created keeps its key for as long as it is stored" example:"order-7f3a"`
}

// Replay marks the answer to a repetition. Embed it in the output.
type Replay struct {
	Replayed string `header:"Idempotent-Replayed" enum:"true" doc:"present if the request is a repetition: this is the answer to the first one"`
}

// Replayed returns the Replay of an answer to a new request, or to a repetition if again is true.
func Replayed(again bool) Replay {
	if again {
		return Replay{Replayed: "true"}
	}
	return Replay{}
}

// Fingerprint returns a hash that is equal for equal JSON documents: the SHA-256, in hex, of the
// body with sorted names, no white space, no members that are null and strings in one spelling. Numbers are compared as
// written, and the edge accepts only one spelling of an integer. Bytes that are not JSON are hashed
// as they are.
func Fingerprint(body []byte) string {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if json.Valid(body) && decoder.Decode(&v) == nil {
		if canonical, err := json.Marshal(withoutNulls(v)); err == nil {
			body = canonical
		}
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// withoutNulls removes the members of objects that are null: they are absent.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil {
				delete(v, name)
				continue
			}
			withoutNulls(member)
		}
	case []any:
		for _, item := range v {
			withoutNulls(item)
		}
	}
	return v
}
