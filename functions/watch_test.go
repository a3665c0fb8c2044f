package functions_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/template"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// sections returns the sections of docs/operations.md, by their anchors.
func sections(t *testing.T) map[string]string {
	t.Helper()
	manual, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, section := range strings.Split("\n"+string(manual), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		words := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading), "")
		texts[strings.ReplaceAll(words, " ", "-")] = text
	}
	return texts
}

// shown is a metric as a dashboard or an alarm names it.
type shown struct{ namespace, name, dimension, of string }

// dashboards returns the metrics of each dashboard.
func dashboards(t *testing.T) map[string][]shown {
	t.Helper()
	read, err := template.Read()
	require.NoError(t, err)
	found := map[string][]shown{}
	for _, r := range read.Resources {
		if r.Type != "AWS::CloudWatch::Dashboard" {
			continue
		}
		body, err := read.Resolve(r.Properties["DashboardBody"], ofStack{})
		require.NoError(t, err)
		var page struct {
			Widgets []struct {
				Type          string
				X, Y          int
				Width, Height int
				Properties    struct {
					Title, Region string
					Metrics       [][]any
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(body.(string)), &page), "%s is not JSON", r.ID)
		taken := map[[2]int]string{}
		for _, w := range page.Widgets {
			for x := w.X; x < w.X+w.Width; x++ {
				for y := w.Y; y < w.Y+w.Height; y++ {
					assert.Empty(t, taken[[2]int{x, y}], "%s: %q overlaps another widget", r.ID, w.Properties.Title)
					taken[[2]int{x, y}] = w.Properties.Title + w.Type
				}
			}
			assert.LessOrEqual(t, w.X+w.Width, 24, "%s: %q is wider than the page", r.ID, w.Properties.Title)
			if w.Type == "metric" {
				assert.Equal(t, "the-region", w.Properties.Region, "%s: %q", r.ID, w.Properties.Title)
				assert.NotEmpty(t, w.Properties.Metrics, "%s: %q", r.ID, w.Properties.Title)
			}
			for _, m := range w.Properties.Metrics {
				found[r.ID] = append(found[r.ID], metric(t, m))
			}
		}
	}
	require.NotEmpty(t, found)
	return found
}

// metric reads one metric of a widget: namespace, name, at most one dimension, and options.
func metric(t *testing.T, said []any) shown {
	t.Helper()
	var words []string
	for _, word := range said {
		if text, ok := word.(string); ok {
			words = append(words, text)
		}
	}
	require.Contains(t, []int{2, 4}, len(words), "%v", said)
	m := shown{namespace: words[0], name: words[1]}
	if len(words) == 4 {
		m.dimension, m.of = words[2], words[3]
	}
	return m
}

// ofStack resolves the template's pseudo parameters.
type ofStack struct{}

func (ofStack) Ref(name string) (any, error) {
	if v, ok := map[string]any{"AWS::StackName": "shop", "AWS::Region": "the-region"}[name]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("a dashboard refers to %s", name)
}

func (ofStack) GetAtt(resource, attribute string) (any, error) {
	return nil, fmt.Errorf("a dashboard refers to %s.%s", resource, attribute)
}

func TestDashboards_ShowExistingMetrics(t *testing.T) {
	exists := map[string]map[string]bool{"AWS/Lambda": {"": true}, "AWS/SQS": {}, "AWS/ApiGateway": {"shop": true},
		observe.Namespace: {}}
	for _, name := range folders(t) {
		exists["AWS/Lambda"]["shop-"+name], exists[observe.Namespace]["shop-"+name] = true, true
	}
	for _, queue := range queueNames() {
		exists["AWS/SQS"]["shop-"+queue] = true
	}
	dimensions := map[string]string{"AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/ApiGateway": "ApiName",
		observe.Namespace: "function"}
	counted := countedMetrics(t)
	for id, metrics := range dashboards(t) {
		for _, m := range metrics {
			require.Contains(t, exists, m.namespace, "%s: %v", id, m)
			assert.True(t, exists[m.namespace][m.of], "%s shows %v, which is not in this stack", id, m)
			if m.dimension != "" {
				assert.Equal(t, dimensions[m.namespace], m.dimension, "%s: %v", id, m)
			}
			if m.namespace == observe.Namespace {
				assert.Contains(t, counted, m.name, "%s shows a metric that no function counts", id)
			}
		}
		assert.LessOrEqual(t, len(metrics), 50, "%s: a dashboard with more metrics is not one of the three free ones",
			id)
	}
}

func TestDashboards_ShowEveryMetricAndQueue(t *testing.T) {
	seen, ages, depths := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, metrics := range dashboards(t) {
		for _, m := range metrics {
			switch {
			case m.namespace == observe.Namespace:
				seen[m.name] = true
			case m.name == "ApproximateAgeOfOldestMessage":
				ages[m.of] = true
			case m.name == "ApproximateNumberOfMessagesVisible":
				depths[m.of] = true
			}
		}
	}
	manual := sections(t)["metrics"]
	for name := range countedMetrics(t) {
		assert.True(t, seen[name] || unseen[name] != "", "no dashboard shows %s", name)
		assert.Contains(t, manual, "`"+name+"`", "docs/operations.md#metrics does not say what %s is", name)
	}
	for _, queue := range queueNames() {
		assert.True(t, depths["shop-"+queue], "no dashboard shows how many messages wait in %s", queue)
		if !strings.HasSuffix(queue, "-dlq") {
			assert.True(t, ages["shop-"+queue], "no dashboard shows how long messages wait in %s", queue)
		}
	}
}

// unseen are metrics that no dashboard shows, with the reason.
var unseen = map[string]string{
	"OrdersSettled": "the same orders as confirmed, rejected and canceled ones, later",
	"CircuitClosed": "the end of an open circuit, which CircuitOpened shows",
}

func TestAlarms_WatchCountedMetrics(t *testing.T) {
	counted := countedMetrics(t)
	read, err := template.Read()
	require.NoError(t, err)
	for _, r := range read.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		watched := []map[string]any{r.Properties}
		for _, query := range template.List(r.Properties["Metrics"]) {
			watched = append(watched, object(object(object(query)["MetricStat"])["Metric"]))
		}
		for _, m := range watched {
			if m["Namespace"] == observe.Namespace {
				assert.Contains(t, counted, m["MetricName"], "%s watches a metric that no function counts", r.ID)
			}
		}
	}
}

// queueNames are the names of the saga's queues, after that of the stack.
func queueNames() []string {
	names := []string{"relay-facts-dlq"}
	for _, step := range saga.Steps {
		names = append(names, string(step), string(step)+"-dlq")
	}
	return names
}

// countedMetrics returns the metrics that shared/ counts: the CamelCase strings in files that call
// observe.Count.
func countedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	named := regexp.MustCompile(`^[A-Z][a-z]+([A-Z][a-z]+)+$`)
	counted := map[string]bool{}
	err := filepath.WalkDir("../shared", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(source), "observe.Count(") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if name, err := strconv.Unquote(text.Value); err == nil && named.MatchString(name) {
					counted[name] = true
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, counted, "OrdersNeedAttention")
	return counted
}
