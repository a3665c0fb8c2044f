package policy

import (
	"strings"

	"backroom/localstack/template"
)

// The most resources of a stack and its parts, counted after the SAM transform. CloudFormation
// refuses more than 500 in a stack.
const (
	MostResources    = 450
	mostOfRoute      = 5 // a route with one path
	mostOfQueue      = 7 // a queue with its function
	ownMetrics       = "Backroom"
	serverlessAPI    = "AWS::Serverless::Api"
	serverlessLambda = "AWS::Serverless::Function"
)

// made are the resources that SAM creates for its own resource types, and for each event of a
// function, by
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html.
// Functions have their own roles (exact-grants). The template has OpenApiVersion, without which an
// API has two stages.
var made = map[string][]string{
	serverlessAPI:    {"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"},
	serverlessLambda: {"AWS::Lambda::Function"},
	"Api":            {"AWS::Lambda::Permission"},
	"SQS":            {"AWS::Lambda::EventSourceMapping"},
	"DynamoDB":       {"AWS::Lambda::EventSourceMapping"},
	"Schedule":       {"AWS::Events::Rule", "AWS::Lambda::Permission"},
}

// Resources returns the number of resources of each type after the SAM transform, whatever their
// conditions.
func (d Deployment) Resources() map[string]int {
	all := map[string]int{}
	for _, r := range d.Template.Resources {
		for kind, n := range transformed(r) {
			all[kind] += n
		}
	}
	return all
}

// transformed returns the number of resources of each type that SAM creates for a resource. An
// unknown event counts under its own type.
func transformed(r template.Resource) map[string]int {
	all := map[string]int{}
	add := func(kind string) {
		known, ok := made[kind]
		if !ok {
			known = []string{kind}
		}
		for _, k := range known {
			all[k]++
		}
	}
	add(r.Type)
	for _, e := range mapping(r.Properties["Events"]) {
		add(text(mapping(e)["Type"]))
	}
	return all
}

// Total returns the sum of the counts.
func Total(resources map[string]int) int {
	total := 0
	for _, n := range resources {
		total += n
	}
	return total
}

// PerFunction returns the number of resources of each function after the SAM transform, by the
// function's logical id. These are the resources whose name begins with it. Alarms on the
// function's own metrics do not count: they belong to the domain.
func (d Deployment) PerFunction() map[string]int {
	all := map[string]int{}
	for _, r := range d.Template.Resources {
		owner := ""
		for _, f := range d.functions() {
			if strings.HasPrefix(r.ID, f.ID) && len(f.ID) > len(owner) {
				owner = f.ID
			}
		}
		if owner != "" && r.Properties["Namespace"] != ownMetrics {
			all[owner] += Total(transformed(r))
		}
	}
	return all
}

func size(d Deployment, found func(string, string, ...any)) {
	for kind := range d.Resources() {
		if !strings.HasPrefix(kind, "AWS::") {
			found("template.yaml", "has a function that is called by a %s: add to size.go what SAM creates for it",
				kind)
		}
	}
	if total := Total(d.Resources()); total > MostResources {
		found("template.yaml", "has %d resources, of %d", total, MostResources)
	}
	per := d.PerFunction()
	for _, f := range d.functions() {
		most := MostResources
		switch {
		case len(f.sources("Api")) == 1:
			most = mostOfRoute
		case len(f.sources("SQS")) > 0:
			most = mostOfQueue
		}
		if per[f.ID] > most {
			found(f.ID, "has %d resources, of %d", per[f.ID], most)
		}
	}
}
