package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"backroom/shared/fault"
)

// maxDepth is the maximum depth of nested objects and lists in a body.
const maxDepth = 16

// maxProblems is the maximum number of broken rules in one answer.
const maxProblems = 20

// checkJSON checks what encoding/json does not. A body must be I-JSON (RFC 7493): UTF-8, no
// repeated name in an object, integers within ±2^53 without fraction or exponent, and other numbers
// within the range of a double. The schema must have every name, in the same letter case. A null
// stands for an absent member where the member may be absent. A text has no control characters and is
// not blank. checkJSON returns ErrMalformed for a body that is not readable, and ErrInvalid
// with the places for one that breaks a rule.
func checkJSON(body []byte, schema *huma.Schema, schemas huma.Registry) error {
	if !utf8.Valid(body) {
		return malformed("The body is not valid UTF-8.")
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return malformed(fmt.Sprintf("The body is not one valid JSON value: see byte %d.", syntax.Offset))
		}
		return malformed("The body is not one valid JSON value.")
	}
	if halfSurrogate(body) {
		return malformed("A string has an incomplete surrogate pair.")
	}
	w := walker{body: body, schemas: schemas}
	w.value(schema)
	switch {
	case w.tooDeep:
		return malformed(fmt.Sprintf("The body is nested deeper than %d levels.", maxDepth))
	case len(w.problems) > 0:
		return invalid(w.problems)
	}
	return nil
}

var (
	escape    = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)`)
	surrogate = regexp.MustCompile(`^\\u[dD][89a-fA-F][0-9a-fA-F]{2}$`)
)

// halfSurrogate reports whether valid JSON has a \u escape of half a surrogate pair.
func halfSurrogate(body []byte) bool {
	if !bytes.Contains(body, []byte(`\u`)) {
		return false
	}
	return slices.ContainsFunc(escape.FindAll(body, -1), surrogate.Match)
}

// walker checks valid JSON against its schema in one pass.
type walker struct {
	body     []byte
	at       int
	depth    int
	tooDeep  bool
	path     []string
	schemas  huma.Registry
	problems []fault.Problem
}

// value checks the next value. A nil schema allows everything.
func (w *walker) value(s *huma.Schema) {
	for s != nil && s.Ref != "" {
		s = w.schemas.SchemaFromRef(s.Ref)
	}
	switch c := w.next(); c {
	case '{', '[':
		if w.depth++; w.depth > maxDepth {
			w.tooDeep, w.at = true, len(w.body) // which ends every loop
			return
		}
		if c == '{' {
			w.object(s)
		} else {
			w.list(s)
		}
		w.depth--
	case '"':
		if complaint := textFault(w.text(), true); complaint != "" {
			w.problem(complaint)
		}
	default:
		literal := w.literal()
		switch {
		case c == '-' || '0' <= c && c <= '9':
			w.number(s, literal)
		case literal == "null" && s != nil && s.Type != "" && !s.Nullable: // encoding/json takes it for nothing
			w.problem(mustBe(s.Type))
		}
	}
}

func (w *walker) number(s *huma.Schema, literal string) {
	if s != nil && s.Type == huma.TypeInteger {
		if n, err := strconv.ParseInt(literal, 10, 64); err != nil || literal == "-0" || n > 1<<53 || n < -1<<53 {
			w.problem("must be an integer between -2^53 and 2^53, without fraction or exponent")
		}
	} else if _, err := strconv.ParseFloat(literal, 64); err != nil {
		w.problem("must be a number within the range of a double")
	}
}

func (w *walker) object(s *huma.Schema) {
	seen := map[string]bool{}
	for w.at++; w.more('}'); w.skip(',') {
		name := w.text()
		w.next()
		w.at++ // the colon
		w.path = append(w.path, name)
		if seen[name] {
			w.problem("must not appear twice in its object")
		}
		seen[name] = true
		member, complaint := property(s, name)
		if complaint == "" {
			complaint = textFault(name, false)
		}
		if complaint != "" {
			w.problem(complaint)
		}
		if w.next() == 'n' && optional(s, name) {
			w.literal() // null means that the member is absent
		} else {
			w.value(member)
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.at++
}

// optional reports whether an object may lack a member that its schema names.
func optional(s *huma.Schema, name string) bool {
	return s != nil && s.Properties[name] != nil && !slices.Contains(s.Required, name)
}

// textFault returns a complaint about a text that no person can have meant: control characters,
// except tab and line ends in a value, noncharacters (RFC 7493, section 2.1), or nothing but white
// space.
func textFault(text string, value bool) string {
	for _, r := range text {
		lineEnd := r == '\t' || r == '\n' || r == '\r'
		if unicode.IsControl(r) && !(value && lineEnd) || r&0xFFFE == 0xFFFE || 0xFDD0 <= r && r <= 0xFDEF {
			return "must not have control characters or noncharacters"
		}
	}
	if text != "" && strings.TrimSpace(text) == "" {
		return "must not be blank"
	}
	return ""
}

// property returns the schema of a member, or a complaint about its name.
func property(s *huma.Schema, name string) (member *huma.Schema, complaint string) {
	if s == nil {
		return nil, ""
	}
	if p, ok := s.Properties[name]; ok {
		return p, ""
	}
	if others, ok := s.AdditionalProperties.(*huma.Schema); ok {
		return others, ""
	}
	if s.AdditionalProperties != false {
		return nil, ""
	}
	return nil, unknown("property", name, maps.Keys(s.Properties))
}

// unknown returns the complaint about a name that is not known, and proposes one that differs in letter case only.
func unknown(what, name string, names iter.Seq[string]) string {
	for known := range names {
		if strings.EqualFold(known, name) {
			return "unknown " + what + "; did you mean " + strconv.Quote(known) + "?"
		}
	}
	return "unknown " + what
}

func (w *walker) list(s *huma.Schema) {
	var items *huma.Schema
	if s != nil {
		items = s.Items
	}
	i := 0
	for w.at++; w.more(']'); w.skip(',') {
		w.path = append(w.path, strconv.Itoa(i))
		w.value(items)
		w.path = w.path[:len(w.path)-1]
		i++
	}
	w.at++
}

// text skips the next string and returns its value.
func (w *walker) text() string {
	start := w.at
	for w.at++; w.at < len(w.body) && w.body[w.at] != '"'; w.at++ {
		if w.body[w.at] == '\\' {
			w.at++
		}
	}
	w.at = min(w.at+1, len(w.body))
	var s string
	_ = json.Unmarshal(w.body[start:w.at], &s) // it is part of valid JSON
	return s
}

// literal skips the next number, true, false or null and returns it as written.
func (w *walker) literal() string {
	start := w.at
	for w.at < len(w.body) && !strings.ContainsRune(" \t\r\n,]}", rune(w.body[w.at])) {
		w.at++
	}
	return string(w.body[start:w.at])
}

// next skips white space and returns the next byte, or 0 at the end.
func (w *walker) next() byte {
	for w.at < len(w.body) && strings.IndexByte(" \t\r\n", w.body[w.at]) >= 0 {
		w.at++
	}
	if w.at >= len(w.body) {
		return 0
	}
	return w.body[w.at]
}

// more reports whether the object or list has another member.
func (w *walker) more(end byte) bool {
	c := w.next()
	return c != end && c != 0
}

func (w *walker) skip(c byte) {
	if w.next() == c {
		w.at++
	}
}

func (w *walker) problem(detail string) {
	if len(w.problems) == maxProblems {
		return
	}
	w.problems = append(w.problems, fault.Problem{Pointer: nearest(w.path), Detail: detail})
}

// maxPointer is the maximum length of a pointer in bytes. It is limited because the client chooses the names in it.
const maxPointer = 256

// nearest returns the pointer to a path, or to its nearest parent if that pointer is too long.
func nearest(path []string) string {
	p := pointer(path...)
	for len(p) > maxPointer {
		path = path[:len(path)-1]
		p = pointer(path...)
	}
	return p
}

// pointer returns the JSON pointer (RFC 6901) of a path of names and indexes.
func pointer(path ...string) string {
	p := ""
	for _, name := range path {
		p += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return p
}

// readJSON decodes a body into the input. It hides errors of encoding/json, which have Go types and
// the client's values.
func readJSON(data []byte, v any) error {
	if json.Unmarshal(data, v) != nil {
		return errors.New("a value has the wrong type")
	}
	return nil
}

// checkForm returns an error for a form that is not readable or repeats a field (RFC 6749, section 3.2).
func checkForm(body []byte) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return malformed("The body is not a valid form.")
	}
	var twice []fault.Problem
	for name, values := range form {
		if !utf8.ValidString(name + strings.Join(values, "")) {
			return malformed("The form is not valid UTF-8.")
		}
		if len(values) > 1 {
			twice = append(twice, fault.Problem{Pointer: pointer(name), Detail: "must not appear twice"})
		}
	}
	if len(twice) > 0 {
		slices.SortFunc(twice, func(a, b fault.Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
		return invalid(twice)
	}
	return nil
}

// readForm decodes a form into a struct of strings, by its json tags. Names are case-sensitive, and others are ignored
// (RFC 6749, section 3.2).
func readForm(data []byte, v any) error {
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return err
	}
	fields, known := map[string]string{}, names(v)
	for name := range form {
		if known == nil || slices.Contains(known, name) {
			fields[name] = form.Get(name)
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return readJSON(b, v)
}

// names returns the names of the struct to which v points, as its json tags spell them; and nil for anything else.
// encoding/json would also take another letter case.
func names(v any) (known []string) {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	for field := range t.Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known = append(known, name)
	}
	return known
}
