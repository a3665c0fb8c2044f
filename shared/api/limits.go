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

// ErrThrottled is the answer to a caller that sends too many requests.
var ErrThrottled = fault.New(fault.Throttled, "throttled", "Too many requests. Try again after Retry-After.")

// checkQuota returns ErrThrottled if the network source has used up its quota for unauthenticated requests. It does not
// count the request: an authenticated caller has a quota of its own.
func (x *exchange) checkQuota() error {
	if x.limiter == nil {
		return nil
	}
	return x.apply(x.limiter.Look(x.source))
}

// count takes one request off the quota of c. It returns ErrThrottled if none is left.
func (x *exchange) count(c limit.Caller) error {
	if x.limiter == nil {
		return nil
	}
	return x.apply(x.limiter.Take(c))
}

func (x *exchange) apply(s limit.Standing) error {
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
	limitHeader:     "requests that you may send at once",
	remainingHeader: "requests that are left",
	resetHeader:     "seconds until the quota is full again",
	policyHeader:    "the limit and the seconds in which it refills, as in 100;w=2; per route and instance",
}

// writeRateLimitHeaders writes the quota of the caller that was counted last.
func (x *exchange) writeRateLimitHeaders(h http.Header) {
	if x.limiter == nil {
		return
	}
	h.Set(limitHeader, strconv.Itoa(x.quota.Limit))
	h.Set(remainingHeader, strconv.Itoa(x.quota.Remaining))
	h.Set(resetHeader, strconv.Itoa(seconds(x.quota.Reset)))
	h.Set(policyHeader, fmt.Sprintf("%d;w=%d", x.quota.Limit, seconds(x.quota.Window)))
}

// seconds rounds up, so that a client that waits as long has waited long enough.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
