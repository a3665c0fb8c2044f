package generate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"backroom/localstack/template"
	"backroom/shared/saga"
)

// function is a functions/<name>/function.yaml. Exactly one of Route, Step, Worker, Streams and
// Schedule is set: it says what calls the function.
type function struct {
	Name string `yaml:"-"`
	ID   string `yaml:"-"` // the logical id of its resource

	Condition string            `yaml:"condition"` // a condition of the template; empty: none
	API       string            `yaml:"api"`       // the API's resource; empty: Api
	Route     string            `yaml:"route"`     // methods and path, as in GET /orders
	Step      *source           `yaml:"step"`      // the queue of a step of the saga
	Worker    *source           `yaml:"worker"`    // a queue without facts
	Streams   []string          `yaml:"streams"`   // the tables whose streams it reads
	Schedule  map[string]string `yaml:"schedule"`  // expressions such as rate(1 minute), by the name of the rule
	Memory    int               `yaml:"memory"`    // MB; 0: 256 for a route, 128 otherwise
	Timeout   int               `yaml:"timeout"`   // seconds; 0: 10, or 30 for jobs
	Sends     string            `yaml:"sends"`     // rows or clock: the source of the facts that it sends
	Settings  yaml.Node         `yaml:"settings"`  // its own environment variables
	Grants    yaml.Node         `yaml:"grants"`    // the statements of its role, by Sid; Effect is Allow

	Alarms map[string]alarm `yaml:"alarms"` // by the suffix to ID: changes of the usual alarms, and more alarms
}

// source is the queue of a step or a worker.
type source struct {
	Batch       int `yaml:"batch"`
	Concurrency int `yaml:"concurrency"`
	Receives    int `yaml:"receives"` // maxReceiveCount
}

// alarm is an alarm on one function. function.yaml sets only its first fields.
type alarm struct {
	Says    string `yaml:"says"`
	Page    string `yaml:"page"`    // the section of docs/operations.md
	Metric  string `yaml:"metric"`  // a metric of the function (shared/observe)
	Period  int    `yaml:"period"`  // seconds
	Periods int    `yaml:"periods"` // consecutive periods until it rings

	ID, Condition, Namespace, Dimension, Of, Statistic string `yaml:"-"`
	Threshold                                          int    `yaml:"-"`
}

// functions reads every function.yaml. It sorts routes by name, then steps in the saga's order,
// then jobs, then conditional functions.
func functions(root string) ([]function, error) {
	files, err := filepath.Glob(filepath.Join(root, "functions", "*", "function.yaml"))
	if err != nil {
		return nil, err
	}
	var all []function
	for _, file := range files {
		f, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b function) int { return a.rank() - b.rank() })
	return all, nil
}

func read(file string) (function, error) {
	f := function{Name: filepath.Base(filepath.Dir(file))}
	f.ID = template.LogicalID(f.Name)
	text, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return f, err
	}
	return f, f.check()
}

func (f function) check() error {
	callers := 0
	for _, there := range []bool{
		f.Route != "", f.Step != nil, f.Worker != nil, len(f.Streams) > 0, len(f.Schedule) > 0,
	} {
		if there {
			callers++
		}
	}
	isStep := slices.Contains(saga.Steps, saga.Step(f.Name))
	method, path, _ := strings.Cut(f.Route, " ")
	switch {
	case callers != 1:
		return errors.New("exactly one of route, step, worker, streams and schedule must be set")
	case f.Route != "" && (method == "" || !strings.HasPrefix(path, "/")):
		return fmt.Errorf("the route %q is not a method and a path, as in GET /orders", f.Route)
	case isStep != (f.Step != nil):
		return errors.New("the key step must be set exactly for the functions in saga.Steps")
	case f.API != "" && f.Route == "":
		return errors.New("api needs a route")
	case f.Sends != "" && f.Sends != "rows" && f.Sends != "clock":
		return fmt.Errorf("sends must be rows or clock, not %q", f.Sends)
	}
	for name, a := range f.Alarms {
		usual := slices.ContainsFunc(f.usualAlarms(), func(u alarm) bool { return u.ID == f.ID+name })
		if a.Metric == "" && !usual || a.Metric != "" && (usual || a.Says == "" || a.Page == "") {
			return fmt.Errorf("alarm %s must change a usual alarm, or have metric, says and page", name)
		}
	}
	return nil
}

// rank is the function's place in the template.
func (f function) rank() int {
	switch {
	case f.Condition != "":
		return 3 * len(saga.Steps)
	case f.Step != nil:
		return 1 + slices.Index(saga.Steps, saga.Step(f.Name))
	case f.Route != "":
		return 0
	}
	return 2 * len(saga.Steps)
}

// Queue returns the queue that calls the function, or nil.
func (f function) Queue() *source {
	if f.Step != nil {
		return f.Step
	}
	return f.Worker
}

// Gateway returns the API of the function's route.
func (f function) Gateway() string {
	if f.API != "" {
		return f.API
	}
	return "Api"
}

// Methods returns the methods of the function's route, by the names of their events.
func (f function) Methods() []method {
	said, path, _ := strings.Cut(f.Route, " ")
	all := strings.Split(said, "|")
	if len(all) == 1 {
		return []method{{"Route", said, path}}
	}
	var methods []method
	for _, m := range all {
		methods = append(methods, method{m[:1] + strings.ToLower(m[1:]), m, path})
	}
	return methods
}

type method struct{ Event, Method, Path string }

// DeadLetters reports whether the function has a dead-letter queue.
func (f function) DeadLetters() bool { return f.Queue() != nil || len(f.Streams) > 0 }

// Megabytes returns the function's memory. 0 is the value in Globals.
func (f function) Megabytes() int {
	if f.Memory == 0 && f.Route == "" {
		return 128
	}
	return f.Memory
}

// Seconds returns the function's timeout. 0 is the value in Globals.
func (f function) Seconds() int {
	switch {
	case f.Timeout != 0 || f.Route != "":
		return f.Timeout
	case f.Queue() != nil:
		return 10
	}
	return 30
}

// Hidden returns the queue's visibility timeout in seconds. AWS recommends six times the function's
// timeout.
func (f function) Hidden() int { return 6 * f.Seconds() }

// Receivers returns the queues that the function sends facts to.
func (f function) Receivers() []string {
	var queues []string
	for _, step := range saga.Steps {
		for _, route := range saga.Routes {
			if slices.Contains(route.To, step) && (route.Source == saga.Clock) == (f.Sends == "clock") {
				queues = append(queues, template.LogicalID(string(step))+"Queue")
				break
			}
		}
	}
	if f.DeadLetters() {
		queues = append(queues, f.ID+"DeadLetters")
	}
	return queues
}

// Calls reports whether the function calls an external service, and so has a circuit.
func (f function) Calls() bool {
	return slices.ContainsFunc(f.Settings.Content, func(n *yaml.Node) bool { return n.Value == "CIRCUITS_TABLE" })
}

// Math returns the function's id in metric math, which must begin with a lower-case letter.
func (f function) Math() string { return strings.ToLower(f.ID[:1]) + f.ID[1:] }

// usualAlarms returns the alarms that every function of this kind has.
func (f function) usualAlarms() []alarm {
	failing := alarm{
		ID: f.ID + "Alarm", Says: "fails", Page: "a-function-fails", Namespace: "AWS/Lambda", Metric: "Errors",
		Dimension: "FunctionName", Of: "!Ref " + f.ID, Statistic: "Sum", Period: 60, Periods: 1,
	}
	dead := alarm{
		ID: f.ID + "Alarm", Says: "has dead letters", Page: "a-dead-letter-queue-holds-messages", Namespace: "AWS/SQS",
		Metric: "ApproximateNumberOfMessagesVisible", Dimension: "QueueName", Of: "!GetAtt " + f.ID +
			"DeadLetters.QueueName",
		Statistic: "Maximum", Period: 60, Periods: 1,
	}
	late := alarm{
		ID: f.ID + "LateAlarm", Says: "does not keep up", Page: "a-queue-grows", Namespace: "AWS/SQS",
		Metric: "ApproximateAgeOfOldestMessage", Dimension: "QueueName", Of: "!GetAtt " + f.ID + "Queue.QueueName",
		Statistic: "Maximum", Period: 60, Periods: 3, Threshold: 300,
	}
	behind := alarm{
		ID: f.ID + "LateAlarm", Says: "does not keep up", Page: "the-relay-is-late", Namespace: "AWS/Lambda",
		Metric:    "IteratorAge",
		Dimension: "FunctionName", Of: "!Ref " + f.ID, Statistic: "Maximum", Period: 60, Periods: 1, Threshold: 300_000,
	}
	switch {
	case f.Queue() != nil:
		return []alarm{dead, late}
	case len(f.Streams) > 0:
		return []alarm{dead, behind}
	case f.Route != "" && f.API == "":
		return nil // ApiAlarm rings for every route, because a failed call is a 5xx answer
	}
	return []alarm{failing}
}

// Watch returns the function's alarms.
func (f function) Watch() []alarm {
	all := f.usualAlarms()
	for i, a := range all {
		said := f.Alarms[strings.TrimPrefix(a.ID, f.ID)]
		if said.Says != "" {
			a.Says = said.Says
		}
		if said.Page != "" {
			a.Page = said.Page
		}
		if said.Period != 0 {
			a.Period = said.Period
		}
		if said.Periods != 0 {
			a.Periods = said.Periods
		}
		a.Says = f.Name + " " + a.Says
		all[i] = a
	}
	for _, name := range sorted(f.Alarms) {
		a := f.Alarms[name]
		if a.Metric == "" {
			continue
		}
		a.ID, a.Namespace, a.Dimension, a.Of, a.Statistic = f.ID+name, "Backroom", "function", "!Ref "+f.ID, "Sum"
		if a.Period == 0 {
			a.Period = 60
		}
		if a.Periods == 0 {
			a.Periods = 1
		}
		all = append(all, a)
	}
	for i := range all {
		all[i].Condition = f.Condition
	}
	return all
}
