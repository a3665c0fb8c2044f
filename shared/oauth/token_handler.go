package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
)

// Clients authenticates the OAuth clients.
type Clients interface {
	// Authenticate returns the client with the id and the secret. It returns ErrUnknownClient, after the same time,
	// for a wrong secret and for an unknown client, and fault.Unavailable if the clients could not be read.
	Authenticate(ctx context.Context, id, secret string) (Client, error)
}

// TokenHandler answers POST /oauth/token with the client credentials grant (RFC 6749, section 4.4).
//
// Its refusals are TokenErrors: problem documents with the members error and error_description, as
// application/json, because OAuth client libraries expect them (RFC 6749, section 5.2).
type TokenHandler struct {
	Clients Clients
	Mint    *identity.Mint
}

type tokenInput struct {
	Authorization string       `header:"Authorization" hidden:"true"`
	Body          TokenRequest `contentType:"application/x-www-form-urlencoded"`
}

// Token is the answer to a request that is granted (RFC 6749, section 5.1).
type Token struct {
	AccessToken string `json:"access_token" doc:"a JWT (RFC 9068); opaque to clients"`
	TokenType   string `json:"token_type" example:"Bearer" doc:"Bearer: send the token as Authorization: Bearer <access_token>"`
	ExpiresIn   int    `json:"expires_in" minimum:"1" maximum:"86400" example:"900" doc:"lifetime of the token, in seconds"`
	Scope       string `json:"scope" example:"orders:write orders:read" doc:"the scopes that the token grants, separated by spaces"`
}

// TokenError is the answer to a request that is refused (RFC 6749, section 5.2), and a problem document (RFC 9457).
type TokenError struct {
	api.Problem
	OAuthError  string `json:"error" required:"false" example:"invalid_client" doc:"invalid_client: the client is unknown or its secret is wrong. invalid_request: the form breaks a rule. temporarily_unavailable: try again after Retry-After. server_error: the server failed. Others: RFC 6749, section 5.2. Absent if the gateway refused the request"`
	Description string `json:"error_description" required:"false" doc:"what is wrong and what to do, for people; equals detail"`
}

type tokenOutput struct {
	CacheControl string `header:"Cache-Control" doc:"no-store: no cache may keep the token"`
	Pragma       string `header:"Pragma" doc:"no-cache, for caches of HTTP 1.0"`
	Body         Token
}

// Operation returns the route.
func (h TokenHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "issue-token", Method: http.MethodPost, Path: "/oauth/token", Tags: []string{"access"},
		DefaultStatus: http.StatusOK,
		Summary:       "Issue an access token",
		Description: "The client credentials grant of OAuth 2.0 (RFC 6749, section 4.4). Clients authenticate with " +
			"HTTP Basic. A refusal has the members `error` and `error_description` of RFC 6749, section 5.2, beside " +
			"those of a problem document.",
		Access:  api.Basic,
		Refusal: &api.RefusalForm{Media: "application/json", Body: tokenError},
		Faults:  []*fault.Fault{ErrUnknownClient, ErrTokenRefused, errClientsUnavailable},
	}, h.serve)
}

// tokenError adds the members of RFC 6749, section 5.2, to a problem.
func tokenError(err error, p api.Problem) any {
	code := "invalid_request"
	refusal, isRefusal := errors.AsType[*Refusal](err)
	switch {
	case isRefusal:
		code = refusal.Code
	case errors.Is(err, ErrUnknownClient):
		code = "invalid_client"
	case p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable:
		code = "temporarily_unavailable"
	case p.Status >= http.StatusInternalServerError:
		code = "server_error"
	}
	return TokenError{Problem: p, OAuthError: code, Description: p.Detail}
}

func (h TokenHandler) serve(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	caller, err := h.grant(ctx, in)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		observe.Note(ctx, slog.String("refusal", refusal.Code))
		return nil, ErrTokenRefused.With(refusal.Description).Because(refusal)
	}
	if err != nil {
		return nil, err
	}
	token, err := h.Mint.Issue(ctx, caller)
	if err != nil {
		return nil, err
	}
	observe.Note(ctx, slog.String("grantedTo", caller.Client))
	return &tokenOutput{"no-store", "no-cache", Token{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: int(h.Mint.Lifetime.Seconds()),
		Scope: strings.Join(caller.Scopes, " "),
	}}, nil
}

func (h TokenHandler) grant(ctx context.Context, in *tokenInput) (identity.Caller, error) {
	id, secret, ok := basic(in.Authorization)
	if !ok {
		return identity.Caller{}, ErrUnknownClient
	}
	client, err := h.Clients.Authenticate(ctx, id, secret)
	if err != nil {
		return identity.Caller{}, err
	}
	return Grant(client, in.Body)
}

// basic returns the id and the secret of an HTTP Basic header. Both are form-encoded before they are joined (RFC 6749,
// section 2.3.1); letters, digits and "-._~" look the same either way.
func basic(authorization string) (id, secret string, ok bool) {
	scheme, encoded, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(pair), ":")
	id, badID := url.QueryUnescape(id)
	secret, badSecret := url.QueryUnescape(secret)
	return id, secret, ok && badID == nil && badSecret == nil
}
