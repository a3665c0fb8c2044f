package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
)

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

func TestBody_StrictJSON(t *testing.T) {
	padded := func(size int) string { return good + strings.Repeat(" ", size-len(good)) }
	nested := func(depth int) string { // inside "tags", where the schema asks for text: only depth 16 is read that far
		return `{"lines":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	with := func(more string) string { return `{"lines":[{"sku":"mug","quantity":1}],` + more + `}` }
	quantity := func(q string) string { return `{"lines":[{"sku":"mug","quantity":` + q + `}]}` }
	const (
		notInteger = "must be an integer between -2^53 and 2^53, without fraction or exponent"
		twice      = "must not appear twice in its object"
	)
	for name, c := range map[string]struct {
		body   string
		status int
		where  string // the first problem's pointer
		detail string
	}{
		"a good one":         {body: good, status: 202},
		"white space around": {body: " \r\n\t" + good + "\n", status: 202},
		"64 KiB":             {body: padded(api.MaxBody), status: 202},
		"64 KiB and a byte":  {body: padded(api.MaxBody + 1), status: 413},
		"nothing":            {body: "", status: 400, where: "#", detail: "The body is missing."},
		"white space only": {body: "  ", status: 400, where: "#",
			detail: "The body is not one valid JSON value: see byte 2."},
		"cut short": {body: good[:20], status: 400, where: "#",
			detail: "The body is not one valid JSON value: see byte 20."},
		"a trailing byte":   {body: good + "x", status: 400, where: "#"},
		"a second value":    {body: good + good, status: 400, where: "#"},
		"a byte order mark": {body: "\ufeff" + good, status: 400, where: "#"},
		"a leading plus":    {body: quantity("+1"), status: 400, where: "#"},
		"a leading zero":    {body: quantity("01"), status: 400, where: "#"},
		"NaN":               {body: quantity("NaN"), status: 400, where: "#"},
		"bad UTF-8": {body: with("\"note\":\"\xff\""), status: 400, where: "#",
			detail: "The body is not valid UTF-8."},
		"an overlong encoding": {body: with("\"note\":\"\xc0\xaf\""), status: 400, where: "#"},
		"half a surrogate pair": {body: with(`"note":"\ud83d"`), status: 400, where: "#",
			detail: "A string has an incomplete surrogate pair."},
		"the other half":                {body: with(`"note":"\ude00"`), status: 400, where: "#"},
		"both, the wrong way round":     {body: with(`"note":"\ude00\ud83d"`), status: 400, where: "#"},
		"half, after a whole one":       {body: with(`"note":"\ud83d\ude00\ud83d"`), status: 400, where: "#"},
		"half a pair in a name":         {body: with(`"\ud83d":1`), status: 400, where: "#"},
		"a whole pair":                  {body: with(`"note":"\ud83d\ude00"`), status: 202},
		"an escaped backslash before u": {body: with(`"note":"\\ud83d"`), status: 202},
		"16 levels": {body: nested(16), status: 422, where: "#/lines/0",
			detail: "must be an object"},
		"17 levels": {body: nested(17), status: 400, where: "#",
			detail: "The body is nested deeper than 16 levels."},
		"10001 levels":         {body: nested(10001), status: 400, where: "#"},
		"brackets in a string": {body: with(`"note":"[[[[[[{{"`), status: 202},
		"null":                 {body: "null", status: 422, where: "#", detail: "must be an object"},
		"a list":               {body: "[]", status: 422, where: "#", detail: "must be an object"},
		"a name twice": {body: `{"lines":[{"sku":"a","sku":"b","quantity":1}]}`, status: 422,
			where: "#/lines/0/sku", detail: twice},
		"a name twice, once escaped": {body: `{"lines":[{"sku":"a","\u0073ku":"b","quantity":1}]}`, status: 422,
			where: "#/lines/0/sku", detail: twice},
		"a free name twice": {body: with(`"tags":{"x":"1","x":"2"}`), status: 422, where: "#/tags/x",
			detail: twice},
		"one name in two objects": {body: `{"lines":[{"sku":"a","quantity":1},{"sku":"a","quantity":1}]}`,
			status: 202},
		"an unknown name": {body: with(`"total":1`), status: 422, where: "#/total",
			detail: "unknown property"},
		"an unknown name with a dot": {body: with(`"a.b[0]":1`), status: 422, where: "#/a.b%5B0%5D",
			detail: "unknown property"},
		"an unknown name with signs": {body: with(`"x/y~z %":1`), status: 422, where: "#/x~1y~0z%20%25",
			detail: "unknown property"},
		"an unknown name inside": {body: `{"lines":[{"sku":"a","quantity":1},{"sku":"a","price":1,"quantity":1}]}`,
			status: 422, where: "#/lines/1/price", detail: "unknown property"},
		"wrong case": {body: with(`"Note":"x"`), status: 422, where: "#/Note",
			detail: `unknown property; did you mean "note"?`},
		"wrong case of a required name": {body: `{"Lines":[]}`, status: 422, where: "#/Lines",
			detail: `unknown property; did you mean "lines"?`},
		"null for required": {body: quantity("null"), status: 422, where: "#/lines/0/quantity",
			detail: "must be an integer"},
		"null for a required list": {body: `{"lines":null}`, status: 422, where: "#/lines",
			detail: "must be a list"},
		"null for optional text":   {body: with(`"note":null`), status: 202},
		"null for an optional map": {body: with(`"tags":null,"small": null , "share":null`), status: 202},
		"blank text": {body: with(`"note":" \t"`), status: 422, where: "#/note",
			detail: "must not be blank"},
		"a control character in text": {body: with(`"note":"a\u0000b"`), status: 422, where: "#/note",
			detail: "must not have control characters or noncharacters"},
		"an escape sequence in text":         {body: with(`"note":"\u001b[2J"`), status: 422, where: "#/note"},
		"a noncharacter in text":             {body: with(`"note":"\ufdd0"`), status: 422, where: "#/note"},
		"the last noncharacter":              {body: with(`"note":"\udbff\udfff"`), status: 422, where: "#/note"},
		"a control character in a free name": {body: with(`"tags":{"a\nb":"c"}`), status: 422, where: "#/tags/a%0Ab"},
		"two lines of text":                  {body: with(`"note":"a\nb"`), status: 202},
		"null in place of a free value": {body: with(`"tags":{"x":null}`), status: 422, where: "#/tags/x",
			detail: "must be a string"},
		"null for a required list item": {body: `{"lines":[null]}`, status: 422, where: "#/lines/0",
			detail: "must be an object"},
		"a required name is missing": {body: `{"lines":[{"sku":"a"}]}`, status: 422, where: "#/lines/0",
			detail: "must have the property quantity"},
		"text for a number": {body: quantity(`"1"`), status: 422, where: "#/lines/0/quantity",
			detail: "must be an integer"},
		"an object for text": {body: `{"lines":[{"sku":{"a":1},"quantity":1}]}`, status: 422,
			where: "#/lines/0/sku", detail: "must be a string"},
		"a number for text": {body: `{"lines":[{"sku":1.5,"quantity":1}]}`, status: 422,
			where: "#/lines/0/sku", detail: "must be a string"},
		"zero": {body: quantity("0"), status: 422, where: "#/lines/0/quantity",
			detail: "must be ≥ 1"},
		"minus one": {body: quantity("-1"), status: 422, where: "#/lines/0/quantity",
			detail: "must be ≥ 1"},
		"a billion": {body: quantity("1000000000"), status: 422, where: "#/lines/0/quantity",
			detail: "must be ≤ 999"},
		"an exponent": {body: quantity("1e2"), status: 422, where: "#/lines/0/quantity",
			detail: notInteger},
		"a fraction of zero": {body: quantity("1.0"), status: 422, where: "#/lines/0/quantity",
			detail: notInteger},
		"minus zero": {body: quantity("-0"), status: 422, where: "#/lines/0/quantity",
			detail: notInteger},
		"2^53 and one": {body: quantity("9007199254740993"), status: 422,
			where: "#/lines/0/quantity", detail: notInteger},
		"2^63": {body: quantity("9223372036854775808"), status: 422,
			where: "#/lines/0/quantity", detail: notInteger},
		"more than a float holds": {body: quantity("1e400"), status: 422, where: "#/lines/0/quantity",
			detail: notInteger},
		"an integer too big for its field": {body: with(`"small":128`), status: 422, where: "#"},
		"a fraction where one may be":      {body: with(`"share":0.5`), status: 202},
		"too much for a float":             {body: with(`"share":1e400`), status: 422, where: "#/share"},
		"no lines": {body: `{"lines":[]}`, status: 422, where: "#/lines",
			detail: "must have ≥ 1 items"},
		"a line too many": {body: `{"lines":[` + strings.Repeat(`{"sku":"a","quantity":1},`, 3) +
			`{"sku":"a","quantity":1}]}`, status: 422, where: "#/lines"},
		"a rule on an odd name": {body: with(`"a/b~c":"long"`), status: 422, where: "#/a~1b~0c",
			detail: "must have ≤ 3 characters"},
		"a message that would show a value": {body: with(`"email":"secret"`), status: 422, where: "#/email",
			detail: "must be an email address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(place(accept), request(c.body))
			require.Equal(t, c.status, w.Code, w.Body.String())
			if c.status == 202 {
				return
			}
			p := problem(t, w)
			slug := map[int]string{400: "malformed-request", 413: "body-too-large", 422: "invalid-request"}[c.status]
			assert.Equal(t, slug, p.Code)
			assert.NotContains(t, w.Body.String(), "secret")
			assert.NotContains(t, w.Body.String(), "json:")
			if c.where == "" {
				assert.Empty(t, p.Errors)
				return
			}
			require.NotEmpty(t, p.Errors)
			assert.Equal(t, c.where, p.Errors[0].Pointer)
			if c.detail != "" {
				assert.Equal(t, c.detail, p.Errors[0].Detail)
			}
		})
	}
}

func TestBody_ManyBrokenRulesGetAShortAnswer(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"lines":[]`)
	for i := range 1000 {
		fmt.Fprintf(&body, `,"x%d":0`, i)
	}
	assert.Len(t, problem(t, serve(place(accept), request(body.String()+"}"))).Errors, 20)

	body.Reset()
	body.WriteString(`{"lines":[`)
	for range 1000 {
		body.WriteString(`{"sku":"a","quantity":0},`)
	}
	assert.Len(t, problem(t, serve(place(accept), request(strings.TrimSuffix(body.String(), ",")+"]}"))).Errors, 20)

	answer := serve(place(accept),
		request(`{"`+strings.Repeat("{", 60_000)+`":{`+strings.TrimSuffix(strings.Repeat(`"a":1,`, 100), ",")+`}}`))
	assert.Less(t, answer.Body.Len(), 10_000, "long names are not repeated")
	assert.Equal(t, "#", problem(t, answer).Errors[0].Pointer, "but the nearest part with a short one is named")
}

func TestBody_MediaTypes(t *testing.T) {
	for sent, status := range map[string]int{
		"application/json":                         202,
		"application/json; charset=utf-8":          202,
		"Application/JSON;v=a+b":                   202,
		"":                                         415,
		"text/plain":                               415,
		"application/merge-patch+json":             415,
		"application/x-www-form-urlencoded":        415,
		"application/json, application/json":       415,
		"multipart/form-data; boundary=x":          415,
		"application/cbor":                         415,
		"application/problem+json; charset=latin1": 415,
	} {
		r := request(good)
		r.Header.Set("Content-Type", sent)
		r.Header.Set("Accept", "application/x-www-form-urlencoded") // is ignored
		assert.Equal(t, status, serve(place(accept), r).Code, sent)
	}
	r := request(good)
	r.Header.Set("Content-Encoding", "gzip")
	p := problem(t, serve(place(accept), r))
	assert.Equal(t, 415, p.Status)
	assert.Equal(t, "Content-Type", p.Errors[0].Parameter)
}

func TestOperation_ChecksParameters(t *testing.T) {
	for name, c := range map[string]struct {
		target, key string
		status      int
		slug, where string
	}{
		"a good key":     {"/shelves/top/orders", "!~\"x\"", 202, "", ""},
		"255 characters": {"/shelves/top/orders", strings.Repeat("k", 255), 202, "", ""},
		"256 characters": {"/shelves/top/orders", strings.Repeat("k", 256), 422, "invalid-request",
			"Idempotency-Key"},
		"a space in the key":         {"/shelves/top/orders", "a b", 422, "invalid-request", "Idempotency-Key"},
		"a key beyond ASCII":         {"/shelves/top/orders", "schlüssel", 422, "invalid-request", "Idempotency-Key"},
		"no key":                     {"/shelves/top/orders", "", 400, "idempotency-key-missing", "Idempotency-Key"},
		"a path parameter's rule":    {"/shelves/far-too-long/orders", "k", 422, "invalid-request", "shelf"},
		"a query that is not an int": {"/shelves/top/orders?limit=x", "k", 422, "invalid-request", "limit"},
		"an empty query parameter's": {"/shelves/top/orders?limit=", "k", 422, "invalid-request", "limit"},
		"a query parameter's":        {"/shelves/top/orders?limit=0", "k", 422, "invalid-request", "limit"},
		"an unknown one":             {"/shelves/top/orders?status=paid", "k", 422, "invalid-request", "status"},
		"one in another case":        {"/shelves/top/orders?Limit=1", "k", 422, "invalid-request", "Limit"},
		"one twice":                  {"/shelves/top/orders?limit=1&limit=2", "k", 422, "invalid-request", "limit"},
	} {
		r := request(good)
		r2 := httptest.NewRequest(http.MethodPost, c.target, r.Body)
		r2.Header = r.Header
		r2.Header.Set("Idempotency-Key", c.key)
		w := serve(place(accept), r2)
		assert.Equal(t, c.status, w.Code, "%s: %s", name, w.Body)
		if c.slug == "" {
			continue
		}
		p := problem(t, w)
		assert.Equal(t, c.slug, p.Code, name)
		assert.Equal(t, c.where, p.Errors[0].Parameter, name)
	}
}

type tokenInput struct {
	Body struct {
		_     struct{} `additionalProperties:"true"`
		Grant string   `json:"grant_type" enum:"client_credentials"`
		Scope string   `json:"scope,omitempty"`
	} `contentType:"application/x-www-form-urlencoded"`
}

type tokenOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Scope string `json:"scope"`
	}
}

func TestBody_Forms(t *testing.T) {
	issue := api.New(api.Route{Name: "issue-token", Method: "POST", Path: "/oauth/token", Access: api.Public},
		func(_ context.Context, in *tokenInput) (*tokenOutput, error) {
			out := &tokenOutput{CacheControl: "no-store"}
			out.Body.Scope = in.Body.Scope
			return out, nil
		})
	for name, c := range map[string]struct {
		media, body string
		status      int
		where       string
	}{
		"a good one": {"application/x-www-form-urlencoded", "grant_type=client_credentials&scope=a+b%3Ac", 200,
			""},
		"with a charset": {"application/x-www-form-urlencoded; charset=UTF-8",
			"grant_type=client_credentials&scope=a+b%3Ac", 200, ""},
		"a field more": {"application/x-www-form-urlencoded",
			"grant_type=client_credentials&scope=a+b%3Ac&audience=x", 200, ""},
		"another grant":       {"application/x-www-form-urlencoded", "grant_type=password", 422, "#/grant_type"},
		"a field is missing":  {"application/x-www-form-urlencoded", "scope=a", 422, "#"},
		"a field twice":       {"application/x-www-form-urlencoded", "grant_type=a&grant_type=b", 422, "#/grant_type"},
		"an unreadable one":   {"application/x-www-form-urlencoded", "grant_type=%zz", 400, "#"},
		"bad UTF-8 in escape": {"application/x-www-form-urlencoded", "grant_type=%ff", 400, "#"},
		"nothing":             {"application/x-www-form-urlencoded", "", 400, "#"},
		"JSON":                {"application/json", `{"grant_type":"client_credentials"}`, 415, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		w := serve(issue, r)
		assert.Equal(t, c.status, w.Code, "%s: %s", name, w.Body)
		if c.status == 200 {
			assert.JSONEq(t, `{"scope":"a b:c"}`, w.Body.String(), name)
		} else if p := problem(t, w); c.where != "" {
			assert.Equal(t, c.where, p.Errors[0].Pointer, name)
		}
	}
}

type callbackInput struct {
	Signature string `header:"Stripe-Signature"`
	RawBody   []byte `contentType:"application/json"`
}

func TestBody_RawBodyIsNotChecked(t *testing.T) {
	var seen string
	receive := api.New(api.Route{Name: "receive", Method: "POST", Path: "/payments/events", Access: api.Public},
		func(_ context.Context, in *callbackInput) (*struct{}, error) {
			seen = in.Signature + " " + string(in.RawBody)
			return nil, nil
		})
	r := httptest.NewRequest(http.MethodPost, "/payments/events", strings.NewReader(`{"a":1.0,"a":2} `))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Stripe-Signature", "s")
	w := serve(receive, r)
	assert.Equal(t, 204, w.Code, w.Body.String())
	assert.Equal(t, `s {"a":1.0,"a":2} `, seen)

	r = httptest.NewRequest(http.MethodPost, "/payments/events", strings.NewReader(strings.Repeat("x", api.MaxBody+1)))
	r.Header.Set("Content-Type", "application/json")
	assert.Equal(t, 413, serve(receive, r).Code)
}

func TestOperation_WithoutABodyIgnoresOne(t *testing.T) {
	get := api.New(api.Route{Name: "get", Method: "GET", Path: "/x", Access: api.Public},
		func(ctx context.Context, _ *struct{}) (*struct{ Body string }, error) {
			return &struct{ Body string }{string(api.Body(ctx))}, nil
		})
	assert.Equal(t, "\"\"\n",
		serve(get, httptest.NewRequest(http.MethodGet, "/x", strings.NewReader("{{{"))).Body.String())
	assert.Equal(t, 200, serve(get, httptest.NewRequest(http.MethodGet, "/x", nil)).Code)
}

func TestBody_CanBeOptional(t *testing.T) {
	type reason struct {
		Reason string `json:"reason" maxLength:"5"`
	}
	type input struct{ Body *reason }
	cancel := api.New(
		api.Route{Name: "cancel", Method: "POST", Path: "/cancel", Access: api.Public, DefaultStatus: 202},
		func(_ context.Context, in *input) (*struct{ Body bool }, error) {
			return &struct{ Body bool }{in.Body != nil}, nil
		})
	for body, want := range map[string]string{"": "202 false\n", `{"reason":"late"}`: "202 true\n"} {
		r := httptest.NewRequest(http.MethodPost, "/cancel", strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := serve(cancel, r)
		assert.Equal(t, want, fmt.Sprint(w.Code, " ", w.Body))
	}
	r := httptest.NewRequest(http.MethodPost, "/cancel", strings.NewReader(`{"reason":"too late"}`))
	r.Header.Set("Content-Type", "application/json")
	assert.Equal(t, "#/reason", problem(t, serve(cancel, r)).Errors[0].Pointer)
}

func TestFingerprint_IsEqualForEqualDocuments(t *testing.T) {
	same := api.Fingerprint([]byte(`{"lines":[{"sku":"é","quantity":2}],"note":"a"}`))
	assert.Len(t, same, 64)
	for _, body := range []string{
		` { "note" : "a", "lines" : [ {"quantity":2,"sku":"é"} ] } `,
		`{"lines":[{"sku":"\u00e9","quantity":2}],"note":"\u0061"}`,
	} {
		assert.Equal(t, same, api.Fingerprint([]byte(body)), body)
	}
	for _, body := range []string{
		`{"lines":[{"sku":"é","quantity":20}],"note":"a"}`,
		`{"lines":[{"sku":"é","quantity":"2"}],"note":"a"}`,
		`{"lines":[{"sku":"é","quantity":2}],"note":null}`,
		`{"lines":[{"sku":"é","quantity":2}]}`,
		`{"lines":[{"sku":"é","quantity":2}],"note":"a"}x`,
		`a=b`, ``,
	} {
		assert.NotEqual(t, same, api.Fingerprint([]byte(body)), body)
	}
	assert.Equal(t, api.Fingerprint([]byte(`{"a":[{"b":null}]}`)), api.Fingerprint([]byte(`{"a":[{}],"c":null}`)),
		"null means absent")
	assert.NotEqual(t, api.Fingerprint([]byte(`9007199254740993`)), api.Fingerprint([]byte(`9007199254740992`)))
}

// FuzzBody checks that no body causes a 500, that a body that encoding/json cannot read is
// malformed, and that an accepted body means what a strict decoder of encoding/json reads.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{good, `{"lines":[{"sku":"\ud83d\ude00","quantity":1e400}],"a/b~c":[{}]}`, `[[[[`, "\"\\u", "{\"\\\"\":{}}"} {
		f.Add([]byte(seed))
	}
	op := place(accept)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := serve(op, request(string(body)))
		switch {
		case w.Code != 202 && w.Code != 400 && w.Code != 413 && w.Code != 422:
			t.Fatalf("%d: %s", w.Code, w.Body)
		case len(body) <= api.MaxBody && !json.Valid(body):
			require.Equal(t, 400, w.Code)
		case w.Code == 202:
			var read order
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&read), "%s", body)
		}
	})
}
