// Package client is how Go programs call Backroom: a method for each operation and a type for each document, generated from
// docs/openapi.yaml, and beside them what that file cannot say: where tokens come from, what a refusal is in Go, and when a
// request is sent again.
//
// Every method whose name ends in WithResponse returns the answer of a success, decoded into the field of its status, as in JSON202;
// of a GET whose ETag still holds (304) there is none. What the API refuses is an error, a *Refusal, and so is a success that cannot be
// the API's:
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
//go:generate go run ../../localstack/contract/release ../../.backroom/release
//go:generate go tool -modfile=generator.mod oapi-codegen -config oapi-codegen.yaml -o api.gen.go ../../.backroom/release/openapi-3.0.yaml

// Settings are what a client needs besides the API's address.
type Settings struct {
	// HTTP sends the requests; nil is http.DefaultClient.
	HTTP *http.Client
	// Credentials are what tokens are asked for with, before the first request and whenever one is about to expire. Without a
	// ClientID no token is sent: that will do for public operations. A request that has an Authorization keeps it.
	Credentials Credentials
	// Patience is for how long a request may be sent again in all while its answer is 429 or 503: after the pause that the answer
	// asks for in Retry-After, or after growing ones from half a second if it asks for none. If the pause would last longer than what is
	// left of it, the refusal is returned at once. 0: a request is sent once.
	Patience time.Duration
}

// New returns a client of the API at a URL, which includes the stage, as in https://api.example.com/v1. It is for concurrent use,
// and asks nothing until it is used.
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

// NewKey returns a new Idempotency-Key. Keep it for as long as the request that it names may be repeated.
func NewKey() string { return rand.Text() }

// sender sends what the generated code asks for.
type sender struct {
	http     *http.Client
	tokens   *tokens // nil: no token is sent
	patience time.Duration
}

// Do sends a request until it has an answer that is not "later", or patience ends. Every answer that is no success of the API's is a
// *Refusal.
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
		last, ok := err.(*Refusal) //nolint:errorlint // a refusal of the token is wrapped, and was waited for already
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

// succeeded reports whether an answer is a success of the API's: a document, or none where there is none. A page that somebody in
// between gives with 200 is not.
func succeeded(answer *http.Response) bool {
	switch answer.StatusCode {
	case http.StatusNoContent, http.StatusNotModified:
		return true
	}
	return answer.StatusCode < http.StatusBadRequest && strings.Contains(answer.Header.Get("Content-Type"), "json")
}
