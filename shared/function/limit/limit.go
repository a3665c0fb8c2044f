// Package limit limits how many requests each caller may send to one instance of a function, in
// memory, with a token bucket per caller. It does not import the operations, so that functions that
// only start through package function do not link them.
package limit

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// MaxCallers is how many buckets a Limiter keeps, some 1 MB. It drops the least recently used one,
// and that caller's next request finds a full bucket: the limit fails open, and memory stays
// bounded.
const MaxCallers = 4096

// Caller identifies a bucket: an authenticated caller, or a network address.
type Caller struct{ Shop, Client, Subject, source string }

// From returns the caller at a network address. The addresses of an IPv6 /64 are one caller, because
// they belong to one network.
func From(address string) Caller {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return Caller{source: address}
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		return Caller{source: netip.PrefixFrom(ip, 64).Masked().String()}
	}
	return Caller{source: ip.String()}
}

// Limiter has a bucket per caller. It is safe for concurrent use.
type Limiter struct {
	rate    rate.Limit
	burst   int
	now     func() time.Time
	mu      sync.Mutex
	buckets *simplelru.LRU[Caller, *rate.Limiter]
}

// New returns a limiter that allows each caller burst requests at once, and perSecond requests a
// second after that. Both must be at least 1.
func New(perSecond, burst int, now func() time.Time) *Limiter {
	buckets, err := simplelru.NewLRU[Caller, *rate.Limiter](MaxCallers, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &Limiter{rate: rate.Limit(perSecond), burst: burst, now: now, buckets: buckets}
}

// Standing is the state of a caller's bucket.
type Standing struct {
	Limit     int           // requests at once
	Window    time.Duration // how long an empty bucket takes to fill
	Remaining int           // requests that would be allowed now
	Reset     time.Duration // until the bucket is full again
	Wait      time.Duration // until the next request is allowed; 0: it is, or this one was
}

// Take takes a token for one request of the caller. If there is none, it takes nothing, and Wait in
// the result is more than 0.
func (l *Limiter) Take(c Caller) Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.buckets.Get(c)
	if !known {
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.buckets.Add(c, bucket)
	}
	now := l.now()
	if bucket.AllowN(now, 1) {
		s := l.standing(bucket.TokensAt(now))
		s.Wait = 0
		return s
	}
	return l.standing(bucket.TokensAt(now))
}

// Look returns the state of the caller's bucket and takes nothing.
func (l *Limiter) Look(c Caller) Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.buckets.Get(c)
	if !known {
		return l.standing(float64(l.burst))
	}
	return l.standing(bucket.TokensAt(l.now()))
}

func (l *Limiter) standing(tokens float64) Standing {
	return Standing{
		Limit: l.burst, Window: l.filling(float64(l.burst)), Remaining: int(max(0, math.Floor(tokens+1e-6))),
		Reset: l.filling(float64(l.burst) - tokens), Wait: l.filling(1 - tokens),
	}
}

// filling returns how long that many tokens take to arrive, rounded up to whole nanoseconds. Less
// than a nanosecond counts as 0, because a [rate.Limiter] allows such a request at once.
func (l *Limiter) filling(tokens float64) time.Duration {
	nanoseconds := max(0, tokens) / float64(l.rate) * float64(time.Second)
	if nanoseconds < 1 {
		return 0
	}
	return time.Duration(math.Ceil(nanoseconds))
}
