package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"backroom/localstack/cloud"
	"backroom/localstack/deploy"
	"backroom/localstack/front"
	"backroom/localstack/seed"
	"backroom/shared/client"
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
	"backroom/shared/ops/terminal"
)

const (
	stackName   = "backroom" // the stack of `make run`
	customer    = "ada"      // the customer of all orders that `make run` places
	orders      = 25         // how many orders each run places
	concurrency = 2          // how many of them are open at once; more would only wait for the local cloud
)

// run is `make run`: it starts MiniStack, deploys the stack, places orders and serves the API until ctx
// ends or MiniStack does.
func run(ctx context.Context, d app, _ []string) (err error) {
	began := time.Now()
	apiPort, err := port("API_PORT", 8080)
	if err != nil {
		return err
	}
	cloudPort, err := port("CLOUD_PORT", 4566)
	if err != nil {
		return err
	}
	if apiPort == cloudPort {
		return remedy.For(fmt.Errorf("API_PORT and CLOUD_PORT are both %d, and must differ", apiPort),
			"make run, which uses 8080 and 4566, or two other ports")
	}
	claim, err := d.claim()
	if err != nil {
		return err
	}
	defer closing(&err, claim.Release)
	for _, check := range []error{
		cloud.CheckPort(apiPort, "API", "API_PORT"), cloud.CheckPort(cloudPort, "local cloud", "CLOUD_PORT"),
		d.checkStored(cloudPort),
	} {
		if check != nil {
			return check
		}
	}
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}

	ministack := &cloud.MiniStack{Tools: installed, Port: cloudPort, State: d.stateOf(cloudPort)}
	if ministack.Unsaved() {
		d.Linef("%s the last run ended without saving: %s", d.Bad("but"), ministack.Lost())
	}
	err = d.Phase("cloud", func() (string, error) {
		note := "MiniStack at " + ministack.Endpoint()
		if _, stored := ministack.Saved(); stored {
			note += ", with the data of earlier runs (make reset deletes it)"
		}
		if ports := d.others(cloudPort); len(ports) > 0 {
			note += "; other data stay under CLOUD_PORT=" + strings.Join(ports, ", ")
		}
		return note, ministack.Start(ctx)
	})
	if err != nil {
		return err
	}
	defer closing(&err, func() error {
		err := ministack.Stop()
		if err == nil {
			d.Linef("saved; the next make run with CLOUD_PORT=%d has the same data", cloudPort)
		}
		return err
	})

	deployed, err := d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: ministack.Endpoint(), Stack: stackName,
		Parameters: deploy.HighLimits(map[string]string{
			"ProblemsUrl": fmt.Sprintf("http://127.0.0.1:%d/problems", apiPort), // the gateway's own address is long
		}),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(apiPort)))
	if err != nil {
		return err
	}
	open, served, err := serve(deployed, listener, func(api http.Handler) http.Handler { return api })
	if err != nil {
		return err
	}
	defer served.Close()
	here := local.Run{Pid: os.Getpid(), Endpoint: ministack.Endpoint(), API: open, Stack: deployed.Name}
	if err := claim.Announce(here); err != nil {
		return err
	}

	api, err := shop.New(open, nil)
	if err != nil {
		return err
	}
	if err := d.placeOrders(ctx, deployed, api, ministack.Log()); err != nil {
		return err
	}
	id, secret, err := deployed.Client(ctx)
	if err != nil {
		return err
	}
	d.Linef(`
Ready after %.1f s:
  API           %s
  API reference %s/docs   (try operations in the browser)
  local cloud   %s
  its log       %s

%s

Ctrl-C stops it and keeps the data.`,
		time.Since(began).Seconds(), open, open, ministack.Endpoint(), ministack.Log(),
		terminal.Lines(pasteable(open, id, secret)))
	select {
	case <-ctx.Done():
		d.Linef("\nstopping")
		return nil
	case <-ministack.Exited():
		if ctx.Err() != nil {
			return nil // both got a signal; Stop says whether the state was saved
		}
		return remedy.For(fmt.Errorf("MiniStack ended unexpectedly:\n%s", ministack.LogTail(12)), "make run")
	}
}

// port reads a port from the environment. It returns otherwise if the setting is absent, and an error for
// any other text than an integer from 1 to 65535.
func port(setting string, otherwise int) (int, error) {
	given := os.Getenv(setting)
	if given == "" {
		return otherwise, nil
	}
	number, err := strconv.Atoi(given)
	if err != nil || number < 1 || number > 65535 {
		return 0,
			remedy.For(fmt.Errorf("%s=%s: must be a port from 1 to 65535", setting, given),
				fmt.Sprintf("make run %s=%d", setting, otherwise))
	}
	return number, nil
}

// deploy builds the functions, deploys the template, and registers the stack's API with the payment sandbox.
func (d app) deploy(ctx context.Context, plan deploy.Deployment) (deployed stack.Stack, err error) {
	var build *deploy.Build
	err = d.Phase("build", func() (note string, err error) {
		build, note, err = plan.Prepare(ctx)
		return note, err
	})
	if err != nil {
		return deployed, err
	}
	err = d.Phase("deploy", func() (string, error) {
		deployed, err = plan.Deploy(ctx, build)
		return "stack " + plan.Stack + ", with the SAM CLI", err
	})
	if err != nil {
		return deployed, err
	}
	return deployed, d.Phase("payments", func() (string, error) { return deploy.RegisterCallbacks(ctx, deployed) })
}

// serve starts a proxy to the API on the listener and returns its URL. wrap may change what the proxy answers.
func serve(deployed stack.Stack, listener net.Listener, wrap func(http.Handler) http.Handler) (open string,
	served *http.Server, err error) {
	address, err := deployed.API()
	if err != nil {
		return "", nil, err
	}
	gateway, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	served = &http.Server{Handler: wrap(front.Proxy(gateway, stack.StagePath)), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = served.Serve(listener) }()
	return "http://" + listener.Addr().String(), served, nil
}

// stock adds products, and the stock that the orders need. It returns the credentials of the stack's client and how many
// products are new.
func stock(ctx context.Context, deployed stack.Stack, api shop.API, name string, baskets []seed.Order) (
	credentials client.Credentials, added int, err error) {
	if credentials.ClientID, credentials.Secret, err = deployed.Client(ctx); err != nil {
		return credentials, 0, err
	}
	staff, err := api.Token(ctx, credentials)
	if err != nil {
		return credentials, 0, err
	}
	added, err = seed.Seeder{API: api, Token: staff, Name: name}.Stock(ctx, baskets)
	return credentials, added, err
}

// stamp returns a text that differs between runs.
func stamp() string { return strconv.FormatInt(time.Now().UnixMilli(), 36) }

// placeOrders adds products and stock, and places orders. It prints a line for each order once that has an
// outcome, and returns an error if an outcome is not the expected one. log is the file to look into then.
func (d app) placeOrders(ctx context.Context, deployed stack.Stack, api shop.API, log string) error {
	name := "run-" + stamp()
	baskets := seed.Orders(orders)
	var credentials client.Credentials
	err := d.Phase("catalogue", func() (note string, err error) {
		var added int
		credentials, added, err = stock(ctx, deployed, api, name, baskets)
		return fmt.Sprintf("%d products, %d of them new; stock delivered", len(seed.Catalogue()), added), err
	})
	if err != nil {
		return err
	}
	credentials.Customer = customer
	buyer, err := api.Token(ctx, credentials)
	if err != nil {
		return err
	}
	d.Linef("\nplacing %d orders; some are declined or out of stock on purpose\n\n%-37s %-26s %s", orders,
		"order", "outcome", "ms from accepted to outcome")

	var (
		mu    sync.Mutex
		times []time.Duration
		wrong []string
	)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, order := range baskets {
		group.Go(func() error {
			receipt, err := api.Place(within, buyer, fmt.Sprintf("%s-%d", name, i), order.Basket)
			if err != nil {
				return err
			}
			accepted := time.Now()
			limit, cancel := context.WithTimeout(within, time.Minute)
			defer cancel()
			seen, err := api.Await(limit, buyer, receipt.ID)
			if err != nil {
				return err
			}
			took := time.Since(accepted)
			d.Linef("%-37s %s %5d", receipt.ID, d.outcome(seen), took.Milliseconds())
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
			if outcome := shop.Outcome(seen); outcome != order.Outcome {
				wrong = append(wrong, fmt.Sprintf("%s is %q, expected %q", receipt.ID, outcome, order.Outcome))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return remedy.For(err, "look for errors in the log: grep -i error "+log)
	}
	slices.Sort(times)
	d.Linef("\n%d orders have an outcome; from accepted to outcome: p50 %d ms, max %d ms", len(times),
		times[len(times)/2].Milliseconds(), times[len(times)-1].Milliseconds())
	if len(wrong) > 0 {
		return fmt.Errorf("unexpected outcomes:\n%s", strings.Join(wrong, "\n"))
	}
	return d.cancelOne(ctx, api, buyer, name, baskets[0].Basket)
}

// cancelOne places one more order and cancels it while it is being paid. It prints the command that shows
// the order: of all that `make run` places, this one goes through most steps.
func (d app) cancelOne(ctx context.Context, api shop.API, buyer, name string, basket client.OrderRequest) error {
	receipt, err := api.Place(ctx, buyer, name+"-canceled", basket)
	if err != nil {
		return err
	}
	canceled, err := api.Cancel(ctx, buyer, receipt.ID, "ordered by mistake")
	if err != nil {
		return err
	}
	what := map[bool]string{
		true:  "One more order was placed and canceled at once",
		false: "One more order was placed, but it was paid before it could be canceled",
	}[canceled]
	d.Linef("\n%s. In another terminal:\n  %-52s what happened to it\n  %-52s the mails to customers", what,
		"make order ID="+receipt.ID, "make mail")
	return nil
}

// outcome returns an order's outcome with its color. The padding is inside the color, so that columns align.
func (d app) outcome(o client.Order) string {
	word := fmt.Sprintf("%-26s", shop.Outcome(o))
	if o.Status == client.OrderStatusConfirmed || o.Status == client.OrderStatusPaid {
		return d.Good(word)
	}
	return d.Bad(word)
}

// pasteable returns shell commands that get a token, place an order and show it.
func pasteable(api, id, secret string) string {
	quoted := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	return fmt.Sprintf(`To place an order yourself, paste this into another terminal:

API=%s
TOKEN=$(curl -sS -u %s -d grant_type=client_credentials -d customer=%s $API/oauth/token | sed -E 's/.*"access_token": ?"([^"]+)".*/\1/')
ORDER=$(curl -sS -i $API/orders -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%%s)-$$" -H 'Content-Type: application/json' \
  -d '{"lines":[{"sku":"MUG-1","quantity":1}],"payment_method":"pm_card_visa"}' | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
sleep 1; curl -sS "$API$ORDER" -H "Authorization: Bearer $TOKEN"; echo

This one takes 15 seconds to be paid, and is canceled meanwhile (docs/test-cards.md has all test cards):

ORDER=$(curl -sS -i $API/orders -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%%s)-$$-slow" -H 'Content-Type: application/json' \
  -d '{"lines":[{"sku":"MUG-1","quantity":1}],"payment_method":"pm_sandbox_processing_15000"}' | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
curl -sS -X POST "$API$ORDER/cancellation" -H "Authorization: Bearer $TOKEN"; echo`, api,
		quoted(url.QueryEscape(id)+":"+url.QueryEscape(secret)), customer)
}
