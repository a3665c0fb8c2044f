// Package collection writes the API's operations as a collection for API tools, in Postman's format
// 2.1, which most other tools can import too. No function links it.
package collection

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"backroom/shared/api"
)

// schema identifies the format.
const schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// Collection is the root of the file.
type Collection struct {
	Info     Info       `json:"info"`
	Auth     *Auth      `json:"auth"`
	Variable []Variable `json:"variable"`
	Item     []Folder   `json:"item"`
}

// Info describes the collection.
type Info struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Version     string `json:"version"`
	Schema      string `json:"schema"`
}

// Auth is how requests are authenticated.
type Auth struct {
	Type   string     `json:"type"`
	Bearer []Variable `json:"bearer,omitempty"`
	Basic  []Variable `json:"basic,omitempty"`
}

// Variable is a name and its value.
type Variable struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
}

// Folder holds the operations of one tag.
type Folder struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Item        []Item `json:"item"`
}

// Item is an operation: the request of its first accepted example, and the answers of all examples.
type Item struct {
	Name     string     `json:"name"`
	Request  Request    `json:"request"`
	Event    []Event    `json:"event,omitempty"`
	Response []Response `json:"response"`
}

// Request is an HTTP request.
type Request struct {
	Method      string     `json:"method"`
	Description string     `json:"description,omitempty"`
	Auth        *Auth      `json:"auth,omitempty"`
	Header      []Variable `json:"header"`
	Body        *Body      `json:"body,omitempty"`
	URL         URL        `json:"url"`
}

// Body is the body of a request.
type Body struct {
	Mode string `json:"mode"`
	Raw  string `json:"raw"`
}

// URL is the URL of a request.
type URL struct {
	Raw   string     `json:"raw"`
	Host  []string   `json:"host"`
	Path  []string   `json:"path"`
	Query []Variable `json:"query,omitempty"`
}

// Event is a script with the event that runs it.
type Event struct {
	Listen string `json:"listen"`
	Script Script `json:"script"`
}

// Script is the lines of a script.
type Script struct {
	Type string   `json:"type"`
	Exec []string `json:"exec"`
}

// Response is a recorded answer.
type Response struct {
	Name            string     `json:"name"`
	OriginalRequest Request    `json:"originalRequest"`
	Code            int        `json:"code"`
	Status          string     `json:"status"`
	Header          []Variable `json:"header"`
	Body            string     `json:"body"`
	Preview         string     `json:"_postman_previewlanguage"`
}

// Of returns the collection of the operations with their examples. The same operations and examples
// give the same bytes. It returns an error for an operation whose tags are not exactly one of
// about.Tags.
func Of(about api.About, examples []api.Example, ops ...api.Operation) ([]byte, error) {
	c := Collection{
		Info: Info{about.Title, about.Description, about.Version, schema},
		Auth: &Auth{Type: "bearer", Bearer: []Variable{{Key: "token", Value: "{{token}}", Type: "string"}}},
		Variable: []Variable{
			{Key: "baseUrl", Value: "http://127.0.0.1:8080",
				Description: "where the API answers; as make run prints it"},
			{Key: "clientId", Value: "bootstrap"},
			{Key: "clientSecret", Value: "", Description: "of the client; make run prints it"},
			{Key: "token", Value: "", Description: "the request issue-token sets it"},
			{Key: "sku", Value: "", Description: "of a product of this run; issue-token sets it"},
			{Key: "etag", Value: "", Description: "of that product; put-product sets it"},
			{Key: "orderId", Value: "", Description: "of the last order; place-order sets it"},
			{Key: "card", Value: "pm_card_visa", Description: "a payment method that is accepted"},
			{Key: "slowCard", Value: "pm_sandbox_processing_4000",
				Description: "a payment method of the sandbox that takes 4 seconds, so that its order can be canceled"},
		},
	}
	known := map[string]bool{}
	last := Folder{Name: "clean up", Description: "Takes off sale what the run put on sale."}
	for _, tag := range about.Tags {
		known[tag.Name] = true
		folder := Folder{Name: tag.Name, Description: tag.Meaning, Item: []Item{}}
		for _, s := range inOrder(ops, tag.Name) {
			if i := s.item(about, examples); s.last {
				last.Item = append(last.Item, i)
			} else {
				folder.Item = append(folder.Item, i)
			}
		}
		c.Item = append(c.Item, folder)
	}
	if len(last.Item) > 0 {
		c.Item = append(c.Item, last)
	}
	for _, o := range ops {
		if tags := o.Route().Tags; len(tags) != 1 || !known[tags[0]] {
			return nil,
				fmt.Errorf("collection: %s has the tags %q: it must have exactly one, and the API must list it",
					o.Route().Name, tags)
		}
	}
	text, err := json.MarshalIndent(c, "", "  ")
	return append(text, '\n'), err
}

func item(r api.Route, about api.About, examples []api.Example) Item {
	i := Item{Name: r.Name, Request: request(r, about, api.Example{Path: r.Path}), Response: []Response{}}
	first := true
	for _, e := range examples {
		if e.Operation != r.Name {
			continue
		}
		sent := request(r, about, e)
		if first && e.Status < 300 {
			i.Request, first = sent, false
		}
		i.Response = append(i.Response, Response{
			Name: e.Name, OriginalRequest: sent, Code: e.Status, Status: http.StatusText(e.Status),
			Header: []Variable{{Key: "Content-Type", Value: e.Media}}, Body: e.Answer, Preview: "json",
		})
	}
	i.Request.Description = cmp.Or(r.Description, r.Summary)
	return i
}

// shown are the headers that a client sets itself.
var shown = []string{"Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Stripe-Signature"}

func request(r api.Route, about api.About, e api.Example) Request {
	sent := Request{Method: r.Method, Header: []Variable{}, URL: address(e.Path, e.Query)}
	for _, name := range shown {
		if value := e.Header.Get(name); value != "" {
			if name == "Idempotency-Key" {
				value = "{{$guid}}" // a new key for each request
			}
			sent.Header = append(sent.Header, Variable{Key: name, Value: value})
		}
	}
	switch {
	case r.Path == about.Token:
		sent.Auth = &Auth{Type: "basic",
			Basic: []Variable{{Key: "username", Value: "{{clientId}}"}, {Key: "password", Value: "{{clientSecret}}"}}}
	case r.Access.Public():
		sent.Auth = &Auth{Type: "noauth"}
	}
	if e.Body != "" {
		sent.Body = &Body{Mode: "raw", Raw: e.Body}
	}
	return sent
}

func address(path string, query map[string][]string) URL {
	var sorted []Variable
	for name, values := range query {
		sorted = append(sorted, Variable{Key: name, Value: values[0]})
	}
	slices.SortFunc(sorted, func(a, b Variable) int { return cmp.Compare(a.Key, b.Key) })
	u := URL{Raw: "{{baseUrl}}" + path, Host: []string{"{{baseUrl}}"},
		Path: strings.Split(strings.TrimPrefix(path, "/"), "/")}
	return u.with(sorted)
}

// with returns the URL with a query.
func (u URL) with(query []Variable) URL {
	for i, q := range query {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		u.Raw += separator + q.Key + "=" + q.Value
	}
	u.Query = query
	return u
}
