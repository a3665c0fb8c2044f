package oauth

import (
	"regexp"
	"slices"
	"strings"

	"backroom/shared/identity"
)

// TokenRequest is what a client asks for.
type TokenRequest struct {
	GrantType string `json:"grant_type,omitempty" example:"client_credentials" doc:"client_credentials"`
	Scope     string `json:"scope,omitempty" example:"orders:write orders:read" doc:"what the token shall grant, separated by spaces; everything possible if left out"`
	Customer  string `json:"customer,omitempty" example:"customer-17" doc:"the customer the token shall speak for; 1 to 64 letters, digits, '.', '_' or '-'. It then grants orders:write and orders:read at most. Needs tokens:customer"`
	ClientID  string `json:"client_id,omitempty" doc:"if present, the client that authenticates itself in the header"`
	Secret    string `json:"client_secret,omitempty" doc:"refused: clients authenticate with HTTP Basic"`

	_ struct{} `additionalProperties:"true"` // a field that is not known is ignored (RFC 6749, section 3.2)
}

// Refusal is an error response of the token endpoint (RFC 6749, section 5.2).
type Refusal struct{ Code, Description string }

// Error returns the code and the description.
func (r *Refusal) Error() string { return r.Code + ": " + r.Description }

// Why a client gets no token.
var (
	// ErrUnknownClient does not tell a wrong secret from a client that does not exist.
	ErrUnknownClient = &Refusal{"invalid_client", "The client is unknown or its secret is wrong. Authenticate with HTTP Basic."}

	errSecretInBody   = &Refusal{"invalid_request", "Authenticate with HTTP Basic, not in the body."}
	errOtherClient    = &Refusal{"invalid_request", "client_id is not the client that authenticated itself."}
	errNoGrantType    = &Refusal{"invalid_request", "grant_type is missing."}
	errGrantType      = &Refusal{"unsupported_grant_type", "grant_type must be client_credentials."}
	errNoCustomers    = &Refusal{"unauthorized_client", "The client may not ask for tokens that speak for a customer."}
	errCustomer       = &Refusal{"invalid_request", "customer must be 1 to 64 letters, digits, '.', '_' or '-'."}
	errScopeTooWide   = &Refusal{"invalid_scope", "The token may not grant all of these scopes."}
	errNothingGranted = &Refusal{"invalid_scope", "The client has no scope that this token could grant."}
)

// customer has no colon, so that no customer can have the name of a client (see Grant), and no at sign: it stands in logs and
// rows, where no address of a person belongs.
var customer = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Grant decides for whom a token speaks that the client asks for, and what it grants; or returns the Refusal. A token that
// speaks for no customer has the subject "client:" and the client's id.
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

// speaksFor returns the subject of the token and the scopes that are possible for it.
func speaksFor(c Client, name string) (subject string, possible []string, err error) {
	switch {
	case name == "":
		return "client:" + c.ID, c.Scopes, nil
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

// narrow returns those of the possible scopes that are wanted: all, if none is named.
func narrow(possible []string, wanted string) ([]string, error) {
	if len(possible) == 0 {
		return nil, errNothingGranted
	}
	if wanted == "" {
		return possible, nil
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
