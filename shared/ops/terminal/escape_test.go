package terminal

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSprintf_EscapesWhatATerminalWouldActOn(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ given, want string }{
		"plain text stays":           {"Größe 20 €, 東京 · 5 × \\n", "Größe 20 €, 東京 · 5 × \\n"},
		"escape sequence":            {"\x1b[2J\x1b]0;owned\a", `\x1b[2J\x1b]0;owned\a`},
		"line ends forge no line":    {"a\r\nnext: b", `a\r\nnext: b`},
		"NUL, backspace and DEL":     {"\x00\b\x7f", `\x00\b\x7f`},
		"C1 control":                 {"\u009b31m\u0085", `\u009b31m\u0085`},
		"C1 as a byte outside UTF-8": {"\x9b31m", `\x9b31m`},
		"bidi override and isolate":  {"\u202egro\u2066\u200f", `\u202egro\u2066\u200f`},
		"zero width":                 {"a\u200bb\u2060\ufeff\u00ad", `a\u200bb\u2060\ufeff\u00ad`},
		"line separators":            {"a\u2028b\u2029", `a\u2028b\u2029`},
		"fillers":                    {"\u3164\uffa0", `\u3164\uffa0`},
		"tag characters":             {"\U000e0041", `\U000e0041`},
	} {
		require.Equal(t, row.want, Sprintf("%s", row.given), name)
		require.Equal(t, row.want, Sprintf("%v", errors.New(row.given)), name)
		require.Equal(t, row.want, Sprintf("%s", Sprintf("%s", row.given)), "escaped again: "+name)
	}
	require.Equal(t, "[a\\x1b b]    7  1.5s", Sprintf("%v %4d  %s", []string{"a\x1b", "b"}, 7, 1500*time.Millisecond))
	require.Equal(t, "a\n\tb\\x1b\\r", Sprintf("%s", Lines("a\n\tb\x1b\r")), "lines keep their ends")
}

func TestReporter_ColoursAWordAndEscapesIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &Reporter{out: &out, colour: true}
	r.Linef("%s", r.Bad("no\x1b[0m\n"))
	require.Equal(t, "\x1b[33mno\\x1b[0m\\n\x1b[0m\n", out.String())

	out.Reset()
	written, err := r.Write([]byte(r.Good("a") + "\n\x1b[2J\x00"))
	require.NoError(t, err)
	require.Positive(t, written)
	require.Equal(t, "\x1b[32ma\x1b[0m\n\\x1b[2J\\x00", out.String())
}
