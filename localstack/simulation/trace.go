package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	mathrand "math/rand"
	"net/url"
	"slices"
	"testing"
	"testing/cryptotest"
	"time"

	tree "backroom/localstack/cloudsim/dynamo/document"
)

// trace is a hash over all events.
type trace struct {
	sum   hash.Hash
	to    io.Writer // gets the events as text; may be nil
	steps int
	line  []byte
}

func newTrace(to io.Writer) *trace { return &trace{sum: sha256.New(), to: to} }

func (t *trace) note(at time.Time, what string, parts ...string) {
	t.steps++
	line := append(at.AppendFormat(t.line[:0], "2006-01-02T15:04:05.000000000 "), what...)
	for _, part := range parts {
		line = append(append(line, ' '), part...)
	}
	t.line = append(line, '\n')
	_, _ = t.sum.Write(t.line) // a hash never returns an error
	if t.to != nil {
		_, _ = t.to.Write(t.line)
	}
}

func (t *trace) digest() string { return hex.EncodeToString(t.sum.Sum(nil)) }

// canonical returns the same text for equal documents: an SDK writes the members of a map in any order.
func canonical(body []byte) string {
	if len(body) > 0 && body[0] == '{' {
		if read, err := tree.Parse(body); err == nil {
			return string(read.Append(nil))
		}
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		return form.Encode()
	}
	return string(body)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// follow makes the random numbers of libraries follow the seed until t ends. The ids of the SDK and of Backroom
// come from crypto/rand, the pauses of stripe-go from math/rand.
func follow(t *testing.T, seed uint64) {
	cryptotest.SetGlobalRandom(t, seed)
	// It has an effect with GODEBUG=randseednop=0, which the go:debug lines of the tests set.
	mathrand.Seed(int64(seed)) //nolint:staticcheck // SA1019: nothing else reaches the source of stripe-go's jitter
}
