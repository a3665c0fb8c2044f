package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"backroom/localstack/clients"
	"backroom/localstack/lane"
	"backroom/localstack/seed"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
)

// tryClients is `make clients`: it lints the API's document, generates clients from it, and lets each one take an
// order through its life on a MiniStack of its own. CLIENTS names some of the clients.
func tryClients(ctx context.Context, d app, _ []string) error {
	some, err := clients.Named(strings.Fields(strings.ReplaceAll(os.Getenv("CLIENTS"), ",", " ")))
	if err != nil {
		return remedy.For(err, "make clients CLIENTS="+clients.All[0].Name)
	}
	if missing := clients.Missing(some); len(missing) > 0 {
		return remedy.For(fmt.Errorf("not on the path: %s", strings.Join(missing, ", ")),
			"install them, or name the clients that need nothing else: make clients "+
				"CLIENTS=openapi-fetch,openapi-python-client")
	}
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	bench := clients.Bench{
		Drivers: filepath.Join(d.repo, "localstack", "clients"), Scratch: filepath.Join(d.repo, ".backroom", "clients"),
		Document:   filepath.Join(d.repo, "docs", "openapi.yaml"),
		Document30: filepath.Join(d.repo, ".backroom", "clients", "openapi-3.0.yaml"),
	}
	err = d.Phase("generators", func() (string, error) {
		got, err := tools.InstallClients(ctx, d.repo)
		if err != nil {
			return "", err
		}
		bench.Node, bench.Python = got.Node, got.Python
		if err := os.MkdirAll(bench.Scratch, 0o755); err != nil {
			return "", err
		}
		release := exec.CommandContext(ctx, "go", "run", "./localstack/contract/release", bench.Scratch)
		release.Dir = d.repo
		if printed, err := release.CombinedOutput(); err != nil {
			return "", fmt.Errorf("write the document in OpenAPI 3.0: %w\n%s", err, printed)
		}
		return "npm and PyPI packages, pinned", nil
	})
	if err != nil {
		return err
	}
	lints := d.Phase("linters", func() (string, error) { return bench.Lint(ctx) })
	return errors.Join(lints, d.driveClients(ctx, installed, bench, some))
}

// driveClients deploys a stack and tries every client on it.
func (d app) driveClients(ctx context.Context, installed tools.Tools, bench clients.Bench, some []clients.Client) (
	err error) {
	where, deployed, err := d.deployAlone(ctx, installed, "backroom-clients")
	if err != nil {
		return err
	}
	defer closing(&err, where.close)
	plain, grown, closeDoors, err := doors(deployed)
	if err != nil {
		return err
	}
	defer closing(&err, closeDoors)
	api, err := shop.New(plain, nil)
	if err != nil {
		return err
	}
	credentials, _, err := stock(ctx, deployed, api, "clients", seed.Orders(100))
	if err != nil {
		return err
	}
	target := clients.Target{ClientID: credentials.ClientID, ClientSecret: credentials.Secret}
	results, failure := d.driveEach(ctx, bench, some, target, grown)
	failures := []error{failure}
	target.API, target.Run = plain, "prism-"+stamp()
	failures = append(failures, d.Phase("prism", func() (string, error) {
		result, err := bench.Validate(ctx, some[0], target)
		return fmt.Sprintf("%s through Prism: %d steps, no request and no answer differs from the document",
			result.Client.Name, result.Steps), err
	}))
	d.Linef("")
	for _, line := range clients.Table(results) {
		d.Linef("     %s", line)
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	d.Linef("     %sclients: %d generated clients take an order through %d steps", lane.FigureMark, len(results),
		len(clients.Steps))
	return nil
}

// driveEach tries every client at the address api. A client that fails does not stop the others.
func (d app) driveEach(ctx context.Context, bench clients.Bench, some []clients.Client, target clients.Target,
	api string) (
	results []clients.Result, err error) {
	target.API = api
	var failures []error
	for _, client := range some {
		target.Run = client.Name + "-" + stamp()
		failures = append(failures, d.Phase("client", func() (string, error) {
			result, err := bench.Try(ctx, client, target)
			results = append(results, result)
			return client.Name, err
		}))
	}
	return results, errors.Join(failures...)
}

// doors serves the API at two addresses: as it is, and as a later release may answer.
func doors(deployed stack.Stack) (plain, grown string, closing func() error, err error) {
	var servers [2]*http.Server
	var addresses [2]string
	for i, handler := range []func(http.Handler) http.Handler{
		func(h http.Handler) http.Handler { return h }, clients.Grow,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", nil, err
		}
		if addresses[i], servers[i], err = serve(deployed, listener, handler); err != nil {
			return "", "", nil, err
		}
	}
	return addresses[0], addresses[1],
		func() error { return errors.Join(servers[0].Close(), servers[1].Close()) }, nil
}
