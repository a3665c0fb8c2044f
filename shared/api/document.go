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
	License                     string // an SPDX identifier
	Server                      string // where the operations are, relative to the document
	Token                       string // the path of the operation that issues access tokens, below Server
	Tags                        []Tag  // of operations, in their order
}

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
	h := humago.New(http.NewServeMux(), about.config(ops))
	for _, o := range ops {
		if o.register == nil {
			return nil, nil, errors.New("api: an Operation that was not made by New")
		}
		h.OpenAPI().OnAddOperation = []huma.AddOpFunc{o.route.describe}
		o.register(h, &gate{})
	}
	if err := illustrate(h.OpenAPI(), examples); err != nil {
		return nil, nil, err
	}
	if document, err = h.OpenAPI().YAML(); err != nil {
		return nil, nil, err
	}
	copy30, err = h.OpenAPI().DowngradeYAML()
	return document, copy30, err
}

func (a About) config(ops []Operation) huma.Config {
	cfg := config(a.Title, a.Version)
	// OpenAPI 3.0 has no license identifier
	cfg.Info.Description, cfg.Info.License = a.Description,
		&huma.License{Name: a.License, URL: "https://spdx.org/licenses/" + a.License + ".html"}
	cfg.Servers = []*huma.Server{{URL: a.Server}}
	for _, tag := range a.Tags {
		cfg.Tags = append(cfg.Tags, &huma.Tag{Name: tag.Name, Description: tag.Meaning})
	}
	scopes := map[string]string{}
	for _, o := range ops {
		for _, scope := range o.route.Access.scopes {
			scopes[scope] = scope
		}
	}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token from POST " +
			a.Token + "."},
		"client": {Type: "oauth2", Description: "An OAuth 2.0 client with the client credentials grant.",
			Flows: &huma.OAuthFlows{
				ClientCredentials: &huma.OAuthFlow{TokenURL: a.Server + a.Token, Scopes: scopes},
			}},
	}
	return cfg
}

// describe adds what the edge does for the operation to its part of the document.
func (r Route) describe(doc *huma.OpenAPI, op *huma.Operation) {
	op.Security = []map[string][]string{}
	op.Deprecated = !r.Deprecated.IsZero()
	if r.Access.verifier != nil {
		scopes := append([]string{}, r.Access.scopes...)
		op.Security = append(op.Security, map[string][]string{"bearer": scopes}, map[string][]string{"client": scopes})
	}
	delete(op.Responses, "default")
	describeBytes(op)
	r.describeAnswers(op)
	if ok := op.Responses["200"]; ok != nil && ok.Headers["ETag"] != nil && r.Method == http.MethodGet {
		describeRevalidation(op)
	}
	r.describeProblems(doc, op)
	for _, answer := range op.Responses {
		header(answer, "X-Request-Id", "quote it when you report a problem")
		answer.Headers["X-Request-Id"].Required = true
		for name, description := range limitHeaders {
			header(answer, name, description)
		}
		for name := range r.deprecationHeaders() {
			header(answer, name, deprecationHeaders[name])
		}
	}
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
	schema := doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
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
		answer.Content[problemMedia] = &huma.MediaType{Schema: schema}
		answer.Description += "- [`" + f.Slug + "`](problems.md#" + f.Slug + "): " + f.Detail
		switch {
		case status == "401" || status == "403":
			header(answer, "WWW-Authenticate", "how to authenticate (RFC 6750)")
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
