package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"backroom/shared/fault"
)

var (
	errTooLate = fault.New(fault.Conflict, "too-late", "It is too late.")
	errBroken  = fault.New(fault.Invalid, "broken-rule", "A rule is broken.")
)

func TestFault_IsItselfAndItsKind(t *testing.T) {
	wrapped := fmt.Errorf("while saving: %w", errTooLate.Because(errors.New("the row moved")))
	assert.ErrorIs(t, wrapped, errTooLate, "itself, with any cause")
	assert.ErrorIs(t, wrapped, fault.Conflict, "its kind")
	assert.NotErrorIs(t, wrapped, errBroken)
	assert.NotErrorIs(t, wrapped, fault.Invalid)
	assert.ErrorIs(t, errors.Join(errBroken, fault.Unavailable), fault.Unavailable)
}

func TestKindOf_FindsTheKindOfAnyError(t *testing.T) {
	for sentence, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"nil has no kind":                {nil, ""},
		"a fault has its kind":           {errTooLate, fault.Conflict},
		"a wrapped fault keeps its kind": {fmt.Errorf("x: %w", errBroken), fault.Invalid},
		"a kind is its own kind":         {fmt.Errorf("x: %w", fault.NotFound), fault.NotFound},
		"any other error is internal":    {errors.New("dial tcp"), fault.Internal},
	} {
		assert.Equal(t, c.kind, fault.KindOf(c.err), sentence)
	}
}

func TestRetry_RetriesConflicts(t *testing.T) {
	conflict, away := fmt.Errorf("saving: %w", errTooLate), errors.New("the table is away")
	for sentence, c := range map[string]struct {
		times   int
		returns []error
		calls   int
		err     error
	}{
		"a success is not repeated":              {3, []error{nil}, 1, nil},
		"another error is not retried":           {3, []error{away}, 1, away},
		"a conflict is retried":                  {3, []error{conflict, conflict, nil}, 3, nil},
		"another error after a conflict ends it": {3, []error{conflict, away}, 2, away},
		"the last conflict is returned":          {3, []error{conflict, conflict, conflict, nil}, 3, conflict},
		"one try means no retry":                 {1, []error{conflict, nil}, 1, conflict},
	} {
		calls := 0
		err := fault.Retry(c.times, func() error {
			calls++
			return c.returns[calls-1]
		})
		assert.Equal(t, c.calls, calls, sentence)
		assert.Equal(t, c.err, err, sentence)
	}
}

func TestKind_IsPermanentOrLaterOrNeither(t *testing.T) {
	permanent := []fault.Kind{
		fault.Malformed, fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound,
		fault.TooLarge, fault.WrongMethod, fault.WrongMedia,
		fault.PreconditionFailed, fault.PreconditionNeeded,
	}
	for _, k := range permanent {
		assert.True(t, k.Permanent() && !k.Later(), k)
	}
	for _, k := range []fault.Kind{fault.Throttled, fault.Unavailable} {
		assert.True(t, k.Later() && !k.Permanent(), k)
	}
	for _, k := range []fault.Kind{fault.Duplicate, fault.Conflict, fault.Internal} {
		assert.False(t, k.Later() || k.Permanent(), k)
	}
}

func TestFault_IsNotChangedByItsCopies(t *testing.T) {
	one := errBroken.At("/lines/0", "is empty")
	two := one.At("/lines/1", "is empty too").In("If-Match", "is not a tag").After(time.Second).Because(
		errors.New("secret"))
	assert.Empty(t, errBroken.Problems)
	assert.Equal(t, []fault.Problem{{Detail: "is empty", Pointer: "/lines/0"}}, one.Problems)
	assert.Len(t, two.Problems, 3)
	assert.Equal(t,
		"broken-rule: A rule is broken.; /lines/0 is empty; /lines/1 is empty too; If-Match is not a tag: secret",
		two.Error(), "for the log")
	assert.Equal(t, []time.Duration{0, time.Second}, []time.Duration{one.RetryAfter, two.RetryAfter})
}
