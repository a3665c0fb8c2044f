package limit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"backroom/shared/function/limit"
)

// clock is a limiter's clock. It does not run by itself.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func start() *clock { return &clock{time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)} }

var ann = limit.Caller{Shop: "main", Client: "till", Subject: "ann"}

func TestTake_EmptiesABucketThatFillsAgain(t *testing.T) {
	c := start()
	l := limit.New(2, 3, c.now)
	for left := 2; left >= 0; left-- {
		s := l.Take(ann)
		assert.Zero(t, s.Wait)
		assert.Equal(t, left, s.Remaining)
		assert.Equal(t, time.Duration(3-left)*500*time.Millisecond, s.Reset)
	}
	refused := l.Take(ann)
	assert.Equal(t,
		limit.Standing{Limit: 3, Window: 1500 * time.Millisecond, Reset: 1500 * time.Millisecond,
			Wait: 500 * time.Millisecond}, refused)
	assert.Equal(t, refused, l.Take(ann), "a refused request does not lengthen the wait")

	c.pass(499 * time.Millisecond)
	assert.InDelta(t, time.Millisecond, l.Take(ann).Wait, float64(time.Microsecond))
	c.pass(time.Millisecond)
	assert.Zero(t, l.Take(ann).Wait)
	c.pass(time.Hour)
	assert.Equal(t, 3, l.Look(ann).Remaining, "the bucket holds no more than the burst")
}

func TestLook_TakesNothing(t *testing.T) {
	l := limit.New(1, 2, start().now)
	for range 5 {
		assert.Equal(t, 2, l.Look(ann).Remaining)
	}
	assert.Equal(t, 1, l.Take(ann).Remaining)
	assert.Equal(t, 1, l.Look(ann).Remaining)
}

func TestTake_CountsADueTokenDespiteRounding(t *testing.T) {
	c := start()
	l := limit.New(25, 2, c.now)
	l.Take(ann)
	c.pass(3 * time.Millisecond)
	l.Take(ann)
	c.pass(37 * time.Millisecond) // 0.075 and 0.925 of a token are a little less than one, in floating point
	assert.Zero(t, l.Look(ann).Wait)
	assert.Zero(t, l.Take(ann).Wait)
}

func TestTake_HasABucketPerCaller(t *testing.T) {
	callers := []limit.Caller{
		ann, {Shop: "other", Client: "till", Subject: "ann"}, {Shop: "main", Client: "app", Subject: "ann"},
		{Shop: "main", Client: "till", Subject: "bob"}, limit.From("192.0.2.1"), limit.From("192.0.2.2"),
		limit.From("2001:db8::1"),
		limit.From("2001:db8:0:1::1"), limit.From("ann"),
	}
	l := limit.New(1, 1, start().now)
	for _, c := range callers {
		assert.Zero(t, l.Take(c).Wait, "%v", c)
		assert.NotZero(t, l.Take(c).Wait, "%v", c)
	}
}

func TestFrom_JoinsAddressesOfOneNetwork(t *testing.T) {
	assert.Equal(t, limit.From("2001:db8::1"), limit.From("2001:db8::ffff:1"), "of one /64")
	assert.Equal(t, limit.From("192.0.2.1"), limit.From("::ffff:192.0.2.1"), "IPv4 in IPv6")
	assert.Equal(t, limit.From("fe80::1"), limit.From("fe80::1%eth0"))
}

func TestLimiter_DropsTheLeastRecentlyUsedBucket(t *testing.T) {
	l := limit.New(1, 1, start().now)
	l.Take(ann)
	for i := range limit.MaxCallers - 1 {
		l.Take(limit.From(fmt.Sprint("source ", i)))
	}
	assert.NotZero(t, l.Take(ann).Wait, "its bucket is kept: there is room for MaxCallers")
	l.Take(limit.From("one more"))
	assert.NotZero(t, l.Look(ann).Wait, "its bucket is kept: it was used recently")
	assert.Zero(t, l.Look(limit.From("source 0")).Wait, "its bucket was dropped")
}

func TestTake_AllowsNoMoreThanBurstAndRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond, burst := rapid.IntRange(1, 100).Draw(t, "rate"), rapid.IntRange(1, 100).Draw(t, "burst")
		c := start()
		l, began, allowed := limit.New(perSecond, burst, c.now), c.Time, 0
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 300), 1, 200).Draw(t, "gaps") {
			c.pass(time.Duration(gap) * time.Millisecond)
			looked, taken := l.Look(ann), l.Take(ann)
			if (looked.Wait == 0) != (taken.Wait == 0) {
				t.Fatalf("Look returned %+v and Take %+v", looked, taken)
			}
			if taken.Wait == 0 {
				allowed++
				continue
			}
			wait := *c
			wait.pass(taken.Wait)
			*c = wait
			if l.Take(ann).Wait != 0 {
				t.Fatalf("refused after a wait of %s", taken.Wait)
			}
			allowed++
		}
		if most := float64(burst) + c.Sub(began).Seconds()*float64(perSecond); float64(allowed) > most+0.001 {
			t.Fatalf("%d requests were allowed, but at most %.3f may be", allowed, most)
		}
	})
}
