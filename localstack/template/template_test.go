package template_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/template"
)

const sample = `
Parameters:
  Stage: {Type: String, Default: dev}
  Topic: {Type: String, Default: ''}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  HasSandbox: !Not [!Equals [!Ref Stage, prod]]
Mappings:
  Stages: {dev: {Days: 14}, prod: {Days: 365}}
Globals:
  Function: {Timeout: 10, Environment: {Variables: {STAGE: !Ref Stage, SHOP: main}}}
Resources:
  Place:
    Type: AWS::Serverless::Function
    Condition: HasSandbox
    Metadata: {BuildMethod: makefile}
    Properties:
      Timeout: 15
      Name: !Sub ${AWS::StackName}-place-${Stage}
      Arn: !Sub '${Orders.Arn}/index/*'
      Table: !Ref Orders
      Page: !Sub ['${Where}/of/${Orders}', {Where: !If [HasSandbox, !Ref Api, nowhere]}]
      Url: !If [HasSandbox, !Sub 'execute-api:${Api}/x', !Ref Stage]
      Prefix: !Select [0, !Split [orders, !Ref Orders]]
      Actions: !If [IsProd, [!Ref Topic], !Ref AWS::NoValue]
      List: [1, !Ref AWS::NoValue, true]
      Days: !FindInMap [Stages, !Ref Stage, Days]
`

// names resolves the names of the sample.
type names struct{}

func (names) Ref(name string) (any, error) {
	if name == "Nobody" {
		return nil, errors.New("unknown name")
	}
	return map[string]any{"AWS::StackName": "shop", "Orders": "shop-orders-1", "Api": "api1"}[name], nil
}

func (names) GetAtt(resource, attribute string) (any, error) {
	return "arn:" + resource + ":" + attribute, nil
}

func TestResolve_ReplacesEveryFunction(t *testing.T) {
	read, err := template.Parse([]byte(sample))
	require.NoError(t, err)
	place := read.Resources["Place"]
	assert.Equal(t, []any{"AWS::Serverless::Function", "HasSandbox", "makefile", 10},
		[]any{place.Type, place.Condition, place.Metadata["BuildMethod"], read.Globals["Timeout"]})

	resolved, err := read.Resolve(place.Properties, names{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"Timeout": 15, "Name": "shop-place-dev", "Arn": "arn:Orders:Arn/index/*", "Table": "shop-orders-1",
		"Page":   "api1/of/shop-orders-1",
		"Url":    "execute-api:api1/x",
		"Prefix": "shop-", "List": []any{1, true}, "Days": 14,
	}, resolved, "AWS::NoValue removes its property")
	for condition, want := range map[string]bool{"": true, "HasSandbox": true, "IsProd": false} {
		holds, err := read.Holds(condition, names{})
		require.NoError(t, err)
		assert.Equal(t, want, holds, condition)
	}
	assert.ElementsMatch(t,
		[]string{"AWS::StackName", "Stage", "Orders", "Orders", "Api", "Orders", "Api", "Stage", "Orders", "Topic",
			"AWS::NoValue",
			"AWS::NoValue", "Stage"}, template.Mentions(place.Properties))
}

func TestEnvironment_OwnVariablesOverrideGlobals(t *testing.T) {
	read, err := template.Parse([]byte(sample + "      Environment: {Variables: {SHOP: other, TABLE: orders}}\n"))
	require.NoError(t, err)
	stage := template.Call{Function: "Ref", Argument: "Stage"}
	assert.Equal(t, map[string]any{"STAGE": stage, "SHOP": "other", "TABLE": "orders"}, read.Environment("place"))
	assert.Equal(t, map[string]any{"STAGE": stage, "SHOP": "main"}, read.Environment("another"))
}

func TestTemplate_InvalidInputIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown function": "Resources: {A: {Properties: {X: !ImportValue other}}}",
		"a repeated key":      "Resources:\n  A: {}\n  A: {}",
		"invalid YAML":        "a: [",
		"nothing":             "",
	} {
		_, err := template.Parse([]byte(text))
		assert.Error(t, err, name)
	}
	for name, text := range map[string]string{
		"an unknown name":               "!Ref Nobody",
		"a text with an unknown name":   "!Sub 'x-${Nobody}'",
		"!GetAtt without an attribute":  "!GetAtt Orders",
		"an unknown condition":          "!If [Unknown, 1, 2]",
		"!If with one value":            "!If [HasSandbox, 1]",
		"!Select beyond the list":       "!Select [3, [a, b]]",
		"!Equals with one value":        "!Equals [a]",
		"an unknown entry of a mapping": "!FindInMap [Stages, prod, Hours]",
	} {
		t.Run(name, func(t *testing.T) {
			read, err := template.Parse([]byte(sample + "  Other: {Type: X, Properties: {Value: " + text + "}}\n"))
			require.NoError(t, err)
			_, err = read.Resolve(read.Resources["Other"].Properties, names{})
			assert.Error(t, err)
		})
	}
}

func TestRead_ReadsTheRepositorysTemplate(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	assert.Equal(t, "AWS::Serverless::Function", read.Resources[template.LogicalID("place-order")].Type)
}

func TestLogicalID_IsInverseOfFunction(t *testing.T) {
	t.Parallel()
	for folder, id := range map[string]string{
		"place-order": "PlaceOrder", "sandbox-payments": "SandboxPayments", "relay": "Relay",
		"receive-payment-event": "ReceivePaymentEvent",
	} {
		require.Equal(t, id, template.LogicalID(folder))
		require.Equal(t, folder, template.Function(id))
	}
}
