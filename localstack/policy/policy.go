// Package policy is what a deployment is held to: rules on template.yaml, each of which names the resources that break it.
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"backroom/localstack/cloudtest"
	"backroom/localstack/template"
)

// Deployment is what is judged: the template, and what is known of the functions in it.
type Deployment struct {
	Template template.Template
	Used     []cloudtest.Grant // what functions used of their roles while the tests ran
	Runbook  string            // docs/operations.md
	Public   []string          // the functions whose routes let everybody in
}

// Finding is a resource that breaks a rule.
type Finding struct{ Rule, Resource, Says string }

// String is one line.
func (f Finding) String() string { return f.Rule + ": " + f.Resource + " " + f.Says }

// Rule is a sentence that a deployment is held to.
type Rule struct {
	Name string // as in waivers
	Why  string
	find func(d Deployment, found func(resource, says string, args ...any))
}

// Waiver lets a resource break a rule, for a reason. About is part of what the finding says.
type Waiver struct{ Rule, Resource, About, Reason string }

// Judge returns what breaks the rules and is not waived, and waivers that waive nothing.
func (d Deployment) Judge() []Finding {
	var all []Finding
	used := map[Waiver]bool{}
	for _, rule := range Rules {
		rule.find(d, func(resource, says string, args ...any) {
			f := Finding{rule.Name, resource, fmt.Sprintf(says, args...)}
			at := slices.IndexFunc(Waivers, func(w Waiver) bool {
				return w.Rule == rule.Name && w.Resource == resource && strings.Contains(f.Says, w.About)
			})
			if at >= 0 {
				used[Waivers[at]] = true
				return
			}
			all = append(all, f)
		})
	}
	for _, w := range Waivers {
		if !used[w] {
			all = append(all, Finding{"waivers", w.Resource, "has a waiver of " + w.Rule + " that waives nothing: remove it"})
		}
	}
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

// of returns the resources of a type, in the order of their names.
func (d Deployment) of(kind string) []template.Resource {
	var all []template.Resource
	for _, r := range d.Template.Resources {
		if r.Type == kind {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b template.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// function is a function as the template has it.
type function struct {
	template.Resource
	name string // of its folder
}

func (d Deployment) functions() []function {
	var all []function
	for _, r := range d.of("AWS::Serverless::Function") {
		all = append(all, function{r, template.Function(r.ID)})
	}
	return all
}

// sources are what calls a function, of one type.
func (f function) sources(kind string) []map[string]any {
	var all []map[string]any
	for _, e := range mapping(f.Properties["Events"]) {
		if mapping(e)["Type"] == kind {
			all = append(all, mapping(mapping(e)["Properties"]))
		}
	}
	return all
}

// timeout is how long a function may take, in seconds.
func (d Deployment) timeout(f function) int {
	if seconds, ok := f.Properties["Timeout"].(int); ok {
		return seconds
	}
	seconds, _ := d.Template.Globals["Timeout"].(int)
	return seconds
}

// queue returns the queue that a function hears.
func (d Deployment) queue(source map[string]any) template.Resource {
	return d.mentioned(source["Queue"])
}

// mentioned returns the resource that a value refers to; an empty one for none.
func (d Deployment) mentioned(v any) template.Resource {
	for _, name := range template.Mentions(v) {
		if r, ok := d.Template.Resources[name]; ok {
			return r
		}
	}
	return template.Resource{}
}

// deadLetters are the queues that take what others gave up.
func (d Deployment) deadLetters() []template.Resource {
	var all []template.Resource
	for _, q := range d.of("AWS::SQS::Queue") {
		if dead := d.mentioned(mapping(q.Properties["RedrivePolicy"])["deadLetterTargetArn"]); dead.ID != "" {
			all = append(all, dead)
		}
	}
	for _, f := range d.functions() { // who reads a stream puts by itself what it cannot read
		if dead, ok := d.Template.Resources[f.ID+"DeadLetters"]; ok && len(f.sources("DynamoDB")) > 0 {
			all = append(all, dead)
		}
	}
	slices.SortFunc(all, func(a, b template.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b template.Resource) bool { return a.ID == b.ID })
}

// rings reports whether an alarm watches the metric of the resource.
func (d Deployment) rings(metric, resource string) bool {
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		if alarm.Properties["MetricName"] == metric && slices.Contains(template.Mentions(alarm.Properties["Dimensions"]), resource) {
			return true
		}
	}
	return false
}

// ringsAtGateway reports whether an alarm watches the 5xx answers of every API that calls a function, and nothing else calls it: the
// gateway answers 5xx to a call that ends in an error, runs out of time or crashes.
func (d Deployment) ringsAtGateway(f function) bool {
	routes := f.sources("Api")
	for _, route := range routes {
		name := d.mentioned(route["RestApiId"]).Properties["Name"]
		if !slices.ContainsFunc(d.of("AWS::CloudWatch::Alarm"), func(alarm template.Resource) bool {
			of := template.List(alarm.Properties["Dimensions"])
			return alarm.Properties["MetricName"] == "5XXError" && len(of) == 1 && mapping(of[0])["Value"] == name && alarm.Condition == ""
		}) {
			return false
		}
	}
	return len(routes) > 0 && len(routes) == len(mapping(f.Properties["Events"]))
}

func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// text writes a value of the template.
func text(v any) string { return fmt.Sprint(v) }
