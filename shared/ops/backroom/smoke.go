package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"backroom/localstack/deploy"
	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/smoke"
)

// smokeTest is `make smoke`: the way of one order through a stack that is deployed. Where there is no sandbox for payments it only
// reads, unless CARD names a payment method that the provider takes.
func smokeTest(ctx context.Context, d desk, _ []string) error {
	began := time.Now()
	stack, err := d.standing(ctx)
	if err != nil {
		return err
	}
	walk, err := d.walk(ctx, stack)
	if err != nil {
		return err
	}
	if err := walk.Go(ctx); err != nil {
		return err
	}
	if walk.Card == "" {
		d.Linef("%s nothing was ordered: the stage is prod, which has no test card. With CARD=pm_… it is, for real money", d.Bad("but"))
	}
	d.Linef("%s %s does what it is there for, seen in %.1f s", d.Good("yes:"), stack.Name, time.Since(began).Seconds())
	return nil
}

// standing returns a stack that is deployed: the one that STACK names, on the cloud that AWS_ENDPOINT_URL names or else on AWS, or
// that of the running `make run`.
func (d desk) standing(ctx context.Context) (deploy.Stack, error) {
	endpoint, name := os.Getenv("AWS_ENDPOINT_URL"), os.Getenv("STACK")
	if name == "" {
		at, ok := d.whereRunning()
		if !ok {
			return deploy.Stack{}, nothingRuns
		}
		endpoint, name = at.Endpoint, at.Stack
	}
	stack, err := deploy.Describe(ctx, strings.TrimRight(endpoint, "/"), name)
	return stack, remedy.For(err, ops.WhichStacks)
}

// walk prepares the way through a stack.
func (d desk) walk(ctx context.Context, stack deploy.Stack) (smoke.Walk, error) {
	at := os.Getenv("URL")
	if at == "" {
		found, err := stack.API()
		if err != nil {
			return smoke.Walk{}, remedy.For(err, "URL=https://… says where the API answers")
		}
		at = found
	}
	id, secret, err := stack.Client(ctx)
	if err != nil {
		return smoke.Walk{}, remedy.For(err, "may you read the secret? aws secretsmanager get-secret-value --secret-id "+stack.Outputs["ClientSecretArn"])
	}
	card := os.Getenv("CARD")
	if card == "" && stack.Outputs["SandboxApiId"] != "" {
		card = shop.CardGood
	}
	api, err := shop.New(at, nil)
	if err != nil {
		return smoke.Walk{}, err
	}
	site, err := ops.Open(ctx, stack.Endpoint, stack.Name)
	if err != nil {
		return smoke.Walk{}, err
	}
	return smoke.Walk{
		API: api, ClientID: id, Secret: secret,
		Name: strconv.FormatInt(time.Now().UnixMilli(), 36), Card: card,
		Bound: 2 * time.Minute, Pause: 200 * time.Millisecond, Step: d.Phase,
		Mailed: func(ctx context.Context, order string) (string, error) {
			told, err := site.Story(ctx, ofShop(), order)
			if err != nil || len(told.Notices) == 0 {
				return "", err
			}
			return string(told.Notices[0].State), nil
		},
	}, nil
}
