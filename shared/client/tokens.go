package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Credentials are what a client gets tokens with.
type Credentials struct {
	ClientID string
	Secret   string
	Scope    string // what a token shall grant, separated by spaces; everything possible if empty
	Customer string // whom the tokens speak for; the client itself if empty
}

// Token asks for a new token, for whoever looks after it: a client of the API that has credentials of its own does so by itself.
func (c Credentials) Token(ctx context.Context, api *ClientWithResponses) (*TokenAnswer, error) {
	form := TokenRequest{GrantType: new("client_credentials")}
	if c.Scope != "" {
		form.Scope = &c.Scope
	}
	if c.Customer != "" {
		form.Customer = &c.Customer
	}
	answer, err := api.IssueTokenWithFormdataBodyWithResponse(ctx, form, c.authenticate)
	if err != nil {
		return nil, fmt.Errorf("ask for a token: %w", err)
	}
	if answer.JSON200 == nil || answer.JSON200.AccessToken == "" {
		return nil, errors.New("ask for a token: the answer has none")
	}
	return answer.JSON200, nil
}

// early is how long before a token expires another one is asked for: longer than a request and the difference of two clocks take.
const early = 30 * time.Second

// tokens are the access tokens of a client, one after the other.
type tokens struct {
	issuer      *ClientWithResponses
	credentials Credentials

	turn  chan struct{} // holds one who looks at what follows; who waits for it can be called off
	kept  string
	until time.Time // when it is too old
}

// token returns a token that is valid for a while. However many ask, there is one request for it.
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

// forget drops a token that was refused, so that the next request has another one.
func (t *tokens) forget(ctx context.Context, token string) {
	if t.take(ctx) != nil {
		return // the next one who is refused forgets it
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
