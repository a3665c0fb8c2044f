package policy

import (
	"strings"

	"backroom/localstack/template"
)

// What a stack and its parts may have, counted after the SAM transform. CloudFormation refuses more than 500 in a stack.
const (
	MostResources    = 450
	mostOfRoute      = 5 // with one path
	mostOfQueue      = 7 // with its function
	ownMetrics       = "Backroom"
	serverlessAPI    = "AWS::Serverless::Api"
	serverlessLambda = "AWS::Serverless::Function"
)

// made are the resources that SAM makes of one of its own, and of each event of a function, by
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html.
// Functions have roles of their own (exact-grants), and the template has OpenApiVersion, without which an API has two stages.
var made = map[string][]string{
	serverlessAPI:    {"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"},
	serverlessLambda: {"AWS::Lambda::Function"},
	"Api":            {"AWS::Lambda::Permission"},
	"SQS":            {"AWS::Lambda::EventSourceMapping"},
	"DynamoDB":       {"AWS::Lambda::EventSourceMapping"},
	"Schedule":       {"AWS::Events::Rule", "AWS::Lambda::Permission"},
}

// Resources returns how many resources of each type CloudFormation is given, conditions aside.
func (d Deployment) Resources() map[string]int {
	all := map[string]int{}
	for _, r := range d.Template.Resources {
		for kind, n := range transformed(r) {
			all[kind] += n
		}
	}
	return all
}

// transformed counts what SAM makes of a resource. An event that it does not know is of its own type.
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

// Total adds up what Resources counts.
func Total(resources map[string]int) int {
	total := 0
	for _, n := range resources {
		total += n
	}
	return total
}

// PerFunction returns how many resources each function brings along, by its resource's name: those that bear it, and what SAM makes
// of them. An alarm about what the function counts is the domain's, and not counted here.
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
			found("template.yaml", "has a function that is called by a %s: say in size.go what SAM makes of it", kind)
		}
	}
	if total := Total(d.Resources()); total > MostResources {
		found("template.yaml", "makes %d resources, of %d", total, MostResources)
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
			found(f.ID, "brings along %d resources, of %d", per[f.ID], most)
		}
	}
}
