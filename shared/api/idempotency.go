package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"backroom/shared/fault"
)

const keyHeader = "Idempotency-Key"

// ErrKeyMissing is the answer to a request that creates something and does not say how to recognise its repetition.
var ErrKeyMissing = fault.New(fault.Malformed, "idempotency-key-missing", "Send an Idempotency-Key header: a new one for each new intent, the same one for each repetition.").
	In(keyHeader, "missing")

// Keyed is the part of an input that makes its request repeatable: embed it. Without the header the answer is
// ErrKeyMissing, with one that breaks the rules ErrInvalid.
type Keyed struct {
	Key string `header:"Idempotency-Key" required:"true" maxLength:"255" pattern:"^[!-~]+$" doc:"Names the intent: the same key with the same body gives the same answer, however often it is sent." example:"order-7f3a"`
}

// Replay is the part of an output that tells whether this is the answer to a repetition: embed it.
type Replay struct {
	Replayed string `header:"Idempotent-Replayed" enum:"true" doc:"there, and true, if the request was answered before and this is that answer again"`
}

// Replayed returns the Replay of a new answer, or of one given again.
func Replayed(again bool) Replay {
	if again {
		return Replay{Replayed: "true"}
	}
	return Replay{}
}

// Fingerprint tells whether two JSON bodies say the same: it is the SHA-256, in hex, of the body with names sorted, white
// space gone and strings in one spelling. Numbers count as they are written; the edge lets an integer be written in one way
// only. Bytes that are not JSON are taken as they are.
func Fingerprint(body []byte) string {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if json.Valid(body) && decoder.Decode(&v) == nil {
		if canonical, err := json.Marshal(v); err == nil {
			body = canonical
		}
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
