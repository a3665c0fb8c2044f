package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/smoke"
	"backroom/shared/saga"
)

// smoke is the verb smoke.
func (c *console) smoke() *cobra.Command {
	verb := &cobra.Command{
		Use:   "smoke",
		Short: "Test a deployment with one order",
		Long: "smoke places an order for a product of its own, waits until it is paid and its mail is sent, and\n" +
			"refunds it. If the stack has no payment sandbox, as in prod, smoke only reads, unless --card names a\n" +
			"payment method.",
		Example: "  backroom smoke --stack backroom-staging\n" +
			"  backroom smoke --stack backroom-prod --card pm_1 --url https://api.example.com",
		Args: cobra.NoArgs,
	}
	card := verb.Flags().String("card", "",
		"payment `method` that the provider knows; outside the sandbox it pays with real money")
	url := verb.Flags().String("url", "", "`URL` of the API, if it has a custom domain")
	shopName := ofShop(verb)
	verb.RunE = c.begin(func(ctx context.Context, _ []string) error {
		began := time.Now()
		site, err := c.site(ctx, false)
		if err != nil {
			return err
		}
		walk, err := c.walk(ctx, site, *shopName, *card, *url)
		if err != nil {
			return err
		}
		if err := walk.Go(ctx); err != nil {
			return err
		}
		if walk.Card == "" {
			c.Linef(
				"%s nothing was ordered, because prod has no test card. With --card pm_… an order is placed, for "+
					"real money",
				c.Bad("but"))
		}
		took := time.Since(began).Seconds()
		c.Linef("%s %s works, checked in %.1f s", c.Good("yes:"), site.Stack.Name, took)
		return nil
	})
	return verb
}

// walk prepares the smoke test of a stack. An empty card is replaced by the sandbox's, an empty url
// by the stack's.
func (c *console) walk(ctx context.Context, site ops.Site, shopName, card, url string) (smoke.Walk, error) {
	if url == "" {
		found, err := site.Stack.API()
		if err != nil {
			return smoke.Walk{}, remedy.For(err, "--url https://… names the URL of the API")
		}
		url = found
	}
	id, secret, err := site.Stack.Client(ctx)
	if err != nil {
		return smoke.Walk{}, remedy.For(err,
			"check that you may read the secret: aws secretsmanager get-secret-value --secret-id "+
				site.Stack.Outputs["ClientSecretArn"])
	}
	if card == "" && site.Stack.Outputs["SandboxApiId"] != "" {
		card = shop.CardGood
	}
	api, err := shop.New(url, nil)
	if err != nil {
		return smoke.Walk{}, err
	}
	return smoke.Walk{
		API: api, ClientID: id, Secret: secret,
		Name: strconv.FormatInt(time.Now().UnixMilli(), 36), Card: card,
		Bound: 2 * time.Minute, Pause: 200 * time.Millisecond, Step: c.Phase,
		Mailed: func(ctx context.Context, order string) (string, error) {
			s, err := site.Story(ctx, saga.Shop(shopName), order)
			if err != nil || len(s.Notices) == 0 {
				return "", err
			}
			return string(s.Notices[0].Status), nil
		},
	}, nil
}
