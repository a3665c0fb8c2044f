// Command drive drives the API with the client that ogen generated. See ../clients.go for what it prints.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"drive/api"
)

var run = os.Getenv("BACKROOM_RUN")

// credentials are the client's own, or an access token.
type credentials struct{ token string }

func (c credentials) Basic(context.Context, api.OperationName) (api.Basic, error) {
	return api.Basic{Username: os.Getenv("BACKROOM_CLIENT_ID"), Password: os.Getenv("BACKROOM_CLIENT_SECRET")}, nil
}

func (c credentials) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	return api.Bearer{Token: c.token}, nil
}

func main() {
	if err := drive(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
