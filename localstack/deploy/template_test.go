package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRewrite_ChangesOnlyCodeURI(t *testing.T) {
	t.Parallel()
	const before = `Globals:
  Function:
    CodeUri: .
Resources:
  # where orders live
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: &shared
      TableName: !Sub ${AWS::StackName}-orders
  PlaceOrder:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      Role: !GetAtt PlaceOrderRole.Arn
  GetOrder:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Timeout: 3
`
	const after = `Globals:
  Function:
    CodeUri: .
Resources:
  # where orders live
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: &shared
      TableName: !Sub ${AWS::StackName}-orders
  PlaceOrder:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      Role: !GetAtt PlaceOrderRole.Arn
      CodeUri: place-order.zip
  GetOrder:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: get-order.zip
      Timeout: 3
`
	got, err := Rewrite([]byte(before), func(function string) string { return function + ".zip" })
	require.NoError(t, err)
	require.Equal(t, after, string(got))
}

func TestRewrite_FunctionsThatShareAnAnchorGetTheirOwnCode(t *testing.T) {
	t.Parallel()
	const shared = `Resources:
  PlaceOrder: &step
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 3
  GetOrder: *step
`
	got, err := Rewrite([]byte(shared), func(function string) string { return function + ".zip" })
	require.NoError(t, err)
	require.Contains(t, string(got), "CodeUri: place-order.zip")
	require.Contains(t, string(got), "CodeUri: get-order.zip")
}

func TestRewrite_RefusesInvalidTemplates(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an empty template":             "",
		"a template without resources":  "Globals: {}",
		"a function without properties": "Resources: {A: {Type: AWS::Serverless::Function}}",
		"text that is not YAML":         "a: [",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Rewrite([]byte(text), func(string) string { return "" })
			require.Error(t, err)
		})
	}
}
