package api

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ETag returns the strong entity tag (RFC 9110, section 8.8.3) of rows in these versions: `"v3"`,
// or `"v3.1.2"` for three rows. An output returns it in a field with the tag header:"ETag"; a GET
// then answers If-None-Match by itself.
func ETag(versions ...int64) string {
	parts := make([]string, len(versions))
	for i, v := range versions {
		parts[i] = strconv.FormatInt(v, 10)
	}
	return `"v` + strings.Join(parts, ".") + `"`
}

// Tags is an If-Match or If-None-Match header, as a field of an input. It is zero if the header is absent.
type Tags struct {
	any  bool
	list []string
}

var tag = regexp.MustCompile(`^[ \t]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)`)

// UnmarshalText reads the header's value. It returns an error unless that is * or a list of quoted tags.
func (t *Tags) UnmarshalText(text []byte) error {
	*t = Tags{}
	rest := strings.Trim(string(text), " \t,")
	if rest == "*" {
		t.any = true
		return nil
	}
	for rest != "" {
		m := tag.FindStringSubmatch(rest)
		if m == nil {
			*t = Tags{}
			return errors.New("must be * or a list of quoted ETags")
		}
		t.list = append(t.list, m[1])
		rest = strings.TrimLeft(rest[len(m[0]):], " \t,")
	}
	return nil
}

// Given reports whether the client sent the header.
func (t Tags) Given() bool { return t.any || len(t.list) > 0 }

// Any reports whether the header is *. If-None-Match: * means "only if it does not exist yet".
func (t Tags) Any() bool { return t.any }

// Match reports whether If-Match holds: whether etag is among the tags by strong comparison. An empty etag means that
// nothing is stored.
func (t Tags) Match(etag string) bool {
	return etag != "" && (t.any || !strings.HasPrefix(etag, "W/") && slices.Contains(t.list, etag))
}

// MatchWeakly reports whether If-None-Match fails. It is Match with weak comparison.
func (t Tags) MatchWeakly(etag string) bool {
	return etag != "" && (t.any || slices.ContainsFunc(t.list, func(has string) bool {
		return strings.TrimPrefix(has, "W/") == strings.TrimPrefix(etag, "W/")
	}))
}
