// Package functions_test holds that every folder here is a whole function: its two files, its sample events and its part of
// template.yaml, and that all of them agree.
package functions_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/cloudsim/registry"
	"backroom/shared/cloudtest/template"
	"backroom/shared/saga"
)

// folders returns the names of all functions.
func folders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	require.NotEmpty(t, names)
	return names
}

// each runs a check for every function.
func each(t *testing.T, check func(t *testing.T, f subject)) {
	t.Helper()
	read, err := template.Read()
	require.NoError(t, err)
	for _, name := range folders(t) {
		t.Run(name, func(t *testing.T) {
			id := template.LogicalID(name)
			check(t, subject{name: name, id: id, resource: read.Resources[id], template: read})
		})
	}
}

// subject is a function under test.
type subject struct {
	name, id string
	resource template.Resource
	template template.Template
}

// part returns the resource that is named like the function and a suffix, which must be there.
func (f subject) part(t *testing.T, suffix, kind string) template.Resource {
	t.Helper()
	r := f.template.Resources[f.id+suffix]
	require.Equal(t, kind, r.Type, "the template needs %s%s", f.id, suffix)
	require.Equal(t, f.resource.Condition, r.Condition, "%s%s must be there exactly when the function is", f.id, suffix)
	return r
}

// events returns the function's event sources of one type.
func (f subject) events(kind string) []map[string]any {
	var sources []map[string]any
	for _, e := range object(f.resource.Properties["Events"]) {
		if object(e)["Type"] == kind {
			sources = append(sources, object(object(e)["Properties"]))
		}
	}
	return sources
}

// isStep reports whether a queue calls the function, be it a step of the saga or one of workers.
func (f subject) isStep() bool { return len(f.events("SQS")) > 0 }

// number returns a number property of the function; the template's global one if it has none of its own.
func (f subject) number(t *testing.T, property string) int {
	t.Helper()
	n, ok := f.resource.Properties[property].(int)
	if !ok {
		n, ok = f.template.Globals[property].(int)
	}
	require.True(t, ok, "%s has no %s", f.id, property)
	return n
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

func call(function string, argument any) template.Call {
	return template.Call{Function: function, Argument: argument}
}

func TestAFunctionIsTwoFiles(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		main := parse(t, filepath.Join(f.name, "main.go"))
		assert.Equal(t, "main", main.Name.Name)
		assert.True(t, strings.HasPrefix(main.Doc.Text(), "Command "+f.name+" "), "main.go says what the function is for: // Command %s …", f.name)
		body := functionNamed(t, main, "main").Body.List
		assert.Len(t, body, 1, "main only starts: everything else is in wire/ or in shared/")

		wire := parse(t, filepath.Join(f.name, "wire", "wire.go"))
		assert.Equal(t, "wire", wire.Name.Name)
		assert.True(t, strings.HasPrefix(wire.Doc.Text(), "Package wire connects "+f.name+" "), "wire.go says what it connects")
		assert.Contains(t, registry.Functions, f.name, "shared/cloudsim/registry names every function")
	})
	assert.Len(t, registry.Functions, len(folders(t)), "shared/cloudsim/registry names a function that is not there")
}

func TestWiringConnectsAndDecidesNothing(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		files := token.NewFileSet()
		wire, err := parser.ParseFile(files, filepath.Join(f.name, "wire", "wire.go"), nil, 0)
		require.NoError(t, err)
		lines := 0
		for _, d := range wire.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				continue
			}
			lines += files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1
		}
		assert.LessOrEqual(t, lines, 40, "lines of wiring, imports and comments above declarations not counted")
		ast.Inspect(wire, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.BranchStmt, *ast.GoStmt:
				t.Errorf("%s: a branch: what can go two ways belongs to shared/, where a test can take both", files.Position(n.Pos()))
			}
			return true
		})
	})
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	return parsed
}

func functionNamed(t *testing.T, file *ast.File, name string) *ast.FuncDecl {
	t.Helper()
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			return f
		}
	}
	t.Fatalf("there is no func %s", name)
	return nil
}

func TestAFunctionHasSampleEventsAndReplaysThem(t *testing.T) {
	samples, err := filepath.Glob("../events/*")
	require.NoError(t, err)
	known := map[string]bool{}
	each(t, func(t *testing.T, f subject) {
		for _, sample := range samples {
			base := filepath.Base(sample)
			known[base] = known[base] || strings.HasPrefix(base, f.name+".") && strings.HasSuffix(base, ".json")
		}
		replay, err := os.ReadFile(filepath.Join(f.name, "wire", "wire_test.go"))
		require.NoError(t, err, "each sample event is replayed through the wiring")
		cases := 0
		for _, sample := range samples {
			base := filepath.Base(sample)
			if !strings.HasPrefix(base, f.name+".") {
				continue
			}
			cases++
			event, err := os.ReadFile(sample)
			require.NoError(t, err)
			assert.True(t, json.Valid(event), "%s is no JSON", base)
			assert.Contains(t, string(replay), `"`+base+`"`, "wire_test.go does not replay %s", base)
		}
		assert.True(t, known[f.name+".json"], "events/%s.json shows what the function is for", f.name)
		assert.Greater(t, cases, 1, "events/%s.<case>.json shows how it fails", f.name)
	})
	for _, sample := range samples {
		assert.True(t, known[filepath.Base(sample)], "%s belongs to no function", sample)
	}
}

func TestAFunctionHasItsResource(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		require.Equal(t, "AWS::Serverless::Function", f.resource.Type, "the template needs %s", f.id)
		assert.Equal(t, map[string]any{"BuildMethod": "makefile"}, f.resource.Metadata, "only makefile builds see an edit in shared/")
		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name), f.resource.Properties["FunctionName"])
		assert.NotEmpty(t, f.resource.Properties["Events"], "nothing calls it")
		assert.NotContains(t, f.resource.Properties, "CodeUri", "the whole repository is its source")

		log := f.part(t, "Log", "AWS::Logs::LogGroup")
		assert.Equal(t, call("Sub", "/aws/lambda/${AWS::StackName}-"+f.name), log.Properties["LogGroupName"])
		assert.NotEmpty(t, log.Properties["RetentionInDays"], "a log that is kept for ever is paid for for ever")
		assert.Equal(t, call("Ref", f.id+"Log"), object(f.resource.Properties["LoggingConfig"])["LogGroup"])
	})
	read, err := template.Read()
	require.NoError(t, err)
	for _, r := range read.Resources {
		if r.Type == "AWS::Serverless::Function" {
			assert.True(t, slices.ContainsFunc(folders(t), func(name string) bool { return template.LogicalID(name) == r.ID }), "%s has no folder here", r.ID)
		}
	}
}

// exact is an action that names what it allows, as in dynamodb:GetItem.
var exact = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)

func TestAFunctionMayDoExactlyWhatItsRoleLists(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		assert.Equal(t, call("GetAtt", f.id+"Role.Arn"), f.resource.Properties["Role"], "its own role")
		assert.NotContains(t, f.resource.Properties, "Policies", "SAM's policy templates allow more than they say")
		role := f.part(t, "Role", "AWS::IAM::Role")
		assert.NotContains(t, role.Properties, "ManagedPolicyArns", "managed policies allow more than they say")

		for _, s := range f.statements(t) {
			assert.Equal(t, "Allow", s["Effect"])
			actions := list(s["Action"])
			for _, action := range actions {
				assert.Regexp(t, exact, action, "an exact action")
			}
			for _, resource := range list(s["Resource"]) {
				if text, ok := resource.(string); ok {
					assert.Equal(t, "*", text, "an ARN is made of names, not written out")
					assert.Equal(t, []any{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, actions, "only X-Ray knows no ARNs")
				}
			}
		}
	})
}

// statements returns what the function's role allows.
func (f subject) statements(t *testing.T) []map[string]any {
	t.Helper()
	var statements []map[string]any
	for _, policy := range list(f.template.Resources[f.id+"Role"].Properties["Policies"]) {
		for _, s := range list(object(object(policy)["PolicyDocument"])["Statement"]) {
			statements = append(statements, object(s))
		}
	}
	require.NotEmpty(t, statements)
	return statements
}

// allowed returns the logical ids of the resources that the role allows an action on.
func (f subject) allowed(t *testing.T, action string) []string {
	t.Helper()
	var ids []string
	for _, s := range f.statements(t) {
		if slices.Contains(list(s["Action"]), any(action)) {
			ids = append(ids, template.Mentions(s["Resource"])...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestSomebodyIsToldWhenItFails(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		alarm := f.part(t, "Alarm", "AWS::CloudWatch::Alarm")
		about := map[any]any{}
		for _, d := range list(alarm.Properties["Dimensions"]) {
			about[object(d)["Name"]] = object(d)["Value"]
		}
		if f.isStep() || len(f.events("DynamoDB")) > 0 { // they answer for each record: Lambda sees no error
			assert.Equal(t, "ApproximateNumberOfMessagesVisible", alarm.Properties["MetricName"])
			assert.Equal(t, map[any]any{"QueueName": call("GetAtt", f.id+"DeadLetters.QueueName")}, about)
			late := f.part(t, "LateAlarm", "AWS::CloudWatch::Alarm")
			assert.Contains(t, []any{"ApproximateAgeOfOldestMessage", "IteratorAge"}, late.Properties["MetricName"])
		} else {
			assert.Equal(t, "Errors", alarm.Properties["MetricName"])
			assert.Equal(t, map[any]any{"FunctionName": call("Ref", f.id)}, about)
		}
		assert.Equal(t, 0, alarm.Properties["Threshold"])
		assert.Contains(t, alarm.Properties["AlarmDescription"], "docs/operations.md#", "says what to do")
		topic := []any{"HasAlarmTopic", []any{call("Ref", "AlarmTopicArn")}, call("Ref", "AWS::NoValue")}
		assert.Equal(t, call("If", topic), alarm.Properties["AlarmActions"], "tells the topic, where there is one")
	})
}

func TestEveryAlarmSaysWhatToDo(t *testing.T) {
	manual, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(manual), -1) {
		words := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(words, " ", "-")] = true
	}
	read, err := template.Read()
	require.NoError(t, err)
	for _, r := range read.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		_, anchor, told := strings.Cut(fmt.Sprint(r.Properties["AlarmDescription"]), "docs/operations.md#")
		assert.True(t, told && anchors[anchor], "%s sends its reader to docs/operations.md#%s, which is not there", r.ID, anchor)
	}
}

// workers are called by queues that carry no facts.
var workers = []string{"sandbox-callbacks"}

func TestAStepHasItsOwnQueue(t *testing.T) {
	var steps []string
	each(t, func(t *testing.T, f subject) {
		if !f.isStep() {
			return
		}
		steps = append(steps, f.name)
		queue, dead := f.part(t, "Queue", "AWS::SQS::Queue").Properties, f.part(t, "DeadLetters", "AWS::SQS::Queue").Properties
		source := f.events("SQS")[0]

		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name), queue["QueueName"], "queues are found by their step's name")
		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name+"-dlq"), dead["QueueName"])
		assert.NotContains(t, queue, "FifoQueue", "conditions decide, not order")
		assert.Equal(t, 14*24*60*60, dead["MessageRetentionPeriod"], "a dead letter waits for a person: 14 days")
		assert.Less(t, queue["MessageRetentionPeriod"], dead["MessageRetentionPeriod"], "a dead letter keeps the age it had")

		require.Len(t, f.resource.Properties["Events"], 1, "one queue, and nothing else")
		assert.Equal(t, call("GetAtt", f.id+"Queue.Arn"), source["Queue"])
		assert.Equal(t, []any{"ReportBatchItemFailures"}, source["FunctionResponseTypes"], "a bad message fails alone")
		assert.GreaterOrEqual(t, object(source["ScalingConfig"])["MaximumConcurrency"], 2, "the account's concurrency is shared")
		window, _ := source["MaximumBatchingWindowInSeconds"].(int)
		assert.GreaterOrEqual(t, queue["VisibilityTimeout"], 6*f.number(t, "Timeout")+window, "a message must not come back while it is worked on")

		redrive := object(queue["RedrivePolicy"])
		assert.Equal(t, call("GetAtt", f.id+"DeadLetters.Arn"), redrive["deadLetterTargetArn"])
		assert.GreaterOrEqual(t, redrive["maxReceiveCount"], 5, "Lambda may receive and give back what it has no room for")
		assert.Equal(t, fmt.Sprint(redrive["maxReceiveCount"]), f.environment()["LAST_RECEIVE"], "the step must know its last chance")
		assert.Equal(t, []string{f.id + "Queue"}, f.allowed(t, "sqs:ReceiveMessage"))
		assert.Equal(t, []string{f.id + "Queue"}, f.allowed(t, "sqs:ChangeMessageVisibility"), "a failed message waits as long as the step says")
	})
	var told []string
	for _, step := range saga.Steps {
		told = append(told, string(step))
	}
	assert.ElementsMatch(t, append(told, workers...), steps, "saga.Steps are the functions that queues call, but for workers")
}

// tellers are the tables whose rows tell facts.
var tellers = map[saga.Teller]string{saga.Orders: "Orders", saga.Holds: "Holds", saga.Charges: "Charges"}

func TestAStepWritesNoOthersRows(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		if !slices.Contains(saga.Steps, saga.Step(f.name)) {
			return
		}
		var writes []string
		for _, table := range f.allowed(t, "dynamodb:PutItem") {
			if slices.Contains(slices.Collect(maps.Values(tellers)), table) {
				writes = append(writes, table)
			}
		}
		var want []string
		if rows, ok := saga.Writes[saga.Step(f.name)]; ok {
			want = []string{tellers[rows]}
		}
		assert.Equal(t, want, writes, "saga.Writes says in which rows the step writes")
	})
}

// environment returns what the template tells the function.
func (f subject) environment() map[string]any {
	return object(object(f.resource.Properties["Environment"])["Variables"])
}

func TestTheEnvironmentIsWhatTheSettingsRead(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		reads := settings(t, registry.Functions[f.name].Settings)
		if f.isStep() {
			reads = append(reads, "LAST_RECEIVE") // function.Consume and function.Work do
		}
		if registry.Functions[f.name].Operation != nil {
			reads = append(reads, "CALLER_RATE", "CALLER_BURST") // function.Serve does
		}
		assert.ElementsMatch(t, reads, slices.Collect(maps.Keys(f.environment())))
		for name, value := range f.environment() {
			for _, mentioned := range template.Mentions(value) {
				r := f.template.Resources[mentioned]
				if r.Type == "AWS::DynamoDB::Table" || r.Type == "AWS::SecretsManager::Secret" || r.Type == "AWS::KMS::Key" {
					assert.Contains(t, template.Mentions(f.template.Resources[f.id+"Role"].Properties["Policies"]), mentioned, "%s names what the role allows nothing on", name)
				}
			}
		}
	})
}

// settings returns the names that a Settings struct reads.
func settings(t *testing.T, s reflect.Type) []string {
	t.Helper()
	var names []string
	for i := range s.NumField() {
		field := s.Field(i)
		if field.Anonymous {
			names = append(names, settings(t, field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		require.NotEmpty(t, name, "%s.%s reads nothing", s, field.Name)
		names = append(names, name)
	}
	return names
}

func TestEveryFactIsHeardOrToldToSomebody(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	relayed, woken := []string{"RelayFactsDeadLetters"}, []string{}
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			assert.Contains(t, saga.Steps, step, "%s is sent to a step that is none", fact)
			queue := template.LogicalID(string(step)) + "Queue"
			if route.By == saga.Clock {
				woken = append(woken, queue)
			} else {
				relayed = append(relayed, queue)
			}
		}
		if route.By != saga.Clock {
			assert.Contains(t, tellers, route.By, "%s is told by a table that has no stream", fact)
		}
	}
	for _, step := range saga.Steps {
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(saga.Routes)), func(r saga.Route) bool { return slices.Contains(r.To, step) }), "%s hears nothing", step)
	}

	relay := subject{name: "relay-facts", id: "RelayFacts", resource: read.Resources["RelayFacts"], template: read}
	assert.Equal(t, sorted(relayed), relay.allowed(t, "sqs:SendMessage"), "relay-facts may send to every step that hears a row, and to its own dead-letter queue")
	wake := subject{name: "wake-overdue", id: "WakeOverdue", resource: read.Resources["WakeOverdue"], template: read}
	assert.Equal(t, sorted(woken), wake.allowed(t, "sqs:SendMessage"), "wake-overdue may send to whoever hears the clock")

	var streams []string
	for _, source := range relay.events("DynamoDB") {
		streams = append(streams, template.Mentions(source["Stream"])...)
		assert.Equal(t, -1, source["MaximumRetryAttempts"], "only a failed send fails a batch: it is tried until it works")
		assert.Contains(t, fmt.Sprint(source["FilterCriteria"]), `"tells":{"N":[{"exists":true}]}`, "a version that nobody hears costs no call")
	}
	assert.ElementsMatch(t, slices.Collect(maps.Values(tellers)), streams, "relay-facts reads every table that tells facts")
	for _, table := range streams {
		assert.Equal(t, map[string]any{"StreamViewType": "NEW_IMAGE"}, read.Resources[table].Properties["StreamSpecification"], "facts are projected from the new image of %s", table)
	}
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

// What SAM makes of each event source, beside the resource it stands in.
var made = map[string]int{"Api": 1, "SQS": 1, "DynamoDB": 1, "Schedule": 2}

func TestTheStackFitsIntoCloudFormation(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	resources := len(read.Resources)
	for _, r := range read.Resources {
		if r.Type == "AWS::Serverless::Api" {
			resources += 2 // a deployment and a stage
		}
		for _, e := range object(r.Properties["Events"]) {
			kind, _ := object(e)["Type"].(string)
			require.Contains(t, made, kind, "%s: how many resources does it make?", r.ID)
			resources += made[kind]
		}
	}
	t.Logf("%d resources", resources)
	assert.LessOrEqual(t, resources, 500, "CloudFormation takes no more in one stack")
}

// Each costs a binary size or cold start for something that no function does.
var unwanted = map[string]string{
	"net/rpc":                             "built without -tags lambda.norpc",
	"github.com/aws/aws-sdk-go-v2/config": "LoadDefaultConfig reads files and metadata that Lambda does not have; function.Environment does it by hand",
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds": "Lambda has no instance metadata",
	"github.com/aws/aws-sdk-go-v2/service/sso":      "nobody signs in here",
	"github.com/aws/aws-sdk-go-v2/service/ssooidc":  "nobody signs in here",
	"github.com/aws/aws-sdk-go-v2/service/signin":   "nobody signs in here",
	"github.com/aws/aws-sdk-go-v2/service/sts":      "the role's credentials come in the environment",
	"github.com/aws/aws-xray-sdk-go":                "Lambda traces by itself",
	"go.opentelemetry.io/otel":                      "the platform's traces and our correlation ids do it (design decision 12)",
	"github.com/stretchr/testify":                   "test code never reaches a binary",
	"github.com/stripe/stripe-mock":                 "test code never reaches a binary",
	"testing":                                       "test code never reaches a binary",
	"gopkg.in/yaml":                                 "no function reads YAML",
	"github.com/danielgtaylor/huma/v2/formats/cbor": "the API speaks JSON",
}

func TestNoFunctionLinksWhatItDoesNotNeed(t *testing.T) {
	var mains []string
	for _, name := range folders(t) {
		mains = append(mains, "./"+name)
	}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-tags", "lambda.norpc"}, mains...)...).Output()
	require.NoError(t, err)
	linked := strings.Fields(string(out))
	require.Greater(t, len(linked), 100)
	for _, dependency := range linked {
		for prefix, why := range unwanted {
			if dependency == prefix || strings.HasPrefix(dependency, prefix+"/") || strings.HasPrefix(dependency, prefix+".") {
				t.Errorf("a function links %s: %s. Who: go list -deps -tags lambda.norpc ./functions/… and go mod why", dependency, why)
			}
		}
	}
}
