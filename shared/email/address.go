// Package email has the one rule for addresses of mail: what the API accepts, the sender can send to.
package email

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// MaxAddress is the maximum length of an address in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const MaxAddress = 254

// maxLocal is the maximum length of a local part (RFC 5321, section 4.5.3.1.1).
const maxLocal = 64

// dotString matches a local part (RFC 5321, section 4.1.2). A quoted local part is refused: mail providers do not take
// it. So is one beyond ASCII (RFC 6531): SES does not send to it.
var dotString = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

// Why a text is not an address.
var (
	errForm  = errors.New("must be one address and nothing else, as in ada@example.com")
	errLocal = errors.New(
		"must have 1 to 64 ASCII letters, digits or any of !#$%&'*+/=?^_`{|}~- and single dots before the @")
	errDomain = errors.New("must have the full name of a domain after the @, as in example.com")
	errLength = errors.New("must have ≤ 254 bytes")
)

// Parse returns the address in the form in which it is sent to: a mailbox (RFC 5321, section 4.1.2)
// whose domain is fully qualified (section 2.3.5) and in Punycode (RFC 5891). It returns an error
// that says what an address must be, and does not repeat the text.
func Parse(text string) (address string, err error) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", errForm
	}
	local, domain := text[:at], text[at+1:]
	if len(local) > maxLocal || !dotString.MatchString(local) {
		if strings.ContainsAny(local, " \t\"<>(),:;@") {
			return "", errForm
		}
		return "", errLocal
	}
	ascii, err := registered.ToASCII(domain)
	if err != nil || strings.ContainsFunc(domain, invisible) || !strings.Contains(ascii, ".") ||
		strings.HasSuffix(ascii, ".") || numeric.MatchString(ascii) {
		return "", errDomain
	}
	address = local + "@" + ascii
	if len(address) > MaxAddress {
		return "", errLength
	}
	return address, nil
}

// invisible reports whether a character has no glyph. The mapping for lookup would ignore it.
func invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// registered are the rules for domain names that are looked up (RFC 5891, section 5).
var registered = idna.New(idna.ValidateLabels(true), idna.VerifyDNSLength(true), idna.StrictDomainName(true),
	idna.BidiRule(), idna.MapForLookup(), idna.Transitional(false))

// numeric matches a top-level domain of digits, as an address of IPv4 has it. There is none.
var numeric = regexp.MustCompile(`\.[0-9]+$`)
