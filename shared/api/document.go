package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"backroom/shared/fault"
)

// About is the head of a document.
type About struct {
	Title, Version, Description string
	License                     string            // an SPDX identifier
	Server                      string            // where the operations are, relative to the document
	Token                       string            // the path of the operation that issues access tokens, below Server
	Scopes                      map[string]string // the meaning of each scope that a token can grant
	Tags                        []Tag             // of operations, in their order
}

const requestIDHeader = "X-Request-Id"

// ScopesExtension is the member of a document that names scopes: of an operation those that it needs, of the security
// scheme bearer all, with their meaning.
const ScopesExtension = "x-scopes"

// Tag groups operations.
type Tag struct{ Name, Meaning string }

// Documents returns the OpenAPI document of the operations, as YAML, and a copy of it in version
// 3.0 for tools that do not read 3.1. The same operations give the same bytes. It returns an error
// if two operations have the same name or route, or one schema name for different types; if New did
// not make an operation; and if an example has no operation or answer.
func Documents(about About, examples []Example, ops ...Operation) (document, copy30 []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("api: the operations conflict: %v", p)
		}
	}()
	h := humago.New(http.NewServeMux(), about.config())
	for _, o := range ops {
		if o.register == nil {
			return nil, nil, errors.New("api: an Operation that was not made by New")
		}
		for _, scope := range o.route.Access.scopes {
			if about.Scopes[scope] == "" {
				return nil, nil, fmt.Errorf("api: the scope %s of %s has no meaning", scope, o.route.Name)
			}
		}
		h.OpenAPI().OnAddOperation = []huma.AddOpFunc{o.route.describe}
		o.register(h, &gate{})
	}
	if err := illustrate(h.OpenAPI(), examples); err != nil {
		return nil, nil, err
	}
	for _, o := range ops {
		if _, op := operation(h.OpenAPI(), o.route.Name); op != nil {
			if err := o.route.exemplify(op); err != nil {
				return nil, nil, err
			}
		}
	}
	full, err := h.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, nil, err
	}
	older, err := h.OpenAPI().Downgrade()
	if err != nil {
		return nil, nil, err
	}
	if document, err = publish(full); err != nil {
		return nil, nil, err
	}
	copy30, err = publish(older)
	return document, copy30, err
}

func (a About) config() huma.Config {
	cfg := config(a.Title, a.Version)
	// OpenAPI 3.0 has no license identifier
	cfg.Info.Description, cfg.Info.License = a.Description,
		&huma.License{Name: a.License, URL: "https://spdx.org/licenses/" + a.License + ".html"}
	cfg.Info.Contact = &huma.Contact{Name: "The operator of this deployment"}
	cfg.Servers = []*huma.Server{{URL: a.Server}}
	for _, tag := range a.Tags {
		cfg.Tags = append(cfg.Tags, &huma.Tag{Name: tag.Name, Description: tag.Meaning})
	}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "An access token from POST " + a.Token + ". " + ScopesExtension +
				" of an operation names the " +
				"scopes that it must grant; here it has the meaning of every scope.",
			Extensions: map[string]any{ScopesExtension: a.Scopes}},
		"basic": {Type: "http", Scheme: "basic", Description: "A client's id and secret, for POST " + a.Token +
			". Both are form-encoded before they are joined (RFC 6749, section 2.3.1)."},
	}
	return cfg
}

// describe adds what the edge does for the operation to its part of the document.
func (r Route) describe(doc *huma.OpenAPI, op *huma.Operation) {
	op.Security = []map[string][]string{}
	op.Deprecated = !r.Deprecated.IsZero()
	switch {
	case r.Access.basic:
		op.Security = append(op.Security, map[string][]string{"basic": {}})
	case r.Access.verifier != nil:
		// OpenAPI 3.0 has scopes for OAuth 2.0 schemes only, and generators take such a scheme for a second way in.
		op.Security = append(op.Security, map[string][]string{"bearer": {}})
		op.Extensions = map[string]any{ScopesExtension: append([]string{}, r.Access.scopes...)}
	}
	delete(op.Responses, "default")
	describeBytes(op)
	r.describeAnswers(op)
	if ok := op.Responses["200"]; ok != nil && ok.Headers["ETag"] != nil && r.Method == http.MethodGet {
		describeRevalidation(op)
	}
	r.describeProblems(doc, op)
	for _, p := range op.Parameters {
		describeParameter(p)
	}
	for status, answer := range op.Responses {
		// Other refusals have them too, but a document that repeats them everywhere hides what it says.
		if status < "400" || status == "429" {
			header(answer, requestIDHeader, "quote it when you report a problem")
			answer.Headers[requestIDHeader].Required = true
			for name, description := range limitHeaders {
				header(answer, name, description)
			}
		}
		for name := range r.deprecationHeaders() {
			header(answer, name, deprecationHeaders[name])
		}
		for name, meaning := range cacheHeaders {
			if h := answer.Headers[name]; h != nil && h.Description == "" && h.Schema.Description == "" {
				h.Description = meaning
			}
		}
	}
}

// cacheHeaders describes headers that mean the same in every answer.
var cacheHeaders = map[string]string{
	"Cache-Control": "whether and for how long a cache may keep the answer (RFC 9111)",
	"ETag":          "the version of what the answer shows (RFC 9110, section 8.8.3)",
}

// describeBytes documents a JSON body that the handler reads as bytes: it is an object.
func describeBytes(op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	if m := op.RequestBody.Content[jsonMedia]; m != nil && m.Schema.Format == "binary" {
		m.Schema = &huma.Schema{Type: huma.TypeObject}
	}
}

// describeAnswers adds the answers that have the schema of success and another status.
func (r Route) describeAnswers(op *huma.Operation) {
	success := op.Responses[strconv.Itoa(op.DefaultStatus)]
	for status, meaning := range r.Answers {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: meaning, Content: maps.Clone(success.Content),
			Headers: maps.Clone(success.Headers)}
	}
}

// describeParameter gives a parameter the rules of the gate, and takes away what says nothing.
func describeParameter(p *huma.Param) {
	schema := *p.Schema // another operation may have it, too
	p.Schema = &schema
	if schema.Description == p.Description {
		schema.Description = ""
	}
	if p.In == "query" && schema.Type == huma.TypeString && schema.MinLength == nil {
		schema.MinLength = new(1) // checkQuery refuses an empty parameter
	}
	if schema.Type != huma.TypeArray {
		p.Explode = nil // it says how lists are written
	}
}

func describeRevalidation(op *huma.Operation) {
	op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the answer with the ETag in " +
		"If-None-Match.", Headers: maps.Clone(op.Responses["200"].Headers)}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-None-Match" }) {
		return
	}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "If-None-Match", In: "header",
		Description: "the ETag of an earlier answer; the answer is 304 if nothing has changed since",
		Schema:      &huma.Schema{Type: huma.TypeString},
	})
}

func (r Route) describeProblems(doc *huma.OpenAPI, op *huma.Operation) {
	form := reflect.TypeFor[Problem]()
	if r.Refusal != nil {
		form = reflect.TypeOf(r.Refusal.Body(nil, Problem{}))
	}
	schema := doc.Components.Schemas.Schema(form, true, form.Name())
	list := r.faults(op)
	slices.SortStableFunc(list, func(a, b *fault.Fault) int {
		return cmp.Or(cmp.Compare(statuses[a.Kind], statuses[b.Kind]), cmp.Compare(a.Slug, b.Slug))
	})
	for _, f := range slices.CompactFunc(list, func(a, b *fault.Fault) bool { return a.Slug == b.Slug }) {
		status := strconv.Itoa(statuses[f.Kind])
		answer := op.Responses[status]
		if answer == nil {
			answer = &huma.Response{Content: map[string]*huma.MediaType{}}
			op.Responses[status] = answer
		} else {
			answer.Description += "\n"
		}
		answer.Content[r.refusalMedia()] = &huma.MediaType{Schema: schema}
		answer.Description += "- [`" + f.Slug + "`](problems.md#" + f.Slug + "): " + f.Detail
		switch {
		case status == "401" || status == "403":
			header(answer, "WWW-Authenticate", "how to authenticate (RFC 6750, RFC 7617)")
		case f.Kind.Later():
			header(answer, "Retry-After", "seconds to wait before you try again")
		}
	}
}

func header(answer *huma.Response, name, description string) {
	if answer.Headers == nil {
		answer.Headers = map[string]*huma.Param{}
	}
	answer.Headers[name] = &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}
