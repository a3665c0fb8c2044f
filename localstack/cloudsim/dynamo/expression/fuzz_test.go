package expression

import (
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

const someNames = `{"#n": "name", "#s": "status"}`

// An expression is either accepted or refused with a Refusal. White space around it does not change
// which.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"attribute_not_exists(pk) OR #n = :n", "size(l) BETWEEN :n AND :two AND NOT contains(#s, :s)",
		"n IN (:n, :two, :s)",
		"SET #n = if_not_exists(#n, :n) + :two, l[1] = list_append(l, :l) REMOVE a.b[0].c", "ADD n :n DELETE s :s",
		"pk = :s AND begins_with(sk, :s)", "a, #n.b[3], c", "((n = :n))", "l[99999999999] = n", "\xff(", "SET",
	} {
		f.Add(seed)
	}
	kinds := map[string]func(*Scope, string) error{
		"condition":  func(s *Scope, text string) error { _, err := s.Condition(text); return err },
		"filter":     func(s *Scope, text string) error { _, err := s.Filter(text); return err },
		"update":     func(s *Scope, text string) error { _, err := s.Update(text); return err },
		"key":        func(s *Scope, text string) error { _, err := s.Key(text, "pk", "sk"); return err },
		"projection": func(s *Scope, text string) error { _, err := s.Projection(text); return err },
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxLength-2 {
			return
		}
		for kind, read := range kinds {
			err := read(scope(t, someNames, someValues), text)
			if err != nil {
				require.ErrorAs(t, err, new(attribute.Refusal), kind)
			}
			if text != "" {
				padded := read(scope(t, someNames, someValues), " "+text+" ")
				require.Equal(t, err == nil, padded == nil, "%s: %v, %v", kind, err, padded)
			}
		}
	})
}
