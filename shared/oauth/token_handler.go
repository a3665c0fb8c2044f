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
// Its errors have the form of RFC 6749, section 5.2, which is application/json with error and
// error_description, because OAuth client libraries expect it. Errors that the protocol has no code
// for (an unreadable form, another media type, throttling, an outage) are RFC 9457 documents as on
// every route.
type TokenHandler struct {
	Clients Clients
	Mint    *identity.Mint
}

type tokenInput struct {
	Authorization string       `header:"Authorization" hidden:"true"`
	Body          TokenRequest `contentType:"application/x-www-form-urlencoded"`
}

// TokenAnswer has either a token or an error.
type TokenAnswer struct {
	AccessToken string `json:"access_token,omitempty" doc:"a JWT (RFC 9068); opaque to clients"`
	TokenType   string `json:"token_type,omitempty" example:"Bearer"`
	ExpiresIn   int    `json:"expires_in,omitempty" example:"900" doc:"lifetime of the token, in seconds"`
	Scope       string `json:"scope,omitempty" example:"orders:write orders:read" doc:"the scopes that the token grants"`

	Error            string `json:"error,omitempty" example:"invalid_client" doc:"if the request was refused: invalid_client, invalid_request, unsupported_grant_type, unauthorized_client or invalid_scope (RFC 6749, section 5.2)"`
	ErrorDescription string `json:"error_description,omitempty" doc:"what is wrong and what to do, for people"`
}

type tokenOutput struct {
	Status       int
	CacheControl string `header:"Cache-Control"`
	Pragma       string `header:"Pragma"`
	Authenticate string `header:"WWW-Authenticate" doc:"how to authenticate; with status 401"`
	Body         TokenAnswer
}

// Operation returns the route.
func (h TokenHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "issue-token", Method: http.MethodPost, Path: "/oauth/token", Tags: []string{"access"},
		DefaultStatus: http.StatusOK,
		Summary:       "Issue an access token",
		Description: "The client credentials grant of OAuth 2.0 (RFC 6749, section 4.4). Clients authenticate with " +
			"HTTP Basic. A refusal is " +
			"JSON with `error` and `error_description` (RFC 6749, section 5.2), with status 401 for " +
			"`invalid_client` and 400 otherwise.",
		Access: api.Public,
		Answers: map[int]string{
			http.StatusBadRequest:   "The request was refused; `error` says why.",
			http.StatusUnauthorized: "The client is unknown, or its secret is wrong.",
		},
	}, h.serve)
}

func (h TokenHandler) serve(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	caller, err := h.grant(ctx, in)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		observe.Note(ctx, slog.String("refusal", refusal.Code))
		return refused(refusal), nil
	}
	if err != nil {
		return nil, err
	}
	token, err := h.Mint.Issue(ctx, caller)
	if err != nil {
		return nil, err
	}
	observe.Note(ctx, slog.String("grantedTo", caller.Client))
	return answer(http.StatusOK, TokenAnswer{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: int(h.Mint.Lifetime.Seconds()),
		Scope: strings.Join(caller.Scopes, " "),
	}), nil
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

func refused(r *Refusal) *tokenOutput {
	out := answer(http.StatusBadRequest, TokenAnswer{Error: r.Code, ErrorDescription: r.Description})
	if r == ErrUnknownClient {
		out.Status = http.StatusUnauthorized
		out.Authenticate = `Basic realm="backroom", charset="UTF-8"`
	}
	return out
}

// answer returns an output that no cache may store, because it may hold a token.
func answer(status int, body TokenAnswer) *tokenOutput {
	return &tokenOutput{Status: status, CacheControl: "no-store", Pragma: "no-cache", Body: body}
}
