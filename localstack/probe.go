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

	"backroom/localstack/lane"
	"backroom/localstack/probe"
	"backroom/localstack/seed"
	"backroom/localstack/tools"
	"backroom/shared/client"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
)

// ordersOfAKind is how many orders of each kind a customer has before the probe.
const ordersOfAKind = 6

// probeAPI is `make probe`: it deploys a stack on a MiniStack of its own and runs Schemathesis against it,
// once as each customer.
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
	where, deployed, err := d.deployAlone(ctx, installed, "backroom-probe")
	if err != nil {
		return err
	}
	defer closing(&err, where.close)
	var target probe.Shop
	err = d.Phase("seed", func() (note string, err error) {
		target, err = stocked(ctx, deployed)
		return fmt.Sprintf("%d products, %d orders of each customer", len(target.Sold), 3*ordersOfAKind), err
	})
	if err != nil {
		return err
	}
	return d.probe(ctx, target, probe.Probe{
		Program: program, Document: filepath.Join(d.repo, "docs", "openapi.yaml"),
		Folder:   filepath.Join(where.scratch, "probe"),
		Examples: examples, Seed: os.Getenv("SEED"),
	})
}

// probe runs p as each customer and prints how often each operation succeeded. It returns an error if an
// identity never succeeded with an operation that it is allowed.
func (d app) probe(ctx context.Context, target probe.Shop, p probe.Probe) error {
	operations, err := probe.Operations(p.Document)
	if err != nil {
		return err
	}
	sum := probe.Report{Granted: map[string]map[string]int{}, Exceptions: map[string]int{}}
	reports, errs := make([]probe.Report, len(probe.Customers)), make([]error, len(probe.Customers))
	failure := d.Phase("probe", func() (string, error) {
		var running sync.WaitGroup
		for i, customer := range probe.Customers {
			running.Go(func() { reports[i], errs[i] = p.Ask(ctx, target, customer) })
		}
		running.Wait()
		return fmt.Sprintf("as customer %s, and as staff: no failures, no warnings",
				strings.Join(probe.Customers, " and ")),
			errors.Join(errs...)
	})
	for _, report := range reports {
		sum.Add(report)
	}
	table, missing := sum.Table(operations)
	for _, line := range table {
		d.Linef("     %s", line)
	}
	for _, method := range slices.Sorted(maps.Keys(sum.Exceptions)) {
		d.Linef("     %sministack: the gateway answered %s with 403 %d times; HTTP says 405",
			lane.ExceptionMark, method, sum.Exceptions[method])
	}
	failures := []error{failure}
	if len(missing) > 0 {
		failures = append(failures, remedy.For(errors.New(strings.Join(missing, "\n")),
			"add what the operation needs to succeed to localstack/probe/hooks.py"))
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	d.Linef("     %sprobe: %d operations, %d examples each as %d identities: %d requests, %d checks", lane.FigureMark,
		len(operations), p.Examples, len(probe.Customers), sum.Cases, sum.Checks)
	return nil
}

// stocked adds products and stock to a deployed stack, and places orders of each kind for each customer.
func stocked(ctx context.Context, deployed stack.Stack) (target probe.Shop, err error) {
	target = probe.Shop{Orders: map[string]probe.Orders{}}
	if target.API, err = deployed.API(); err != nil {
		return target, err
	}
	if target.WebhookSecret, err = deployed.CallbackSecret(ctx); err != nil {
		return target, err
	}
	api, err := shop.New(target.API, nil)
	if err != nil {
		return target, err
	}
	credentials, _, err := stock(ctx, deployed, api, "probe", seed.Orders(100))
	if err != nil {
		return target, err
	}
	target.ClientID, target.ClientSecret = credentials.ClientID, credentials.Secret
	for _, product := range seed.Catalogue() {
		target.Sold = append(target.Sold, product.SKU)
	}
	for _, customer := range probe.Customers {
		credentials.Customer = customer
		token, err := api.Token(ctx, credentials)
		if err != nil {
			return target, err
		}
		if target.Orders[customer], err = placed(ctx, api, customer, token, target.Sold[0]); err != nil {
			return target, err
		}
	}
	return target, nil
}

// placed places a customer's orders and waits until each has the status of its kind. It returns an error
// if one takes longer than a minute.
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
		for i := range ordersOfAKind {
			basket := client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 2}},
				PaymentMethod: kind.card}
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

// count reads an integer ≥ 1 from the environment. It returns otherwise if the setting is absent, and an
// error for any other text.
func count(setting string, otherwise int) (int, error) {
	given := os.Getenv(setting)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 {
		return 0, remedy.For(fmt.Errorf("%s=%s: must be an integer ≥ 1", setting, given), setting+"=100")
	}
	return n, nil
}
