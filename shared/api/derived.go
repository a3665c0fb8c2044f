package api

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/identity"
)

// ErrKeyReused is the answer to an Idempotency-Key that was used with another body.
var ErrKeyReused = fault.New(fault.Invalid, "idempotency-key-reused",
	"This Idempotency-Key was used with another body. Use a new key for a new intent.").
	In(keyHeader, "was used with another body")

// DerivedID returns the id of what the caller creates with these parts, one of which is the
// Idempotency-Key. It is kind, an underscore, and 160 bits of SHA-256 over the length-prefixed
// kind, shop, subject and parts. A repeated request has the same id for as long as the row exists,
// and a caller cannot derive the id of another caller.
func DerivedID(kind string, caller identity.Caller, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{kind, string(caller.Shop), caller.Subject}, parts...) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return kind + "_" + strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:20])) // 20 bytes need no padding
}
