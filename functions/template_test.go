package functions_test

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions"
	"backroom/localstack/template"
	"backroom/localstack/template/generate"
	"backroom/shared/function"
)

//go:generate go test -count=1 -run ^TestTemplate_IsWhatIsGenerated$ . -update

// TestTemplate_IsWhatIsGenerated compares the generated part of template.yaml with function.yaml of
// every function.
func TestTemplate_IsWhatIsGenerated(t *testing.T) {
	root, err := template.Root()
	require.NoError(t, err)
	want, err := generate.Template(root)
	require.NoError(t, err)
	file := filepath.Join(root, "template.yaml")
	if *update {
		require.NoError(t, os.WriteFile(file, want, 0o644))
	}
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	if string(written) != string(want) {
		t.Error("template.yaml differs from functions/*/function.yaml. If the change is meant: go generate ./functions")
	}
}

// trigger is one event of a function, in a form that the template and the code share: GET /orders,
// SQS, and so on.
type trigger struct{ function, by string }

// declaredTriggers returns what calls each function according to the code: an operation's route, or
// the caller in functions.go.
func declaredTriggers(t *testing.T) map[trigger]bool {
	t.Helper()
	all := map[trigger]bool{}
	for name, f := range functions.All {
		switch {
		case f.Operation != nil:
			r := f.Operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"})).Route()
			all[trigger{name, r.Method + " Api" + r.Path}] = true
		case f.Called == functions.Gateway:
			for _, method := range sandboxMethods(t) {
				all[trigger{name, method + " SandboxApi/v1/{proxy+}"}] = true
			}
		case f.Called == functions.Queue:
			all[trigger{name, "SQS " + template.LogicalID(name) + "Queue"}] = true
		case f.Called == functions.Stream:
			for _, table := range publishers {
				all[trigger{name, "DynamoDB " + table}] = true
			}
		case f.Called == functions.Clock:
			all[trigger{name, "Schedule"}] = true
		}
	}
	return all
}

// sandboxMethods returns the methods of the routes that shared/sandbox has below /v1.
func sandboxMethods(t *testing.T) []string {
	t.Helper()
	pattern := regexp.MustCompile(`^([A-Z]+) (/.*)$`)
	methods := map[string]bool{}
	ast.Inspect(functionNamed(t, parse(t, "../shared/sandbox/handler.go"), "Routes"), func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok {
			written, _ := strconv.Unquote(text.Value)
			if route := pattern.FindStringSubmatch(written); route != nil {
				assert.True(t, strings.HasPrefix(route[2], "/v1/"),
					"the sandbox's API serves only paths below /v1, not %s", route[2])
				methods[route[1]] = true
			}
		}
		return true
	})
	require.NotEmpty(t, methods)
	return slices.Collect(maps.Keys(methods))
}

// stray returns the triggers in which the template and the code differ.
func stray(read template.Template, want map[trigger]bool) []string {
	has, wrong := map[trigger]bool{}, []string{}
	for id, r := range read.Resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		for _, e := range object(r.Properties["Events"]) {
			p := object(object(e)["Properties"])
			by := fmt.Sprint(object(e)["Type"])
			switch by {
			case "Api":
				by = fmt.Sprintf("%s %s%s", p["Method"], strings.Join(template.Mentions(p["RestApiId"]), "+"),
					p["Path"])
			case "SQS":
				by += " " + strings.Join(template.Mentions(p["Queue"]), "+")
			case "DynamoDB":
				by += " " + strings.Join(template.Mentions(p["Stream"]), "+")
			}
			event := trigger{template.Function(id), by}
			if has[event] || !want[event] {
				wrong = append(wrong,
					fmt.Sprintf("template.yaml has %s called by %s, and the code does not", event.function, event.by))
			}
			has[event] = true
		}
	}
	for event := range want {
		if !has[event] {
			wrong = append(wrong,
				fmt.Sprintf("the code has %s called by %s, and template.yaml does not", event.function, event.by))
		}
	}
	return wrong
}

func TestTemplate_CallsFunctionsAsTheCodeSays(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	assert.Empty(t, stray(read, declaredTriggers(t)))
}

func TestStray_FindsEveryDifference(t *testing.T) {
	root, err := template.Root()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	require.NoError(t, err)
	route := func(path, method string) string {
		return "Route: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '" + path + "', Method: " + method + "}}"
	}
	const order = "/orders/{id}"
	get := route(order, "GET")
	for sentence, harm := range map[string]struct{ from, to, names string }{
		"a second route": {get, get +
			"\n        Secret: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/all', Method: GET}}",
			"get-order called by GET Api/all"},
		"a second method": {get, get +
			"\n        Put: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/orders/{id}', Method: PUT}}",
			"get-order called by PUT"},
		"the same route twice": {get, get +
			"\n        Again: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/orders/{id}', Method: GET}}",
			"get-order called by GET"},
		"another method": {get, route(order, "POST"), "get-order called by POST"},
		"another path":   {get, route("/order/{id}", "GET"), "get-order called by GET Api/order/{id}"},
		"a route at the sandbox": {get, strings.Replace(get, "!Ref Api", "!Ref SandboxApi", 1),
			"get-order called by GET SandboxApi"},
		"a clock on a route": {get, get +
			"\n        Clock: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}",
			"get-order called by Schedule"},
		"another step's queue": {"Queue: !GetAtt CommitStockQueue.Arn", "Queue: !GetAtt ReserveStockQueue.Arn",
			"commit-stock called by SQS ReserveStockQueue"},
		"another table's stream": {"Stream: !GetAtt Reservations.StreamArn", "Stream: !GetAtt Levels.StreamArn",
			"relay-facts called by DynamoDB Levels"},
		"no clock": {"EveryMinute: {Type: Schedule", "EveryMinute: {Type: SNS",
			"the code has wake-overdue called by Schedule"},
	} {
		t.Run(sentence, func(t *testing.T) {
			require.Contains(t, string(source), harm.from)
			harmed, err := template.Parse([]byte(strings.Replace(string(source), harm.from, harm.to, 1)))
			require.NoError(t, err)
			assert.Contains(t, strings.Join(stray(harmed, declaredTriggers(t)), "\n"), harm.names)
		})
	}
}
