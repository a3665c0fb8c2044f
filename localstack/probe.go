package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"backroom/localstack/cloud"
	"backroom/localstack/deploy"
	"backroom/localstack/lane"
	"backroom/localstack/probe"
	"backroom/localstack/seed"
	"backroom/localstack/tools"
	"backroom/shared/client"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
)

// How many orders of each kind a customer has before the probe.
const probed = 6

// probeAPI is `make probe`: Schemathesis asks a stack that is freshly deployed on a MiniStack of its own, once as each customer.
func probeAPI(ctx context.Context, d app, _ []string) (err error) {
	examples, err := count("EXAMPLES", 100)
	if err != nil {
		return err
	}
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	program, err := tools.InstallSchemathesis(ctx, d.repo)
	if err != nil {
		return err
	}
	where, err := d.open(ctx, installed, cloud.NameMiniStack)
	if err != nil {
		return err
	}
	defer closing(&err, where.close)
	deployed, err := d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: where.Endpoint(), Stack: "backroom-probe", Parameters: deploy.WithRoom(nil),
	})
	if err != nil {
		return err
	}
	var asked probe.Shop
	err = d.Phase("seed", func() (note string, err error) {
		asked, err = stocked(ctx, deployed)
		return fmt.Sprintf("%d products, %d orders of each customer", len(asked.Sold), 3*probed), err
	})
	if err != nil {
		return err
	}
	return d.probe(ctx, asked, probe.Probe{
		Program: program, Document: filepath.Join(d.repo, "docs", "openapi.yaml"), Folder: filepath.Join(where.scratch, "probe"),
		Examples: examples, Seed: os.Getenv("SEED"),
	})
}

// probe asks as each customer, prints what was granted and demands that everybody was granted what it may do.
func (d app) probe(ctx context.Context, asked probe.Shop, p probe.Probe) error {
	operations, err := probe.Operations(p.Document)
	if err != nil {
		return err
	}
	sum := probe.Report{Granted: map[string]map[string]int{}, Exceptions: map[string]int{}}
	reports, errs := make([]probe.Report, len(probe.Customers)), make([]error, len(probe.Customers))
	failure := d.Phase("probe", func() (string, error) {
		var asking sync.WaitGroup
		for i, customer := range probe.Customers {
			asking.Go(func() { reports[i], errs[i] = p.Ask(ctx, asked, customer) })
		}
		asking.Wait()
		return fmt.Sprintf("as %s, with the staff: no failure, no warning", strings.Join(probe.Customers, " and as ")), errors.Join(errs...)
	})
	for _, report := range reports {
		sum.Add(report)
	}
	table, missing := sum.Table(operations)
	for _, line := range table {
		d.Linef("     %s", line)
	}
	for _, method := range slices.Sorted(maps.Keys(sum.Exceptions)) {
		d.Linef("     %sministack: %d times %s was answered 403 by the gateway, where HTTP says 405", lane.ExceptionMark, sum.Exceptions[method], method)
	}
	failures := []error{failure}
	if len(missing) > 0 {
		failures = append(failures, remedy.For(errors.New(strings.Join(missing, "\n")), "give the operation what it needs to succeed, in localstack/probe"))
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	d.Linef("     %sprobe: %d operations, %d examples each as %d identities: %d requests, %d checks", lane.FigureMark, len(operations), p.Examples, len(probe.Customers), sum.Cases, sum.Checks)
	return nil
}

// stocked fills the shop, and has each customer place orders that come to different ends.
func stocked(ctx context.Context, deployed stack.Stack) (asked probe.Shop, err error) {
	asked = probe.Shop{Orders: map[string]probe.Orders{}}
	var errs [3]error
	asked.API, errs[0] = deployed.API()
	asked.ClientID, asked.ClientSecret, errs[1] = deployed.Client(ctx)
	asked.WebhookSecret, errs[2] = deployed.CallbackSecret(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		return asked, err
	}
	api, err := shop.New(asked.API, nil)
	if err != nil {
		return asked, err
	}
	staff, err := api.Token(ctx, client.Credentials{ClientID: asked.ClientID, Secret: asked.ClientSecret})
	if err != nil {
		return asked, err
	}
	if _, err := (seed.Till{API: api, Token: staff, Name: "probe"}).Stock(ctx, seed.Orders(100)); err != nil {
		return asked, err
	}
	for _, product := range seed.Catalogue() {
		asked.Sold = append(asked.Sold, product.SKU)
	}
	for _, customer := range probe.Customers {
		token, err := api.Token(ctx, client.Credentials{ClientID: asked.ClientID, Secret: asked.ClientSecret, Customer: customer})
		if err != nil {
			return asked, err
		}
		if asked.Orders[customer], err = placed(ctx, api, customer, token, asked.Sold[0]); err != nil {
			return asked, err
		}
	}
	return asked, nil
}

// placed places a customer's orders and waits until they are what they are meant to be, a minute at most for each.
func placed(ctx context.Context, api shop.API, customer, token, sku string) (all probe.Orders, err error) {
	for _, kind := range []struct {
		card   string
		status client.OrderStatus
		list   *[]string
	}{
		{"pm_card_authenticationRequired", client.OrderStatusPlaced, &all.Open},
		{shop.CardGood, client.OrderStatusPaid, &all.Taken},
		{"pm_card_captureLapsed", client.OrderStatusNeedsAttention, &all.Stuck},
	} {
		for i := range probed {
			basket := client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 2}}, PaymentMethod: kind.card}
			receipt, err := api.Place(ctx, token, fmt.Sprintf("%s-%s-%d", customer, kind.status, i), basket)
			if err != nil {
				return all, err
			}
			*kind.list = append(*kind.list, receipt.ID)
		}
		for _, id := range *kind.list {
			limit, cancel := context.WithTimeout(ctx, time.Minute)
			_, err := api.AwaitThat(limit, token, id, func(o client.Order) bool { return o.Status == kind.status })
			cancel()
			if err != nil {
				return all, fmt.Errorf("order %s should be %s: %w", id, kind.status, err)
			}
		}
	}
	return all, nil
}

// count reads a number from the environment, at least 1 if it is there.
func count(setting string, otherwise int) (int, error) {
	given := os.Getenv(setting)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 {
		return 0, remedy.For(fmt.Errorf("%s=%s is no number of at least 1", setting, given), setting+"=100")
	}
	return n, nil
}
