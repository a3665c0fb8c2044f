package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"backroom/localstack/browser"
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// useReference is `make reference`: it reads the API reference of the running `make run` in a headless Chromium and tries operations
// on it, once through the door of `make run` and once through the cloud's own gateway. UPDATE=1 keeps a picture of the page.
func useReference(ctx context.Context, d app, _ []string) error {
	at, ok := local.Running(d.repo)
	if !ok {
		return remedy.For(errors.New("nothing is running here"), "make run, then this again in another terminal")
	}
	deployed, err := stack.Describe(ctx, at.Endpoint, at.Stack)
	if err != nil {
		return err
	}
	gateway, err := deployed.API()
	if err != nil {
		return err
	}
	id, secret, err := deployed.Client(ctx)
	if err != nil {
		return err
	}
	for _, door := range []string{gateway, at.API} {
		err := d.Phase("reference", func() (note string, err error) {
			seen, err := browser.Visit{API: door, ClientID: id, ClientSecret: secret}.Do(ctx)
			if err == nil && (seen.Public != "200" || seen.Stranger != "401" || seen.Client != "200") {
				err = fmt.Errorf("the page shows %q for /health, %q for stock without a token and %q with one; not 200, 401, 200", seen.Public, seen.Stranger, seen.Client)
			}
			if err != nil {
				return "", remedy.For(fmt.Errorf("%s/docs: %w", door, err), "install Chromium if there is none; else open the page and its console")
			}
			if os.Getenv("UPDATE") == "1" {
				err = os.WriteFile(filepath.Join(d.repo, "docs", "api-reference.png"), seen.Picture, 0o644)
			}
			return fmt.Sprintf("%s/docs: 200, 401 without a token, 200 with one; %d requests, all to that origin", door, len(seen.Requests)), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
