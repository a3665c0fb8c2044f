// Package client calls Backroom from Go programs. It has a method for each operation and a type for
// each document, generated from docs/openapi.yaml. The hand-written part gets tokens, turns
// refusals into errors, and retries requests.
//
// A method whose name ends in WithResponse returns a success, decoded into the field of its status,
// such as JSON202. The field is nil after a GET whose ETag still matches (304). A refusal of the
// API is an error, a *Refusal. So is a success that does not come from the API:
//
//	if refused, ok := errors.AsType[*client.Refusal](err); ok && refused.Slug() == "product-not-sold" { … }
package client

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The generator reads OpenAPI 3.0.
//go:generate go run ../../localstack/contract/release -client ../../.backroom/release
//go:generate go tool -modfile=generator.mod oapi-codegen -config oapi-codegen.yaml -o api.gen.go ../../.backroom/release/openapi-client.yaml

// Settings configure a client. The zero value is valid.
type Settings struct {
	// HTTP sends the requests; nil means http.DefaultClient.
	HTTP *http.Client
	// Credentials get the tokens: one before the first request, and a new one before it expires.
	// Without a ClientID no token is sent, which suits public operations. A request that has an
	// Authorization header keeps it.
	Credentials Credentials
	// Patience limits how long a request is retried in all, after 429 and 503. The pause before a
	// retry is that of Retry-After, or a growing one from half a second. If the pause is longer
	// than the remaining patience, the refusal is returned at once. 0 means that a request is sent
	// once.
	Patience time.Duration
}

// New returns a client of the API at a URL, which includes the stage, as in
// https://api.example.com/v1. It is safe for concurrent use, and sends no request until it is used.
func New(url string, s Settings) (*ClientWithResponses, error) {
	if s.HTTP == nil {
		s.HTTP = http.DefaultClient
	}
	anonymous := sender{http: s.HTTP, patience: s.Patience}
	if s.Credentials.ClientID == "" {
		return NewClientWithResponses(url, WithHTTPClient(anonymous))
	}
	issuer, err := NewClientWithResponses(url, WithHTTPClient(anonymous))
	if err != nil {
		return nil, err
	}
	known := anonymous
	known.tokens = &tokens{issuer: issuer, credentials: s.Credentials, turn: make(chan struct{}, 1)}
	return NewClientWithResponses(url, WithHTTPClient(known))
}

// NewKey returns a new Idempotency-Key. Keep it for as long as its request may be repeated.
func NewKey() string { return rand.Text() }

// sender sends the requests of the generated code.
type sender struct {
	http     *http.Client
	tokens   *tokens // nil: no token is sent
	patience time.Duration
}

// Do sends a request, and retries it after 429 and 503 until patience ends. Every response other
// than a success of the API is returned as a *Refusal.
func (s sender) Do(r *http.Request) (*http.Response, error) {
	if s.patience <= 0 || r.Body != nil && r.GetBody == nil {
		return s.once(r)
	}
	var refused *Refusal // the last one
	answer, err := backoff.Retry(r.Context(), func() (*http.Response, error) {
		answer, err := s.once(r)
		if err == nil {
			return answer, nil
		}
		last, ok := err.(*Refusal) //nolint:errorlint // a refusal of the token is wrapped, and was retried already
		if !ok || last.Status != http.StatusTooManyRequests && last.Status != http.StatusServiceUnavailable {
			return nil, backoff.Permanent(err)
		}
		refused = last
		if pause := last.RetryAfter(); pause > 0 {
			err = errors.Join(last, &backoff.RetryAfterError{Duration: pause})
		}
		return nil, err
	}, backoff.WithMaxElapsedTime(s.patience))
	if refused != nil && errors.Is(err, refused) {
		return nil, refused
	}
	return answer, err
}

// once sends a copy of a request, so that it can be sent again.
func (s sender) once(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		sent.Body = body
	}
	token := ""
	if s.tokens != nil && sent.Header.Get("Authorization") == "" {
		var err error
		if token, err = s.tokens.token(r.Context()); err != nil {
			return nil, err
		}
		sent.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := s.http.Do(sent)
	if err != nil || succeeded(answer) {
		return answer, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized && token != "" {
		s.tokens.forget(r.Context(), token)
	}
	return nil, refusal(answer)
}

// succeeded reports whether a response is a success of the API: a document, or an empty body for
// 204 and 304. A page that a proxy returns with 200 is not a success.
func succeeded(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusNoContent, http.StatusNotModified:
		return true
	}
	return answer.StatusCode < http.StatusBadRequest && strings.Contains(answer.Header.Get("Content-Type"), "json")
}
