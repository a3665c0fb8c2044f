package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Credentials get a client its tokens.
type Credentials struct {
	ClientID string
	Secret   string
	Scope    string // the scopes of a token, separated by spaces; empty: all that the client may have
	Customer string // the customer that the tokens act for; empty: the client itself
}

// Token requests a new token, for callers that manage tokens themselves. A client whose Settings
// have Credentials does that by itself. The error is a *Refusal if the API refused the request.
func (c Credentials) Token(ctx context.Context, api *ClientWithResponses) (*Token, error) {
	form := TokenRequest{GrantType: new("client_credentials")}
	if c.Scope != "" {
		form.Scope = &c.Scope
	}
	if c.Customer != "" {
		form.Customer = &c.Customer
	}
	answer, err := api.IssueTokenWithFormdataBodyWithResponse(ctx, form, c.authenticate)
	if err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	if answer.JSON200 == nil || answer.JSON200.AccessToken == "" {
		return nil, errors.New("get a token: the response has no token")
	}
	return answer.JSON200, nil
}

// early is how long before its expiry a token is replaced. It is longer than a request and the
// difference of two clocks.
const early = 30 * time.Second

// tokens has the current access token of a client.
type tokens struct {
	issuer      *ClientWithResponses
	credentials Credentials

	turn  chan struct{} // guards the fields below; a wait for it ends with its context
	kept  string
	until time.Time // when the token must be replaced
}

// token returns a valid token. Concurrent calls cause one request.
func (t *tokens) token(ctx context.Context) (string, error) {
	if err := t.take(ctx); err != nil {
		return "", err
	}
	defer t.leave()
	asked := time.Now()
	if asked.Before(t.until) {
		return t.kept, nil
	}
	answer, err := t.credentials.Token(ctx, t.issuer)
	if err != nil {
		return "", err
	}
	t.kept, t.until = answer.AccessToken, asked.Add(time.Duration(answer.ExpiresIn)*time.Second-early)
	return t.kept, nil
}

// forget drops a refused token, so that the next request gets a new one.
func (t *tokens) forget(ctx context.Context, token string) {
	if t.take(ctx) != nil {
		return // the next refused request drops it
	}
	defer t.leave()
	if t.kept == token {
		t.until = time.Time{}
	}
}

// take waits for its turn, or until ctx ends.
func (t *tokens) take(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *tokens) leave() { <-t.turn }

// authenticate adds the client's own authentication to a request (RFC 6749, section 2.3.1).
func (c Credentials) authenticate(_ context.Context, r *http.Request) error {
	r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.Secret))
	return nil
}
