package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"backroom/shared/fault"
	"backroom/shared/function/limit"
)

// ErrThrottled refuses a caller who asks too often.
var ErrThrottled = fault.New(fault.Throttled, "throttled", "Too many requests; Retry-After says when to come back.")

// welcome refuses a source that has used up what it may ask without saying who it is, before anything is done for it. It
// takes nothing: who turns out to be somebody is counted as such.
func (x *exchange) checkQuota() error {
	if x.limiter == nil {
		return nil
	}
	return x.stand(x.limiter.Look(x.source))
}

// count takes one request off what c may ask.
func (x *exchange) count(c limit.Caller) error {
	if x.limiter == nil {
		return nil
	}
	return x.stand(x.limiter.Take(c))
}

func (x *exchange) stand(s limit.Standing) error {
	if x.quota = s; s.Wait > 0 {
		return ErrThrottled.After(s.Wait)
	}
	return nil
}

// The headers of draft-ietf-httpapi-ratelimit-headers-06.
const (
	limitHeader     = "RateLimit-Limit"
	remainingHeader = "RateLimit-Remaining"
	resetHeader     = "RateLimit-Reset"
	policyHeader    = "RateLimit-Policy"
)

var limitHeaders = map[string]string{
	limitHeader:     "how many requests you may send at once",
	remainingHeader: "how many of them are left",
	resetHeader:     "seconds until all of them are there again",
	policyHeader:    "the limit and the seconds in which it fills, as in 100;w=2; it holds per route and instance",
}

// tellStanding tells the client how it stands with the limiter.
func (x *exchange) writeRateLimitHeaders(h http.Header) {
	if x.limiter == nil {
		return
	}
	h.Set(limitHeader, strconv.Itoa(x.quota.Limit))
	h.Set(remainingHeader, strconv.Itoa(x.quota.Remaining))
	h.Set(resetHeader, strconv.Itoa(seconds(x.quota.Reset)))
	h.Set(policyHeader, fmt.Sprintf("%d;w=%d", x.quota.Limit, seconds(x.quota.Window)))
}

// seconds rounds up: who waits as long has waited long enough.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
