package document

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// depth is the deepest nesting of values. DynamoDB's own limit of 32 levels of attributes is well
// below it.
const depth = 200

// reader reads a text once, from start to end. After a failure it reads nothing.
type reader struct {
	text   string
	at     int
	failed bool
}

func (r *reader) fail() Node {
	r.failed = true
	return Node{}
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (r *reader) space() {
	for r.at < len(r.text) && blank(r.text[r.at]) {
		r.at++
	}
}

// next returns the next character that is not white space, or 0 at the end.
func (r *reader) next() byte {
	r.space()
	if r.failed || r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// take reads the character if it is next, and reports whether it was.
func (r *reader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) value(level int) Node {
	if level > depth {
		return r.fail()
	}
	switch c := r.next(); {
	case c == '{':
		return r.object(level)
	case c == '[':
		return r.array(level)
	case c == '"':
		return Node{Kind: String, Text: r.quoted()}
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return r.word("true", True)
	case c == 'f':
		return r.word("false", False)
	}
	return r.word("null", Null)
}

func (r *reader) word(word string, kind Kind) Node {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return r.fail()
	}
	r.at += len(word)
	return Node{Kind: kind}
}

func (r *reader) object(level int) Node {
	n := Node{Kind: Object}
	r.at++
	if r.take('}') {
		return n
	}
	for !r.failed {
		if r.next() != '"' {
			return r.fail()
		}
		name := r.quoted()
		if !r.take(':') {
			return r.fail()
		}
		n.Members = append(n.Members, Member{name, r.value(level + 1)})
		if r.take('}') {
			return n
		}
		if !r.take(',') {
			return r.fail()
		}
	}
	return n
}

func (r *reader) array(level int) Node {
	n := Node{Kind: Array}
	r.at++
	if r.take(']') {
		return n
	}
	for !r.failed {
		n.Elements = append(n.Elements, r.value(level+1))
		if r.take(']') {
			return n
		}
		if !r.take(',') {
			return r.fail()
		}
	}
	return n
}

func (r *reader) number() Node {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.at]) >= 0 {
		r.at++
	}
	text := r.text[start:r.at]
	if !json.Valid([]byte(text)) {
		return r.fail()
	}
	return Node{Kind: Number, Text: text}
}

// quoted reads a string. A string without escapes is not copied.
func (r *reader) quoted() string {
	r.at++
	start := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return r.text[start : r.at-1]
		case c == '\\':
			return r.escaped(start)
		case c < 0x20:
			r.fail()
			return ""
		}
		r.at++
	}
	r.fail()
	return ""
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads on from the first escape of a string.
func (r *reader) escaped(start int) string {
	s := append([]byte{}, r.text[start:r.at]...)
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(s)
		case c < 0x20:
			r.fail()
			return ""
		case c != '\\':
			s = append(s, c)
			continue
		}
		if r.at == len(r.text) {
			break
		}
		c = r.text[r.at]
		r.at++
		switch {
		case c == 'u':
			s = utf8.AppendRune(s, r.codepoint())
		case escapes[c] != 0:
			s = append(s, escapes[c])
		default:
			r.fail()
			return ""
		}
	}
	r.fail()
	return ""
}

// codepoint reads the digits after \u, and the second half of a surrogate pair.
func (r *reader) codepoint() rune {
	first := r.unit()
	if utf16.IsSurrogate(first) && strings.HasPrefix(r.text[r.at:], `\u`) {
		r.at += 2
		return utf16.DecodeRune(first, r.unit())
	}
	return first
}

func (r *reader) unit() rune {
	if r.at+4 > len(r.text) {
		r.fail()
		return 0
	}
	v, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.at += 4
	if err != nil {
		r.fail()
	}
	return rune(v)
}
