package api

import (
	"bytes"
	"cmp"
	"io"
	"mime"
	"net/http"
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
	media    string // of the body; empty: the operation has none
	required bool   // the body is required
	strict   bool   // the body is typed and its form is checked; otherwise the handler gets the bytes
	keyed    bool   // an Idempotency-Key is required
	// query parameters that must not be empty: those that are not strings, which huma ignores if they are empty
	filled  []string
	schema  *huma.Schema
	schemas huma.Registry
}

// learn reads from the registered operation what the gate has to check.
func (g *gate) learn(doc *huma.OpenAPI, op *huma.Operation) {
	g.success = op.DefaultStatus
	for _, p := range op.Parameters {
		g.keyed = g.keyed || p.In == "header" && p.Name == keyHeader && p.Required
		if p.In == "query" && (p.Schema.Type != huma.TypeString || p.Schema.Format != "") {
			g.filled = append(g.filled, p.Name)
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
	if g.keyed && r.Header.Get(keyHeader) == "" {
		x.err = ErrKeyMissing
		return
	}
	for _, name := range g.filled {
		if slices.Contains(x.query[name], "") {
			x.err = ErrInvalid.In(name, "must not be empty")
			return
		}
	}
	if x.body, x.err = g.read(r); x.err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	r.Header.Set("Content-Type", g.media) // as checked: without parameters, in the letter case that huma expects
	r.Header.Del("Accept")                // there is only one media type
	next(huma.WithContext(hc, identity.With(r.Context(), x.caller)))
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
	case len(body) == 0:
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
