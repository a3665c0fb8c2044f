package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions"
	"backroom/localstack/cloudtest"
	"backroom/localstack/conformance"
	"backroom/localstack/policy"
	"backroom/localstack/recorded"
	"backroom/localstack/template"
	"backroom/localstack/template/generate"
	"backroom/shared/function"
)

// deployment returns the repository's deployment.
func deployment(t *testing.T) policy.Deployment {
	t.Helper()
	read, err := template.Read()
	require.NoError(t, err)
	used, err := recorded.Grants()
	require.NoError(t, err)
	root, err := template.Root()
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	return policy.Deployment{Template: read, Used: used, Runbook: string(page), Public: public()}
}

// text returns the text of the template.
func text(t *testing.T) string {
	t.Helper()
	root, err := template.Root()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	require.NoError(t, err)
	return string(source)
}

// public returns the functions with public routes.
func public() []string {
	var names []string
	for name, f := range functions.All {
		if f.Operation != nil &&
			f.Operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"})).Route().Access.Public() {
			names = append(names, name)
		}
	}
	return append(names, "sandbox-payments")
}

func TestJudge_TheTemplateBreaksNoRule(t *testing.T) {
	for _, finding := range deployment(t).Judge() {
		t.Error(finding)
	}
	for _, w := range policy.Waivers {
		assert.NotEmpty(t, w.Reason, "%s of %s", w.Rule, w.Resource)
		conformance.Figure(t, "waived: %s of %s: %s", w.Rule, w.Resource, w.Reason)
	}
	conformance.Figure(t, "resources after the SAM transform: %d of %d", policy.Total(deployment(t).Resources()),
		policy.MostResources)
	names := map[string]bool{}
	for _, rule := range policy.Rules {
		assert.False(t, names[rule.Name], "the rule %s is listed twice", rule.Name)
		assert.NotEmpty(t, rule.Why)
		names[rule.Name] = true
	}
}

// mostLines is the highest number of hand-written lines of the template. Changing the deployment
// means reading them all.
const mostLines = 1300

func TestTemplate_HandWrittenPartsAreShort(t *testing.T) {
	head, _, marked := strings.Cut(text(t), generate.Mark)
	require.True(t, marked)
	root, err := template.Root()
	require.NoError(t, err)
	lines := map[string]int{"above the mark": strings.Count(head, "\n")}
	total := lines["above the mark"]
	for part, files := range map[string]string{
		"in function.yaml":             "functions/*/function.yaml",
		"in the generator's templates": "localstack/template/generate/*.tmpl",
	} {
		found, err := filepath.Glob(filepath.Join(root, files))
		require.NoError(t, err)
		require.NotEmpty(t, found, files)
		for _, file := range found {
			written, err := os.ReadFile(file)
			require.NoError(t, err)
			lines[part] += strings.Count(string(written), "\n")
		}
		total += lines[part]
	}
	conformance.Figure(t, "hand-written lines of the template: %d of %d (%v)", total, mostLines, lines)
	assert.LessOrEqual(t, total, mostLines)
}

func TestResources_AreCountedAfterTheSAMTransform(t *testing.T) {
	read, err := template.Parse([]byte(`
Resources:
  Api: {Type: AWS::Serverless::Api}
  Table: {Type: AWS::DynamoDB::Table}
  GetThing: {Type: AWS::Serverless::Function, Properties: {Events: {A: {Type: Api}, B: {Type: Api}}}}
  GetThingRole: {Type: AWS::IAM::Role}
  GetThingOddAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Namespace: Backroom}}
  GetThingAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Namespace: AWS/Lambda}}
  GetThings: {Type: AWS::Serverless::Function, Properties: {Events: {A: {Type: SQS}, B: {Type: DynamoDB}, C: {Type: Schedule}}}}
`))
	require.NoError(t, err)
	d := policy.Deployment{Template: read}
	want := map[string]int{
		"AWS::ApiGateway::RestApi": 1, "AWS::ApiGateway::Deployment": 1, "AWS::ApiGateway::Stage": 1,
		"AWS::DynamoDB::Table":  1,
		"AWS::Lambda::Function": 2, "AWS::Lambda::Permission": 3, "AWS::Lambda::EventSourceMapping": 2,
		"AWS::Events::Rule": 1,
		"AWS::IAM::Role":    1, "AWS::CloudWatch::Alarm": 2,
	}
	assert.Equal(t, want, d.Resources())
	assert.Equal(t, 15, policy.Total(want))
	assert.Equal(t, map[string]int{"GetThing": 5, "GetThings": 5}, d.PerFunction())
}

// This is the other half of the rule partial-batch: functions that may report failed messages do
// report them.
func TestStep_AnUnreadableMessageFailsAlone(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	consumers := 0
	for name, f := range functions.All {
		source := ""
		for _, e := range read.Resources[template.LogicalID(name)].Properties["Events"].(map[string]any) {
			source, _ = e.(map[string]any)["Type"].(string)
		}
		if source != "SQS" {
			continue
		}
		consumers++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := cloudtest.New(t).Call(f.Build, name, []byte(`{"Records":[{
				"messageId":"m-1","receiptHandle":"r-1","body":"{","eventSource":"aws:sqs","attributes":{"ApproximateReceiveCount":"1"},
				"eventSourceARN":"arn:aws:sqs:us-east-1:000000000000:backroom-`+name+`"
			}]}`))
			require.NoError(t, err)
			assert.JSONEq(t, `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}`, string(answer))
		})
	}
	assert.Greater(t, consumers, 5)
}
