package simulation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backroom/localstack/cloudsim"
	"backroom/localstack/template"
)

// read deploys the functions of the template with their event sources.
func (s *Simulation) read(t template.Template) error {
	for _, id := range sorted(t.Resources) {
		r := t.Resources[id]
		if holds, err := t.Holds(r.Condition, s.Stack); err != nil || !holds {
			if err != nil {
				return err
			}
			continue
		}
		if r.Type == "AWS::Serverless::Api" {
			resolved, err := t.Resolve(r.Properties, s.Stack)
			if err != nil {
				return err
			}
			if err := s.addAPI(id, resolved); err != nil {
				return fmt.Errorf("simulation: %s: %w", id, err)
			}
		}
	}
	for _, id := range sorted(t.Resources) {
		r := t.Resources[id]
		if holds, _ := t.Holds(r.Condition, s.Stack); !holds || r.Type != "AWS::Serverless::Function" {
			continue
		}
		f, err := s.addFunction(template.Function(id))
		if err != nil {
			return err
		}
		for property := range r.Properties {
			if !slices.Contains(ofFunction, property) {
				return fmt.Errorf("simulation: %s: the property %s is not simulated", id, property)
			}
		}
		declared, _ := r.Properties["Events"].(map[string]any)
		for _, name := range sorted(declared) {
			resolved, err := t.Resolve(declared[name], s.Stack)
			if err != nil {
				return fmt.Errorf("simulation: %s.%s: %w", id, name, err)
			}
			if err := s.source(f, resolved); err != nil {
				return fmt.Errorf("simulation: %s.%s: %w", id, name, err)
			}
		}
	}
	s.every(time.Minute, func() { s.Cloud.Tables.Expire() })
	return nil
}

// ofFunction are the properties of a function that are simulated, or that have no visible effect here. Reserved
// concurrency of routes is not simulated, because the clients of a test are few.
var ofFunction = []string{"FunctionName", "Role", "LoggingConfig", "MemorySize", "Timeout", "Environment", "Events",
	"ReservedConcurrentExecutions"}

// addAPI creates an API. Throttling by the stage is not simulated, because the clients of a test are few.
func (s *Simulation) addAPI(id string, declared any) error {
	text, err := json.Marshal(declared)
	if err != nil {
		return err
	}
	var p struct {
		Name, StageName           string
		TracingEnabled            bool
		DisableExecuteApiEndpoint bool
		MethodSettings            []json.RawMessage
		GatewayResponses          map[string]gatewayResponse
	}
	if err := strictly(text, &p); err != nil {
		return err
	}
	s.apis[strings.ToLower(id)] = &api{id: strings.ToLower(id), stage: p.StageName, says: p.GatewayResponses}
	return nil
}

// mapping has the properties of an event source of any type. Any other property is an error, so that none is
// silently ignored.
type mapping struct {
	RestApiId, Path, Method string // Api

	Schedule string // Schedule

	Queue, Stream              string // SQS, DynamoDB
	StartingPosition           string
	BatchSize                  int
	MaximumRetryAttempts       *int
	MaximumRecordAgeInSeconds  int
	BisectBatchOnFunctionError bool
	FunctionResponseTypes      []string
	ScalingConfig              struct{ MaximumConcurrency int }
	FilterCriteria             struct{ Filters []struct{ Pattern string } }
	DestinationConfig          struct{ OnFailure struct{ Destination string } }
}

func (m mapping) partial() bool {
	return slices.Contains(m.FunctionResponseTypes, "ReportBatchItemFailures")
}

func (m mapping) filters() (all []pattern, err error) {
	for _, f := range m.FilterCriteria.Filters {
		p, err := parsePattern(f.Pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// source connects a function to what calls it.
func (s *Simulation) source(f *deployed, declared any) error {
	text, err := json.Marshal(declared)
	if err != nil {
		return err
	}
	var event struct {
		Type       string
		Properties json.RawMessage
	}
	var m mapping
	if err := strictly(text, &event); err != nil {
		return err
	}
	if err := strictly(event.Properties, &m); err != nil {
		return err
	}
	switch event.Type {
	case "Api":
		a := s.apis[m.RestApiId]
		if a == nil {
			return fmt.Errorf("unknown API %q", m.RestApiId)
		}
		a.routes = append(a.routes, route{strings.ToUpper(m.Method), m.Path, f})
		return nil
	case "Schedule":
		return s.schedule(f, m.Schedule)
	case "SQS":
		return s.addInbox(f, m)
	case "DynamoDB":
		return s.addShards(f, m)
	}
	return fmt.Errorf("an event source of type %s is not simulated", event.Type)
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (s *Simulation) addInbox(f *deployed, m mapping) error {
	if len(m.FilterCriteria.Filters) > 0 {
		return errors.New("the filter of a queue is not simulated")
	}
	url, err := s.queueURL(m.Queue)
	if err != nil {
		return err
	}
	var attributes struct{ Attributes map[string]string }
	a := s.Cloud.Answer(
		cloudsim.Request{Service: cloudsim.SQS, Operation: "GetQueueAttributes",
			Body: document(map[string]any{"QueueUrl": url, "AttributeNames": []string{"VisibilityTimeout"}}).Body})
	if err := json.Unmarshal(a.Body, &attributes); err != nil {
		return fmt.Errorf("queue %s: %s", m.Queue, a.Body)
	}
	hidden, err := time.ParseDuration(attributes.Attributes["VisibilityTimeout"] + "s")
	if err != nil {
		return err
	}
	b := &inbox{sim: s, function: f, url: url, arn: m.Queue, batch: cmp.Or(m.BatchSize, 10),
		concurrency: m.ScalingConfig.MaximumConcurrency, partial: m.partial(), hidden: hidden}
	if b.concurrency == 0 {
		b.concurrency = 1000
	}
	s.inboxes[b.url] = b
	return nil
}

// queueURL returns the URL of a queue by its ARN.
func (s *Simulation) queueURL(arn string) (string, error) {
	var about struct{ QueueUrl string }
	a := s.Cloud.Answer(
		cloudsim.Request{Service: cloudsim.SQS, Operation: "GetQueueUrl",
			Body: document(map[string]any{"QueueName": arn[strings.LastIndex(arn, ":")+1:]}).Body})
	if err := json.Unmarshal(a.Body, &about); err != nil || about.QueueUrl == "" {
		return "", fmt.Errorf("queue %s: %s", arn, a.Body)
	}
	return about.QueueUrl, nil
}

func (s *Simulation) addShards(f *deployed, m mapping) error {
	filters, err := m.filters()
	if err != nil {
		return err
	}
	if m.StartingPosition != "TRIM_HORIZON" {
		return fmt.Errorf("the starting position %s is not simulated", m.StartingPosition)
	}
	onFailure := ""
	if arn := m.DestinationConfig.OnFailure.Destination; arn != "" {
		if onFailure, err = s.queueURL(arn); err != nil {
			return err
		}
	}
	var about struct {
		StreamDescription struct {
			TableName string
			Shards    []struct{ ShardId string }
		}
	}
	a := s.Cloud.Answer(
		cloudsim.Request{Service: cloudsim.DynamoDBStreams, Operation: "DescribeStream",
			Body: document(map[string]any{"StreamArn": m.Stream}).Body})
	if err := json.Unmarshal(a.Body, &about); err != nil || len(about.StreamDescription.Shards) == 0 {
		return fmt.Errorf("stream %s: %s", m.Stream, a.Body)
	}
	for _, described := range about.StreamDescription.Shards {
		r := &shard{
			sim: s, function: f, stream: m.Stream, id: described.ShardId, batch: cmp.Or(m.BatchSize, 100), retries: -1,
			age: time.Duration(m.MaximumRecordAgeInSeconds) * time.Second, bisect: m.BisectBatchOnFunctionError,
			partial:   m.partial(),
			onFailure: onFailure, filters: filters,
		}
		if m.MaximumRetryAttempts != nil {
			r.retries = *m.MaximumRetryAttempts
		}
		if r.age < 0 {
			r.age = 0
		}
		table := about.StreamDescription.TableName
		s.shards[table] = append(s.shards[table], r)
	}
	return nil
}

// schedule calls a function at a rate.
func (s *Simulation) schedule(f *deployed, rate string) error {
	var n int
	var unit string
	if _, err := fmt.Sscanf(rate, "rate(%d %s", &n, &unit); err != nil || !strings.HasPrefix(unit, "minute") {
		return fmt.Errorf("the schedule %s is not simulated", rate)
	}
	s.every(time.Duration(n)*time.Minute, func() {
		event := map[string]any{
			"version": "0", "id": fmt.Sprintf("00000000-0000-4000-a000-%012d", s.Now().Unix()),
			"detail-type": "Scheduled Event", "source": "aws.events",
			"account": cloudsim.Account, "time": s.Now().Format(time.RFC3339), "region": cloudsim.Region,
			"resources": []string{}, "detail": map[string]any{},
		}
		s.invokeLater(f, document(event).Body, 0)
		if s.faults.Message(f.name, s.dice) == Duplicate {
			s.strike(Duplicate)
			s.invokeLater(f, document(event).Body, 0)
		}
	})
	return nil
}

// invokeLater invokes a function asynchronously. A failed invocation is retried after one minute, and again after
// two more
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
func (s *Simulation) invokeLater(f *deployed, payload []byte, failed int) {
	f.invoke(payload, 0, func(_ []byte, err error) {
		if err != nil && failed < 2 {
			s.after(time.Duration(failed+1)*time.Minute, func() { s.invokeLater(f, payload, failed+1) })
		}
	})
}

// every runs do at an interval, until the simulation ends.
func (s *Simulation) every(d time.Duration, do func()) {
	s.after(d, func() {
		do()
		s.every(d, do)
	})
}
