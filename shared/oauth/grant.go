package oauth

import (
	"regexp"
	"slices"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/identity"
)

// TokenRequest is the form that a client sends.
type TokenRequest struct {
	GrantType string  `json:"grant_type,omitempty" example:"client_credentials" doc:"must be client_credentials"`
	Scope     *string `json:"scope,omitempty" example:"orders:write orders:read" doc:"the scopes to grant, separated by spaces; if absent, all that are possible"`
	Customer  *string `json:"customer,omitempty" example:"customer-17" doc:"the customer that the token acts for: 1 to 64 letters, digits, '.', '_' or '-'. The token grants at most orders:write and orders:read. Needs tokens:customer"`
	ClientID  string  `json:"client_id,omitempty" doc:"if present, it must be the client of the Authorization header"`
	Secret    string  `json:"client_secret,omitempty" doc:"not accepted here: authenticate with HTTP Basic"`

	_ struct{} `additionalProperties:"true"` // the server ignores unknown fields (RFC 6749, section 3.2)
}

// Refusal is an error response of the token endpoint (RFC 6749, section 5.2).
type Refusal struct{ Code, Description string }

// Error returns the code and the description.
func (r *Refusal) Error() string { return r.Code + ": " + r.Description }

// The refusals.
var (
	// ErrUnknownClient is the same for a wrong secret and for an unknown client.
	ErrUnknownClient = fault.New(fault.Unauthenticated, "unknown-client",
		"The client is unknown or its secret is wrong. Authenticate with HTTP Basic.")
	// ErrTokenRefused is the answer to a client that is known, but cannot have this token. Its cause is a *Refusal.
	ErrTokenRefused = fault.New(fault.Malformed, "token-refused",
		"The client cannot have this token; error and error_description say why.")

	errSecretInBody = &Refusal{"invalid_request", "The secret is in the body. Authenticate with HTTP Basic."}
	errOtherClient  = &Refusal{"invalid_request",
		"client_id differs from the client of the Authorization header. Leave it out, or send the same id."}
	errNoGrantType = &Refusal{"invalid_request", "grant_type is missing. Send grant_type=client_credentials."}
	errGrantType   = &Refusal{"unsupported_grant_type", "grant_type must be client_credentials."}
	errNoCustomers = &Refusal{"unauthorized_client",
		"The client lacks the scope tokens:customer. Leave customer out."}
	errNoScope      = &Refusal{"invalid_scope", "scope is empty. Name scopes, or leave it out."}
	errCustomer     = &Refusal{"invalid_request", "customer must be 1 to 64 letters, digits, '.', '_' or '-'."}
	errScopeTooWide = &Refusal{"invalid_scope",
		"The token cannot grant all of these scopes. Ask for fewer, or leave scope out."}
	errNothingGranted = &Refusal{"invalid_scope", "The client has no scope that this token can grant."}
)

// customer matches the names of customers. A colon is not allowed, so that a customer cannot have
// the subject of a client (see Grant). An at sign is not allowed, because logs and rows have the
// name and must not have mail addresses.
var customer = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Grant decides the subject and the scopes of the token that a client asks for, or returns a
// *Refusal. A token without a customer has the subject "client:" and the client's id.
func Grant(c Client, r TokenRequest) (identity.Caller, error) {
	switch {
	case r.Secret != "":
		return identity.Caller{}, errSecretInBody
	case r.ClientID != "" && r.ClientID != c.ID:
		return identity.Caller{}, errOtherClient
	case r.GrantType == "":
		return identity.Caller{}, errNoGrantType
	case r.GrantType != "client_credentials":
		return identity.Caller{}, errGrantType
	}
	subject, possible, err := speaksFor(c, r.Customer)
	if err != nil {
		return identity.Caller{}, err
	}
	scopes, err := narrow(possible, r.Scope)
	if err != nil {
		return identity.Caller{}, err
	}
	return identity.Caller{Shop: c.Shop, Subject: subject, Client: c.ID, Scopes: scopes}, nil
}

// speaksFor returns the subject of the token and the scopes that it may have.
func speaksFor(c Client, named *string) (subject string, possible []string, err error) {
	if named == nil {
		return "client:" + c.ID, c.Scopes, nil
	}
	name := *named
	switch {
	case !slices.Contains(c.Scopes, identity.TokensCustomer):
		return "", nil, errNoCustomers
	case !customer.MatchString(name):
		return "", nil, errCustomer
	}
	for _, scope := range c.Scopes {
		if scope == identity.OrdersWrite || scope == identity.OrdersRead {
			possible = append(possible, scope)
		}
	}
	return name, possible, nil
}

// narrow returns the wanted scopes, or all possible ones if none are named. Empty text is refused,
// although RFC 6749, section 3.2, takes it for absent: it comes from a variable that was not set,
// and must not get the widest token. It returns a *Refusal for any other scope.
func narrow(possible []string, named *string) ([]string, error) {
	if len(possible) == 0 {
		return nil, errNothingGranted
	}
	if named == nil {
		return possible, nil
	}
	wanted := *named
	if wanted == "" {
		return nil, errNoScope
	}
	var granted []string
	for scope := range strings.SplitSeq(wanted, " ") {
		switch {
		case !slices.Contains(possible, scope):
			return nil, errScopeTooWide
		case !slices.Contains(granted, scope):
			granted = append(granted, scope)
		}
	}
	return granted, nil
}
