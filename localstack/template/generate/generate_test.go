package generate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/template"
	"backroom/localstack/template/generate"
)

// repository returns a folder with a template and one function.
func repository(t *testing.T, head, name, says string) string {
	t.Helper()
	root := t.TempDir()
	folder := filepath.Join(root, "functions", name)
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "template.yaml"), []byte(head), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "function.yaml"), []byte(says), 0o644))
	return root
}

const head = "Resources:\n  Table: {Type: AWS::DynamoDB::Table}\n" + generate.Mark

// generated returns the generated template of a repository with one function.
func generated(t *testing.T, name, says string) template.Template {
	t.Helper()
	text, err := generate.Template(repository(t, head+"  Old: {Type: AWS::SQS::Queue}\n", name, says))
	require.NoError(t, err)
	read, err := template.Parse(text)
	require.NoError(t, err)
	assert.Contains(t, read.Resources, "Table", "the part above the mark is kept")
	assert.NotContains(t, read.Resources, "Old", "the part below the mark is replaced")
	return read
}

func TestTemplate_AFunctionHasWhatItsKindNeeds(t *testing.T) {
	for says, want := range map[string][]string{
		"route: GET /things": {"GetThing", "GetThingRole"},
		"route: GET /things\napi: OtherApi": {"GetThing", "GetThingRole",
			"GetThingAlarm"},
		"worker: {batch: 3, concurrency: 5, receives: 5}": {"GetThing", "GetThingRole",
			"GetThingQueue", "GetThingDeadLetters", "GetThingAlarm", "GetThingLateAlarm"},
		"streams: [Table]": {"GetThing", "GetThingRole",
			"GetThingDeadLetters", "GetThingAlarm", "GetThingLateAlarm"},
		"schedule: {Hourly: rate(1 hour)}": {"GetThing", "GetThingRole",
			"GetThingAlarm"},
		"route: GET /t\nalarms: {OddAlarm: {metric: M, says: s, page: p}}": {"GetThing", "GetThingRole",
			"GetThingOddAlarm"},
	} {
		var got []string
		for id := range generated(t, "get-thing", says+"\n").Resources {
			if strings.HasPrefix(id, "GetThing") {
				got = append(got, id)
			}
		}
		assert.ElementsMatch(t, want, got, says)
	}
}

func TestTemplate_SettingsAndGrantsAreCopied(t *testing.T) {
	read := generated(t, "get-thing", `
route: GET|PUT /things/{id}
timeout: 7
condition: Wanted
settings:
  TABLE: !Ref Table # as it is
  URL: !If [Wanted, !Sub 'x:${Table}/y, z', "it's"]
grants:
  Read: {Action: [dynamodb:GetItem, dynamodb:Query], Resource: !GetAtt Table.Arn}
  Find:
    Action: dynamodb:Query
    Resource:
      - !Sub ${Table.Arn}/index/*
      - !Sub ['${T}', {T: !Ref Table}]
`)
	f := read.Resources["GetThing"]
	assert.Equal(t, []any{7, "Wanted", "Wanted"},
		[]any{f.Properties["Timeout"], f.Condition, read.Resources["GetThingRole"].Condition})
	ref := template.Call{Function: "Ref", Argument: "Table"}
	assert.Equal(t, map[string]any{
		"TABLE": ref,
		"URL": template.Call{Function: "If",
			Argument: []any{"Wanted", template.Call{Function: "Sub", Argument: "x:${Table}/y, z"}, "it's"}},
	}, read.Environment("get-thing"))
	events, _ := f.Properties["Events"].(map[string]any)
	assert.Len(t, events, 2, "an event per method")
	grants := read.Statements("get-thing")
	require.Len(t, grants, 4, "log, trace, and the function's own")
	assert.Equal(t, template.Statement{
		Sid: "Read", Effect: "Allow", Actions: []string{"dynamodb:GetItem", "dynamodb:Query"},
		Resources: []any{template.Call{Function: "GetAtt", Argument: "Table.Arn"}},
	}, grants[2])
	assert.Equal(t, []any{
		template.Call{Function: "Sub", Argument: "${Table.Arn}/index/*"},
		template.Call{Function: "Sub", Argument: []any{"${T}", map[string]any{"T": ref}}},
	}, grants[3].Resources)
}

func TestTemplate_AnAlarmHasAtMostTenFunctions(t *testing.T) {
	root := repository(t, head, "get-thing", "route: GET /t\nsettings: {CIRCUITS_TABLE: !Ref Table}\n")
	for i := range 10 {
		folder := filepath.Join(root, "functions", fmt.Sprintf("call-%c", 'a'+i))
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t,
			os.WriteFile(filepath.Join(folder, "function.yaml"),
				[]byte("route: GET /t\nsettings: {CIRCUITS_TABLE: !Ref Table}\n"), 0o644))
	}
	text, err := generate.Template(root)
	require.NoError(t, err)
	read, err := template.Parse(text)
	require.NoError(t, err)
	assert.Len(t, read.Resources["CircuitOpenedAlarm"].Properties["Metrics"], 1+10)
	assert.Len(t, read.Resources["CircuitOpenedAlarm2"].Properties["Metrics"], 1+1)
}

func TestTemplate_InvalidInputIsAnError(t *testing.T) {
	for sentence, c := range map[string]struct{ head, name, says, because string }{
		"no mark": {"Resources: {}\n", "get-thing", "route: GET /t",
			"must have the line"},
		"an unknown key":              {head, "get-thing", "path: /t", "field path not found"},
		"a function without a caller": {head, "get-thing", "timeout: 3", "exactly one"},
		"a function with two callers": {head, "get-thing", "route: GET /t\nstreams: [Table]",
			"exactly one"},
		"a route without a method": {head, "get-thing", "route: /things", "not a method and a path"},
		"a step that is not in saga.Steps": {head, "get-thing",
			"step: {batch: 1, concurrency: 2, receives: 5}", "saga.Steps"},
		"a step of saga.Steps without the key step": {head, "reserve-stock", "route: GET /t", "saga.Steps"},
		"an api without a route": {head, "get-thing", "api: A\nstreams: [Table]",
			"api needs a route"},
		"facts of an unknown source": {head, "get-thing", "route: GET /t\nsends: mail", "rows or clock"},
		"a change of an unknown alarm": {head, "get-thing",
			"route: GET /t\nalarms: {LateAlarm: {periods: 3}}", "LateAlarm"},
		"an alarm without a page": {head, "get-thing",
			"route: GET /t\nalarms: {OddAlarm: {metric: M, says: s}}", "OddAlarm"},
		"a grant without a resource": {head, "get-thing", "route: GET /t\ngrants: {Read: {Action: a:B}}",
			"without Resource"},
		"a grant without an action": {head, "get-thing", "route: GET /t\ngrants: {Read: {Resource: x}}",
			"without Action"},
		"a setting of several lines": {head, "get-thing", "route: GET /t\nsettings: {A: \"a\\nb\"}",
			"several lines"},
		"a setting that is an alias": {head, "get-thing", "route: GET /t\nsettings: {A: &a x, B: *a}",
			"an alias"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := generate.Template(repository(t, c.head, c.name, c.says+"\n"))
			assert.ErrorContains(t, err, c.because)
		})
	}
	_, err := generate.Template(t.TempDir())
	assert.Error(t, err, "no template")
}
