// Package limit counts what each caller asks of one instance of a function, in memory: a token bucket per caller. It
// knows nothing of operations, so that whoever starts a function need not link them.
package limit

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// MaxCallers is how many buckets a Limiter keeps, some 1 MB. The one that was not used for longest goes first, and whoever
// comes back finds a full one: the limit fails open, and memory stays bounded.
const MaxCallers = 4096

// Caller is whose bucket it is: an authenticated caller, or a network address.
type Caller struct{ Shop, Client, Subject, source string }

// From returns the caller at an address of the network. The addresses of one IPv6 /64 are one caller, for whoever has one of
// them has all.
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

// Limiter has a bucket per caller. Its methods may be called by several goroutines.
type Limiter struct {
	rate    rate.Limit
	burst   int
	now     func() time.Time
	mu      sync.Mutex
	buckets *simplelru.LRU[Caller, *rate.Limiter]
}

// New returns a limiter that lets each caller through perSecond times a second, after burst times at once. Both are at least 1.
func New(perSecond, burst int, now func() time.Time) *Limiter {
	buckets, err := simplelru.NewLRU[Caller, *rate.Limiter](MaxCallers, nil)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &Limiter{rate: rate.Limit(perSecond), burst: burst, now: now, buckets: buckets}
}

// Standing is how a caller stands with a limiter.
type Standing struct {
	Limit     int           // requests at once
	Window    time.Duration // in which an empty bucket fills
	Remaining int           // requests that would be let through now
	Reset     time.Duration // until the bucket is full again
	Wait      time.Duration // until the next request is let through; 0: it is, or this one was
}

// Take lets one request of the caller through, or says how long it has to wait; one that has to wait takes nothing.
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

// Look returns how the caller stands and takes nothing.
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

// filling returns how long it takes until so many tokens have come. Who waits as long has waited long enough; less than a
// nanosecond is no time at all, as it is none to a [rate.Limiter], which lets such a request through.
func (l *Limiter) filling(tokens float64) time.Duration {
	nanoseconds := max(0, tokens) / float64(l.rate) * float64(time.Second)
	if nanoseconds < 1 {
		return 0
	}
	return time.Duration(math.Ceil(nanoseconds))
}
