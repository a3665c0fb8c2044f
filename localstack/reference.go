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

// useReference is `make reference`: it opens the API reference of the running `make run` in a headless
// Chromium and tries operations on it, once at the cloud's own gateway and once at the address that
// `make run` prints. UPDATE=1 writes docs/api-reference.png, a picture of the page.
func useReference(ctx context.Context, d app, _ []string) error {
	at, ok := local.Running(d.repo)
	if !ok {
		return remedy.For(errors.New("make run is not running"), "make run, then this command in another terminal")
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
	for _, address := range []string{gateway, at.API} {
		err := d.Phase("reference", func() (note string, err error) {
			seen, err := browser.Visit{API: address, ClientID: id, ClientSecret: secret}.Do(ctx)
			if err == nil && (seen.Public != "200" || seen.Stranger != "401" || seen.Client != "200") {
				err = fmt.Errorf("the page shows %q for /health, %q for stock without a token and %q with a token; "+
					"expected 200, 401 and 200", seen.Public, seen.Stranger, seen.Client)
			}
			if err != nil {
				return "", remedy.For(fmt.Errorf("%s/docs: %w", address, err),
					"install Chromium if it is missing; otherwise open the page and read its console")
			}
			if os.Getenv("UPDATE") == "1" {
				err = os.WriteFile(filepath.Join(d.repo, "docs", "api-reference.png"), seen.Picture, 0o644)
			}
			return fmt.Sprintf(
				"%s/docs: /health 200, stock 401 without a token and 200 with one; %d requests, all to that origin",
				address, len(seen.Requests)), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
