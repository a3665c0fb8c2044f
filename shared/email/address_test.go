package email_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/email"
)

func TestParse_AcceptsMailboxes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ada@example.com":                  "ada@example.com",
		"Ada.Lovelace+shop@Example.COM":    "Ada.Lovelace+shop@example.com",
		"o'neill@example.co.uk":            "o'neill@example.co.uk",
		"ada@bücher.example":               "ada@xn--bcher-kva.example",
		"ada@xn--bcher-kva.example":        "ada@xn--bcher-kva.example",
		"a@b.cd":                           "a@b.cd",
		strings.Repeat("a", 64) + "@b.com": strings.Repeat("a", 64) + "@b.com",
	} {
		got, err := email.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
		again, err := email.Parse(got)
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
}

func TestParse_RefusesEverythingElse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "ada", "@example.com", "ada@", "ada@example.com ", " ada@example.com", "\tada@example.com",
		"ada@example.com\n",
		"Ada <ada@example.com>", "<ada@example.com>", "ada@example.com (home)", "group: ada@example.com;",
		"ada@example.com, bob@example.com", "ada@@example.com", "ada\u200b@example.com", "ada@exam\u200bple.com",
		"ada\u202e@example.com", "ada@example\u202e.com", "ada\u00ad@example.com", "ada@exa\u00admple.com",
		"ada\x00@example.com", "ada@example\x7f.com", "ädä@example.com", `"ada lovelace"@example.com`,
		".ada@example.com",
		"ada.@example.com", "a..da@example.com", "ada@localhost", "ada@example.com.", "ada@.example.com",
		"ada@example..com",
		"ada@-example.com", "ada@example-.com", "ada@exa_mple.com", "ada@[192.0.2.1]", "ada@192.0.2.1",
		"ada@xn--a.example",
		strings.Repeat("a", 65) + "@example.com", "ada@" + strings.Repeat("a", 64) + ".com",
		"a@" + strings.Repeat("a.", 126) + "com", "mailto:ada@example.com", "ada@example.com\r\nBcc: bob@example.com",
	} {
		got, err := email.Parse(text)
		assert.Error(t, err, "%q is taken for %q", text, got)
	}
}

// What passes is one address for every program that reads it: without a name, a comment, a list or a second line.
func TestParse_ReturnsOnePlainAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(),
			rapid.StringMatching(`[a-z.+ "<>()@\x{200b}é]{0,12}@[a-z.ü \x{ad}-]{0,12}\.[a-z]{0,5}`)).
			Draw(t, "text")
		got, err := email.Parse(text)
		if err != nil {
			return
		}
		read, err := mail.ParseAddress(got)
		require.NoError(t, err)
		assert.Equal(t, got, read.Address)
		assert.Empty(t, read.Name)
		assert.LessOrEqual(t, len(got), email.MaxAddress)
		for _, r := range got {
			assert.True(t, r < unicode.MaxASCII && unicode.IsPrint(r) && r != ' ', "%q", got)
		}
	})
}
