// Package functions_test checks that every folder here is a complete function: its two files, its
// sample events and its part of template.yaml, which must agree.
package functions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions"
	"backroom/localstack/template"
	"backroom/shared/function"
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

// part returns the resource with the function's id and a suffix, which must exist.
func (f subject) part(t *testing.T, suffix, kind string) template.Resource {
	t.Helper()
	r := f.template.Resources[f.id+suffix]
	require.Equal(t, kind, r.Type, "the template needs %s%s", f.id, suffix)
	require.Equal(t, f.resource.Condition, r.Condition, "%s%s must exist exactly when the function does", f.id, suffix)
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

// isStep reports whether a queue calls the function: a step of the saga, or one of workers.
func (f subject) isStep() bool { return len(f.events("SQS")) > 0 }

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func call(function string, argument any) template.Call {
	return template.Call{Function: function, Argument: argument}
}

func TestFunction_IsTwoFiles(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		main := parse(t, filepath.Join(f.name, "main.go"))
		assert.Equal(t, "main", main.Name.Name)
		assert.True(t, strings.HasPrefix(main.Doc.Text(), "Command "+f.name+" "),
			"main.go says what the function is for: // Command %s …", f.name)
		body := functionNamed(t, main, "main").Body.List
		assert.Len(t, body, 1, "main has one statement: everything else is in wire/ or in shared/")

		wire := parse(t, filepath.Join(f.name, "wire", "wire.go"))
		assert.Equal(t, "wire", wire.Name.Name)
		assert.True(t, strings.HasPrefix(wire.Doc.Text(), "Package wire connects "+f.name+" "),
			"wire.go says what it connects")
		assert.Contains(t, functions.All, f.name, "functions.go names every function")
	})
	assert.Len(t, functions.All, len(folders(t)), "functions.go names a function without a folder")
}

func TestWiring_HasNoBranches(t *testing.T) {
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
			case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt,
				*ast.BranchStmt, *ast.GoStmt:
				t.Errorf("%s: a branch belongs in shared/, where a test can take both ways", files.Position(n.Pos()))
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

func TestFunction_ReplaysItsSampleEvents(t *testing.T) {
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
			assert.True(t, json.Valid(event), "%s is not JSON", base)
			assert.Contains(t, string(replay), `"`+base+`"`, "wire_test.go does not replay %s", base)
		}
		assert.True(t, known[f.name+".json"], "events/%s.json shows what the function is for", f.name)
		assert.Greater(t, cases, 1, "events/%s.<case>.json shows how it fails", f.name)
	})
	for _, sample := range samples {
		assert.True(t, known[filepath.Base(sample)], "%s belongs to no function", sample)
	}
}

// retention is how long logs are kept: the deployment's parameter, or else the stage's default.
var retention = call("If",
	[]any{"SaysLogRetention", call("Ref", "LogRetentionDays"),
		call("FindInMap", []any{"Stages", call("Ref", "Stage"), "LogRetentionDays"})})

func TestFunction_HasItsResource(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		require.Equal(t, "AWS::Serverless::Function", f.resource.Type, "the template needs %s", f.id)
		assert.Equal(t, map[string]any{"BuildMethod": "makefile"}, f.resource.Metadata,
			"only makefile builds see an edit in shared/")
		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name), f.resource.Properties["FunctionName"])
		assert.NotEmpty(t, f.resource.Properties["Events"], "nothing calls it")
		assert.NotContains(t, f.resource.Properties, "CodeUri", "the whole repository is its source")
		assert.Equal(t, map[string]any{"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": call("Ref", "Log")},
			f.resource.Properties["LoggingConfig"])
	})
	read, err := template.Read()
	require.NoError(t, err)
	assert.Equal(t, call("Sub", "/aws/lambda/${AWS::StackName}"), read.Resources["Log"].Properties["LogGroupName"],
		"docs/operations.md looks there")
	for _, log := range []string{"Log", "ApiAccessLog"} {
		assert.Equal(t, retention, read.Resources[log].Properties["RetentionInDays"])
	}
	for _, r := range read.Resources {
		if r.Type == "AWS::Serverless::Function" {
			assert.True(t,
				slices.ContainsFunc(folders(t), func(name string) bool { return template.LogicalID(name) == r.ID }),
				"%s has no folder here", r.ID)
		}
	}
}

// allowed returns the logical ids of the resources that the role allows an action on.
func (f subject) allowed(t *testing.T, action string) []string {
	t.Helper()
	var ids []string
	for _, s := range f.template.Statements(f.name) {
		if slices.Contains(s.Actions, action) {
			ids = append(ids, template.Mentions(s.Resources)...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// reserved limits routes, so that a flood of requests does not starve the saga, if the account can
// reserve concurrency.
var reserved = call("If", []any{"ReservesRoutes", call("Ref", "RouteConcurrency"), call("Ref", "AWS::NoValue")})

func TestReservedConcurrency_OnlyOfRoutes(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		if routes := f.events("Api"); len(routes) > 0 && routes[0]["RestApiId"] == call("Ref", "Api") {
			assert.Equal(t, reserved, f.resource.Properties["ReservedConcurrentExecutions"])
			return
		}
		assert.NotContains(t, f.resource.Properties, "ReservedConcurrentExecutions",
			"a queue's MaximumConcurrency limits its step, and Lambda throttles a step with less reserved concurrency")
	})
}

// kept are the tables with a shop's data. The data of all others is made again by itself, or not
// needed in prod.
var kept = []string{"Orders", "Reservations", "Charges", "Levels", "Catalog", "Access", "Notices"}

func TestTables_OfAShopsDataOutliveTheirStack(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	for _, r := range read.Resources {
		if r.Type != "AWS::DynamoDB::Table" {
			continue
		}
		if slices.Contains(kept, r.ID) {
			assert.Equal(t, "RetainExceptOnCreate", r.Deletion, r.ID)
			continue
		}
		assert.Equal(t, "Delete", r.Deletion, "%s is not in kept, so it must be deleted with its stack", r.ID)
	}
}

// workers are called by queues that carry no facts.
var workers = []string{"sandbox-callbacks"}

func TestStep_HasItsOwnQueue(t *testing.T) {
	var steps []string
	each(t, func(t *testing.T, f subject) {
		if !f.isStep() {
			return
		}
		steps = append(steps, f.name)
		queue, dead := f.part(t, "Queue", "AWS::SQS::Queue").Properties,
			f.part(t, "DeadLetters", "AWS::SQS::Queue").Properties
		source := f.events("SQS")[0]

		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name), queue["QueueName"],
			"queues are found by their step's name")
		assert.Equal(t, call("Sub", "${AWS::StackName}-"+f.name+"-dlq"), dead["QueueName"])
		assert.NotContains(t, queue, "FifoQueue", "correctness does not depend on order")

		require.Len(t, f.resource.Properties["Events"], 1, "one queue, and nothing else")
		assert.Equal(t, call("GetAtt", f.id+"Queue.Arn"), source["Queue"])
		redrive := object(queue["RedrivePolicy"])
		assert.Equal(t, call("GetAtt", f.id+"DeadLetters.Arn"), redrive["deadLetterTargetArn"])
		assert.Equal(t, fmt.Sprint(redrive["maxReceiveCount"]), f.environment()["LAST_RECEIVE"],
			"the step must know its last delivery")
		assert.Equal(t, []string{f.id + "Queue"}, f.allowed(t, "sqs:ReceiveMessage"))
		assert.Equal(t, []string{f.id + "Queue"}, f.allowed(t, "sqs:ChangeMessageVisibility"),
			"the step delays a failed message")
	})
	var told []string
	for _, step := range saga.Steps {
		told = append(told, string(step))
	}
	assert.ElementsMatch(t, append(told, workers...), steps,
		"saga.Steps are the functions that queues call, except workers")
}

// publishers are the tables whose rows publish facts, by their source.
var publishers = map[saga.Source]string{saga.Orders: "Orders", saga.Reservations: "Reservations",
	saga.Charges: "Charges"}

func TestStep_WritesOnlyItsOwnRows(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		at := slices.Index(saga.Steps, saga.Step(f.name))
		if at < 0 {
			return
		}
		var writes []string
		for _, table := range f.allowed(t, "dynamodb:PutItem") {
			if slices.Contains(slices.Collect(maps.Values(publishers)), table) {
				writes = append(writes, table)
			}
		}
		var want []string
		if rows := saga.Tasks[at].Writes; rows != "" {
			want = []string{publishers[rows]}
		}
		assert.Equal(t, want, writes, "saga.Tasks names the rows that the step writes")
	})
}

// environment returns the function's own variables in the template.
func (f subject) environment() map[string]any { return f.template.Environment(f.name) }

// common returns the variables of all functions in the template.
func (f subject) common() map[string]any { return f.template.Environment("") }

func TestEnvironment_IsWhatTheSettingsRead(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		reads := settings(t, functions.All[f.name].Settings)
		if f.isStep() {
			reads = append(reads, "LAST_RECEIVE") // function.Consume and function.Work do
		}
		if functions.All[f.name].Operation != nil {
			reads = append(reads, "CALLER_RATE", "CALLER_BURST", "PROBLEMS_URL") // function.Serve does
		}
		told := f.environment()
		for name := range f.common() {
			if !slices.Contains(reads, name) {
				delete(told, name) // a function need not read a variable of all functions
			}
		}
		assert.ElementsMatch(t, reads, slices.Collect(maps.Keys(told)))
		for name := range object(object(f.resource.Properties["Environment"])["Variables"]) {
			assert.NotContains(t, f.common(), name, "%s is a variable of all functions already", name)
		}
		for name, value := range told {
			for _, mentioned := range template.Mentions(value) {
				r := f.template.Resources[mentioned]
				if r.Type == "AWS::DynamoDB::Table" || r.Type == "AWS::SecretsManager::Secret" ||
					r.Type == "AWS::KMS::Key" {
					assert.Contains(t, template.Mentions(f.template.Resources[f.id+"Role"].Properties["Policies"]),
						mentioned, "the role grants nothing on the resource of %s", name)
				}
			}
		}
	})
}

// A variable of all functions that depends on one of them is a cycle, which CloudFormation refuses.
func TestGlobals_VariablesDependOnNoFunction(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	several := map[string]int{}
	for _, name := range folders(t) {
		for _, variable := range settings(t, functions.All[name].Settings) {
			several[variable]++
		}
	}
	for name, value := range read.Environment("") {
		for _, mentioned := range template.Mentions(value) {
			assert.Contains(t, []string{"", "AWS::DynamoDB::Table"}, read.Resources[mentioned].Type,
				"%s may depend on a parameter or a table only, because these depend on nothing", name)
		}
		// function.Serve reads those
		if !slices.Contains([]string{"CALLER_RATE", "CALLER_BURST", "PROBLEMS_URL"}, name) {
			assert.Greater(t, several[name], 5, "few functions use %s", name)
		}
	}
}

// settings returns the names that a Settings struct reads.
func settings(t *testing.T, s reflect.Type) []string {
	t.Helper()
	var names []string
	for field := range s.Fields() {
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

// reads is an empty DynamoDB that records which tables are asked for which items.
type reads []string

func (n *reads) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked struct {
		TableName string
		Key       map[string]struct{ S string }
	}
	if r.Body != nil {
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	*n = append(*n, asked.TableName+" "+asked.Key["pk"].S)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")),
		Request: r}, nil
}

// The keys are read during INIT, in which Lambda grants full CPU. A read with the first request
// would make a customer wait.
func TestRoutes_ReadTheKeysOfTokensDuringINIT(t *testing.T) {
	each(t, func(t *testing.T, f subject) {
		entry := functions.All[f.name]
		if entry.Operation == nil {
			return
		}
		environ := map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://nowhere.invalid", "AWS_ACCESS_KEY_ID": "a",
			"AWS_SECRET_ACCESS_KEY": "s",
		}
		rt := function.Environment(environ)
		asked := &reads{}
		rt.AWS.HTTPClient = &http.Client{Transport: asked}
		for name := range f.environment() {
			environ[name] = "1h" // a text, and a duration
		}
		environ["ACCESS_TABLE"], environ["CALLER_RATE"], environ["CALLER_BURST"] = "access", "1", "1"
		_, err := entry.Build(rt, environ)
		require.NoError(t, err)
		assert.Empty(t, *asked, "building a function does no I/O")
		_ = rt.Warm(t.Context()) // all else is missing here, and a function starts without it
		public := entry.Operation(function.Environment(environ)).Route().Access.Public()
		assert.Equal(t, !public, slices.Contains(*asked, "access keys"), "%q", *asked)
	})
}

func TestRoutes_AreInTheTemplate(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	relayed, woken := []string{"RelayFactsDeadLetters"}, []string{}
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			assert.Contains(t, saga.Steps, step, "%s is sent to an unknown step", fact)
			queue := template.LogicalID(string(step)) + "Queue"
			if route.Source == saga.Clock {
				woken = append(woken, queue)
			} else {
				relayed = append(relayed, queue)
			}
		}
		if route.Source != saga.Clock {
			assert.Contains(t, publishers, route.Source, "%s is published by a table without a stream", fact)
		}
	}
	for _, step := range saga.Steps {
		assert.True(t,
			slices.ContainsFunc(slices.Collect(maps.Values(saga.Routes)),
				func(r saga.Route) bool { return slices.Contains(r.To, step) }), "%s consumes nothing", step)
	}

	relay := subject{name: "relay-facts", id: "RelayFacts", resource: read.Resources["RelayFacts"], template: read}
	assert.Equal(t, sorted(relayed), relay.allowed(t, "sqs:SendMessage"),
		"relay-facts may send to every step that consumes facts of rows, and to its own dead-letter queue")
	wake := subject{name: "wake-overdue", id: "WakeOverdue", resource: read.Resources["WakeOverdue"], template: read}
	assert.Equal(t, sorted(woken), wake.allowed(t, "sqs:SendMessage"),
		"wake-overdue may send to every step that consumes facts of the clock")

	var streams []string
	for _, source := range relay.events("DynamoDB") {
		streams = append(streams, template.Mentions(source["Stream"])...)
		assert.Equal(t, -1, source["MaximumRetryAttempts"],
			"only a failed send fails a batch, and it is retried until it works")
		assert.Contains(t, fmt.Sprint(source["FilterCriteria"]), `"publishes":{"N":[{"exists":true}]}`,
			"a version without a consumed fact causes no invocation")
	}
	assert.ElementsMatch(t, slices.Collect(maps.Values(publishers)), streams,
		"relay-facts reads every table that publishes facts")
	for _, table := range streams {
		assert.Equal(t, map[string]any{"StreamViewType": "NEW_IMAGE"},
			read.Resources[table].Properties["StreamSpecification"], "facts are projected from the new image of %s",
			table)
	}
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

// Each adds binary size or cold start for something that no function does.
var unwanted = map[string]string{
	"net/rpc": "built without -tags lambda.norpc",
	"github.com/aws/aws-sdk-go-v2/config": "LoadDefaultConfig reads files and metadata that Lambda does not have; " +
		"function.Environment does it by hand",
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds": "Lambda has no instance metadata",
	"github.com/aws/aws-sdk-go-v2/service/sso":      "functions do not sign in",
	"github.com/aws/aws-sdk-go-v2/service/ssooidc":  "functions do not sign in",
	"github.com/aws/aws-sdk-go-v2/service/signin":   "functions do not sign in",
	"github.com/aws/aws-sdk-go-v2/service/sts":      "the role's credentials come in the environment",
	"github.com/aws/aws-xray-sdk-go":                "Lambda traces by itself",
	"go.opentelemetry.io/otel": "the platform's traces and our order and event ids do it (design " +
		"decision 12)",
	"github.com/stretchr/testify":   "test code never reaches a binary",
	"github.com/stripe/stripe-mock": "test code never reaches a binary",
	"testing":                       "test code never reaches a binary",
	"gopkg.in/yaml":                 "no function reads YAML",
	"github.com/danielgtaylor/huma/v2/formats/cbor": "the API speaks JSON",
}

// linked returns the packages that the functions link.
func linked(t *testing.T, names ...string) []string {
	t.Helper()
	args := []string{"list", "-deps", "-tags", "lambda.norpc"}
	for _, name := range names {
		args = append(args, "./"+name)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Greater(t, len(packages), 100)
	return packages
}

func TestFunctions_LinkNoUnneededPackage(t *testing.T) {
	for _, dependency := range linked(t, folders(t)...) {
		for prefix, why := range unwanted {
			if dependency == prefix || strings.HasPrefix(dependency, prefix+"/") ||
				strings.HasPrefix(dependency, prefix+".") {
				t.Errorf(
					"a function links %s: %s. To find it: go list -deps -tags lambda.norpc ./functions/… and go mod why", dependency, why)
			}
		}
	}
}

// Only functions with a route of the API link the packages that serve it.
func TestHTTPEdge_IsLinkedOnlyByRoutes(t *testing.T) {
	var rest []string
	for name, f := range functions.All {
		if f.Operation == nil {
			rest = append(rest, name)
		}
	}
	require.Contains(t, rest, "reserve-stock")
	for _, dependency := range linked(t, rest...) {
		if dependency == "backroom/shared/api" || strings.HasPrefix(dependency, "github.com/danielgtaylor/huma/") {
			t.Errorf("a step or a job links %s: handlers belong in the …api package of their domain", dependency)
		}
	}
}
