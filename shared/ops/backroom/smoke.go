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
		Long: "smoke places an order for a product of its own, follows it to its end, mail included, and refunds\n" +
			"it. Where the stack has no payment sandbox, as in prod, it only reads, unless --card names a payment\n" +
			"method.",
		Example: "  backroom smoke --stack backroom-staging\n" +
			"  backroom smoke --stack backroom-prod --card pm_1 --url https://api.example.com",
		Args: cobra.NoArgs,
	}
	card := verb.Flags().String("card", "",
		"payment `method` that the provider knows; outside the sandbox it pays with real money")
	url := verb.Flags().String("url", "", "`URL` of the API, if it has a name of its own")
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
			c.Linef("%s nothing was ordered: the stage is prod, which has no test card. With --card pm_… it is, for real money",
				c.Bad("but"))
		}
		took := time.Since(began).Seconds()
		c.Linef("%s %s does what it is there for, seen in %.1f s", c.Good("yes:"), site.Stack.Name, took)
		return nil
	})
	return verb
}

// walk prepares the way through a stack; card and url may be empty.
func (c *console) walk(ctx context.Context, site ops.Site, shopName, card, url string) (smoke.Walk, error) {
	if url == "" {
		found, err := site.Stack.API()
		if err != nil {
			return smoke.Walk{}, remedy.For(err, "--url https://… says where the API answers")
		}
		url = found
	}
	id, secret, err := site.Stack.Client(ctx)
	if err != nil {
		return smoke.Walk{}, remedy.For(err,
			"may you read the secret? aws secretsmanager get-secret-value --secret-id "+site.Stack.Outputs["ClientSecretArn"])
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
			told, err := site.Story(ctx, saga.Shop(shopName), order)
			if err != nil || len(told.Notices) == 0 {
				return "", err
			}
			return string(told.Notices[0].Status), nil
		},
	}, nil
}
