package expression

import (
	"fmt"
	"strconv"
)

// The limits of an expression.
const (
	maxIndex     = 1<<31 - 1 // of a list
	maxSteps     = 32        // in a path
	maxOperators = 300       // and functions
	maxList      = 100       // operands of IN
)

// update is the kind of expression that has its own functions.
const update = "UpdateExpression"

// parser reads one expression. The first syntax error ends it. A semantic error is returned only if
// the syntax is valid.
type parser struct {
	scope   *Scope
	kind    string
	text    string
	tokens  []token
	at      int
	signs   int // operators and functions so far
	meaning error
}

// syntaxError is the value with which the parser panics. read recovers it.
type syntaxError string

// read parses an expression of a kind, such as "UpdateExpression". It returns an attribute.Refusal
// if the text is invalid.
func read[T any](s *Scope, kind, text string, rule func(*parser) T) (result T, err error) {
	p := &parser{scope: s, kind: kind, text: text}
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case syntaxError:
			err = refuse("Invalid %s: %s", kind, string(thrown))
		default:
			panic(thrown)
		}
	}()
	switch {
	case text == "":
		panic(syntaxError("The expression can not be empty;"))
	case len(text) > maxLength:
		panic(
			syntaxError(
				fmt.Sprintf("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))))
	}
	p.tokens = split(text)
	result = rule(p)
	if p.current().text != "" {
		p.fail()
	}
	if p.signs > maxOperators {
		p.mean("The expression contains too many operators; operator count: %d", p.signs)
	}
	if p.meaning != nil {
		return result, refuse("Invalid %s: %v", kind, p.meaning)
	}
	return result, nil
}

// mean records a semantic error. The first one is kept.
func (p *parser) mean(format string, args ...any) {
	if p.meaning == nil {
		p.meaning = refuse(format, args...)
	}
}

func (p *parser) current() token { return p.tokens[p.at] }

func (p *parser) peek() token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

// fail panics with a syntax error at the current token. The error quotes the neighbouring tokens,
// as DynamoDB does.
func (p *parser) fail() {
	t := p.current()
	start, word := t.start, t.text
	if t.text == "" {
		start, word = 0, "<EOF>"
	}
	if p.at > 0 {
		start = p.tokens[p.at-1].start
	}
	panic(syntaxError(fmt.Sprintf("Syntax error; token: \"%s\", near: \"%s\"", word, p.text[start:p.peek().end])))
}

// accept reads the sign or keyword if it is next, and reports whether it was.
func (p *parser) accept(text string) bool {
	if !p.current().is(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

// path reads a.b[0].#c.
func (p *parser) path() path {
	full := path{p.name()}
	for {
		switch {
		case p.accept("."):
			full = append(full, p.name())
		case p.accept("["):
			full = append(full, p.index())
		default:
			if len(full) > maxSteps {
				p.mean("The document path has too many nesting levels; nesting levels: %d", len(full))
			}
			return full
		}
	}
}

func (p *parser) name() step {
	t := p.current()
	if !t.name() {
		p.fail()
	}
	p.at++
	if t.placeholder('#') {
		n, ok := p.scope.names[t.text]
		if !ok {
			p.mean("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
			return step{name: t.text}
		}
		n.used = true
		return step{name: n.text}
	}
	if reserved(t.text) {
		p.mean("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
	}
	return step{name: t.text}
}

func (p *parser) index() step {
	t := p.current()
	if !t.number() {
		p.fail()
	}
	p.at++
	index, err := strconv.Atoi(t.text)
	if err != nil || index > maxIndex {
		p.mean("List index is not within the allowable range; index: [%s]", t.text)
	}
	p.expect("]")
	return step{index: index}
}

// value reads a :value.
func (p *parser) value() *value {
	t := p.current()
	p.at++
	v, ok := p.scope.values[t.text]
	if !ok {
		p.mean("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
		return &value{}
	}
	v.used = true
	return v
}
