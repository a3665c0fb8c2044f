package terminal

import (
	"crypto/rand"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lines is text that may have several lines, such as a mail or the end of a log. It prints with its line
// ends and tabs, and with every other control character escaped.
type Lines string

// mark stands for the start of a colour sequence until the text is written. It is random, so text that a
// customer sent cannot have it.
var mark = "\x1b" + rand.Text()

// Sprintf formats as fmt.Sprintf does, with every argument escaped. An argument of type Lines keeps its line
// ends, and a word that a Reporter coloured keeps its colour.
func Sprintf(format string, args ...any) string {
	escaped := make([]any, len(args))
	for i, arg := range args {
		escaped[i] = argument{arg}
	}
	return fmt.Sprintf(format, escaped...)
}

// Fprintf writes what Sprintf returns.
func Fprintf(w io.Writer, format string, args ...any) {
	_, _ = io.WriteString(w, painted(Sprintf(format, args...)))
}

// An argument formats its value with all verbs of fmt, and escapes the result.
type argument struct{ value any }

func (a argument) Format(f fmt.State, verb rune) {
	_, keepLines := a.value.(Lines)
	_, _ = io.WriteString(f, escape(fmt.Sprintf(fmt.FormatString(f, verb), a.value), keepLines))
}

// painted replaces marks by the start of a colour sequence.
func painted(text string) string { return strings.ReplaceAll(text, mark, "\x1b[") }

// fillers are letters that show nothing (Unicode 16, section 18.6, "Filler characters").
const fillers = "\u115f\u1160\u3164\uffa0"

// escape writes every character that shows nothing, moves the cursor or changes the direction of text as a
// Go escape sequence: control and format characters, line separators, fillers, bytes that are not UTF-8.
// Escaped text does not change when it is escaped again.
func escape(text string, keepLines bool) string {
	var out strings.Builder
	for len(text) > 0 {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			out.WriteString(mark)
			text = rest
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case keepLines && (r == '\n' || r == '\t'), unicode.IsGraphic(r) && !strings.ContainsRune(fillers, r):
			out.WriteRune(r)
		case unicode.IsGraphic(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return out.String()
}
