package expression

import (
	"slices"
	"strings"
)

// token is a word, a number, a placeholder or a sign. An empty token is the end of the expression.
type token struct {
	text       string
	start, end int // the position in the expression
}

// word reports whether the token can be a name or a keyword.
func (t token) word() bool { return t.text != "" && letter(t.text[0]) }

// is reports whether the token is the keyword.
func (t token) is(keyword string) bool { return strings.EqualFold(t.text, keyword) }

var keywords = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}

func (t token) keyword() bool {
	return slices.ContainsFunc(keywords, t.is)
}

// name reports whether the token can be an element of a path. It may be a reserved word.
func (t token) name() bool { return t.placeholder('#') || t.word() && !t.keyword() }

// placeholder reports whether the token is a placeholder with the mark: # for names, : for values.
func (t token) placeholder(mark byte) bool { return len(t.text) > 1 && t.text[0] == mark }

func (t token) number() bool { return t.text != "" && digit(t.text[0]) }

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
func inner(c byte) bool  { return letter(c) || digit(c) || c == '_' }

// split splits an expression into tokens. It accepts any text: the parser finds the syntax errors.
func split(text string) []token {
	tokens := make([]token, 0, 16)
	for at := 0; at < len(text); {
		start := at
		c := text[at]
		at++
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		case letter(c) || c == '#' || c == ':':
			for at < len(text) && inner(text[at]) {
				at++
			}
		case digit(c):
			for at < len(text) && digit(text[at]) {
				at++
			}
		case at < len(text) && (c == '<' && (text[at] == '=' || text[at] == '>') || c == '>' && text[at] == '='):
			at++
		}
		tokens = append(tokens, token{text[start:at], start, at})
	}
	return append(tokens, token{"", len(text), len(text)})
}
