package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"backroom/localstack/deploy"
	"backroom/shared/client"
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
	"backroom/shared/ops/terminal"
)

// invoke is `make invoke F=<function> E=<event file>`: it calls a function of the running cloud with the
// event, whose placeholders it fills in. The command fails if the function fails.
func invoke(ctx context.Context, d app, args []string) error {
	const usage = "make invoke F=place-order E=events/place-order.json"
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return remedy.For(errors.New("variable F= must name a function, and E= an event file"), usage)
	}
	at, ok := local.Running(d.repo)
	if !ok {
		return remedy.For(errors.New("make run is not running"), "make run, then this command in another terminal")
	}
	event, err := os.ReadFile(args[1])
	if err != nil {
		return remedy.For(err, "ls events; "+usage)
	}
	deployed, err := stack.Describe(ctx, at.Endpoint, at.Stack)
	if err != nil {
		return err
	}
	api, err := shop.New(at.API, nil)
	if err != nil {
		return err
	}
	if event, err = fill(ctx, event, deployed, api); err != nil {
		return err
	}
	cfg, err := stack.Config(ctx, at.Endpoint)
	if err != nil {
		return err
	}
	answer, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(deployed.FunctionName(args[0])), Payload: event, LogType: types.LogTypeTail,
	})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		names, _ := deploy.Functions(d.repo)
		return remedy.For(fmt.Errorf("unknown function %q", args[0]), "F= one of "+strings.Join(names, " "))
	}
	if err != nil {
		return err
	}
	if log, err := base64.StdEncoding.DecodeString(aws.ToString(answer.LogResult)); err == nil {
		d.Linef("log:\n%s", terminal.Lines(bytes.TrimSpace(log)))
	}
	d.Linef("\nstatus: %d\nanswer:\n%s", answer.StatusCode, terminal.Lines(pretty(answer.Payload)))
	if answer.FunctionError != nil {
		return remedy.For(fmt.Errorf("%s failed: %s", args[0], *answer.FunctionError),
			"read the log above; the event is "+args[1])
	}
	return nil
}

// fill replaces the placeholders of a sample event:
//
//	${TOKEN}         an access token of the client that the stack was deployed with
//	${CLIENT}        that client's credentials for HTTP Basic
//	${PAYMENTS_KEY}  the API key of the payment sandbox
func fill(ctx context.Context, event []byte, deployed stack.Stack, api shop.API) ([]byte, error) {
	id, secret, err := deployed.Client(ctx)
	if err != nil {
		return nil, err
	}
	filled := os.Expand(string(event), func(name string) (value string) {
		var missing error
		switch name {
		case "TOKEN":
			value, missing = api.Token(ctx, client.Credentials{ClientID: id, Secret: secret})
		case "CLIENT":
			value = base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		case "PAYMENTS_KEY":
			value, missing = deployed.PaymentsKey(ctx)
		default:
			missing = fmt.Errorf("unknown placeholder ${%s} in the event; known are TOKEN, CLIENT and PAYMENTS_KEY",
				name)
		}
		err = errors.Join(err, missing)
		return value
	})
	return []byte(filled), err
}

// pretty indents JSON, and the JSON in the body of an HTTP response. It returns other text unchanged.
func pretty(payload []byte) string {
	var whole any
	if json.Unmarshal(payload, &whole) != nil {
		return string(payload)
	}
	if answer, ok := whole.(map[string]any); ok {
		var body any
		if text, ok := answer["body"].(string); ok && json.Unmarshal([]byte(text), &body) == nil {
			answer["body"] = body
		}
	}
	indented, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return string(payload)
	}
	return string(indented)
}
