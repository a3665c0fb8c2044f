package api

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"backroom/shared/fault"
	"backroom/shared/function/limit"
	"backroom/shared/identity"
)

// MaxBody is the largest request body that is read, in bytes.
const MaxBody = 64 << 10

const (
	jsonMedia = "application/json"
	formMedia = "application/x-www-form-urlencoded"
)

// gate checks a request before its input is decoded: first the caller, then the body.
type gate struct {
	access   Access
	success  int
	media    string   // of the body; empty: the operation has none
	required bool     // the body is required
	strict   bool     // the body is typed and its form is checked; otherwise the handler gets the bytes
	keyed    bool     // an Idempotency-Key is required
	query    []string // the names of the query parameters
	lists    []string // the headers whose value is a list (RFC 9110, section 5.6.1)
	headers  []string // all other headers, and Content-Type
	schema   *huma.Schema
	schemas  huma.Registry
}

// learn reads from the registered operation what the gate has to check.
func (g *gate) learn(doc *huma.OpenAPI, op *huma.Operation) {
	g.success, g.headers = op.DefaultStatus, []string{"Content-Type"}
	for _, p := range op.Parameters {
		g.keyed = g.keyed || p.In == "header" && p.Name == keyHeader && p.Required
		switch {
		case p.In == "query":
			g.query = append(g.query, p.Name)
		case p.In == "header" && slices.Contains(listHeaders, p.Name):
			g.lists = append(g.lists, p.Name)
		case p.In == "header":
			g.headers = append(g.headers, p.Name)
		}
	}
	if op.RequestBody == nil {
		return
	}
	if len(op.RequestBody.Content) > 1 {
		panic("api: " + op.OperationID +
			": an input has either a Body or a RawBody; api.Body(ctx) returns the bytes beside a Body")
	}
	for media, m := range op.RequestBody.Content {
		g.media, g.schema = media, m.Schema
	}
	g.required, g.schemas = op.RequestBody.Required, doc.Components.Schemas
	g.strict = g.schema.Format != "binary"
	op.SkipValidateBody = !g.strict
}

// enter passes the request on, or records why it is refused and ends it.
func (g *gate) enter(hc huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(hc)
	x := exchangeOf(r.Context())
	x.entered = true
	if x.err = g.admit(x, r); x.err != nil {
		return
	}
	if x.err = g.checkHeaders(r); x.err != nil {
		return
	}
	if g.keyed && r.Header.Get(keyHeader) == "" {
		x.err = ErrKeyMissing
		return
	}
	if x.err = g.checkQuery(x.query); x.err != nil {
		return
	}
	if x.body, x.err = g.read(r); x.err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	r.Header.Set("Content-Type", g.media) // as checked: without parameters, in the letter case that huma expects
	r.Header.Del("Accept")                // there is only one media type
	next(huma.WithContext(hc, identity.With(r.Context(), x.caller)))
}

// listHeaders are the headers of operations whose value is a list.
var listHeaders = []string{"If-Match", "If-None-Match"}

// checkHeaders joins the lines of a list to one, and refuses two lines of any other header (RFC 9110, section 5.3).
func (g *gate) checkHeaders(r *http.Request) error {
	for _, name := range g.lists {
		if lines := r.Header.Values(name); len(lines) > 1 {
			r.Header.Set(name, strings.Join(lines, ", "))
		}
	}
	var twice []fault.Problem
	for _, name := range g.headers {
		if len(r.Header.Values(name)) > 1 {
			twice = append(twice, fault.Problem{Parameter: name, Detail: "must not appear twice"})
		}
	}
	if len(twice) > 0 {
		return invalid(twice)
	}
	return nil
}

// maxName is how many bytes of an unknown name are repeated in an answer.
const maxName = 64

// checkQuery refuses parameters that the operation does not have, that are empty, and that are repeated. An empty
// parameter comes from a variable that was not set: to ignore it would widen what the request is about.
func (g *gate) checkQuery(query url.Values) error {
	var broken []fault.Problem
	for _, name := range slices.Sorted(maps.Keys(query)) {
		say := func(detail string) {
			broken = append(broken, fault.Problem{Parameter: name[:min(len(name), maxName)], Detail: detail})
		}
		switch {
		case !slices.Contains(g.query, name):
			say(unknown("parameter", name, slices.Values(g.query)))
		case len(query[name]) > 1:
			say("must not appear twice")
		case query.Get(name) == "":
			say("must not be empty")
		}
	}
	if len(broken) > 0 {
		return invalid(broken)
	}
	return nil
}

// admit authenticates the caller, counts the request, and checks the scopes.
func (g *gate) admit(x *exchange, r *http.Request) error {
	if g.access.verifier == nil {
		return x.count(x.source)
	}
	if err := g.recognize(x, r); err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			return cmp.Or(x.count(x.source), err) // limits guesses of tokens per source
		}
		return err
	}
	if err := x.count(
		limit.Caller{Shop: string(x.caller.Shop), Client: x.caller.Client, Subject: x.caller.Subject}); err != nil {
		return err
	}
	return x.caller.Needs(g.access.scopes...)
}

// recognize sets the caller from the request's token.
func (g *gate) recognize(x *exchange, r *http.Request) error {
	token, err := bearer(r.Header.Values("Authorization"))
	if err != nil {
		return err
	}
	x.token = true
	x.caller, err = g.access.verifier.Verify(r.Context(), token)
	return err
}

// bearer returns the token of the Authorization header. It returns ErrNotAuthenticated unless there is exactly one.
func bearer(authorization []string) (string, error) {
	if len(authorization) != 1 {
		return "", identity.ErrNotAuthenticated
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if token = strings.TrimSpace(token); token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", identity.ErrNotAuthenticated
	}
	return token, nil
}

// read returns the body. It checks size and media type, and the form of a typed body.
func (g *gate) read(r *http.Request) ([]byte, error) {
	if g.media == "" || r.Body == nil {
		return nil, g.missing()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case err != nil:
		return nil, malformed("The body could not be read completely.").Because(err)
	case len(body) > MaxBody:
		return nil, ErrTooLarge
	case len(body) == 0, g.strict && !g.required && string(bytes.TrimSpace(body)) == "null":
		return nil, g.missing()
	case media != g.media, !plain(r.Header.Get("Content-Encoding")):
		return nil, ErrWrongMedia.In("Content-Type", "must be "+g.media+", not compressed")
	case !g.strict:
		return body, nil
	case media == jsonMedia:
		return body, checkJSON(body, g.schema, g.schemas)
	case media == formMedia:
		return body, checkForm(body)
	}
	return body, nil
}

func (g *gate) missing() error {
	if g.media != "" && g.required {
		return malformed("The body is missing.")
	}
	return nil
}

func plain(encoding string) bool { return encoding == "" || strings.EqualFold(encoding, "identity") }

func malformed(why string) *fault.Fault { return ErrMalformed.At("", why) }
