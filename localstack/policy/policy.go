// Package policy has the rules that template.yaml must keep. Each rule names the resources that
// break it.
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"backroom/localstack/cloudtest"
	"backroom/localstack/template"
)

// Deployment is the template, with facts about its functions.
type Deployment struct {
	Template template.Template
	Used     []cloudtest.Grant // the permissions that functions used in the tests
	Runbook  string            // docs/operations.md
	Public   []string          // the functions with public routes
}

// Finding is a resource that breaks a rule.
type Finding struct{ Rule, Resource, Says string }

// String returns the finding on one line.
func (f Finding) String() string { return f.Rule + ": " + f.Resource + " " + f.Says }

// Rule is a rule that a deployment must keep.
type Rule struct {
	Name string // the name in waivers
	Why  string
	find func(d Deployment, found func(resource, says string, args ...any))
}

// Waiver lets a resource break a rule, for a reason. About is a part of the finding's text.
type Waiver struct{ Rule, Resource, About, Reason string }

// Judge returns the findings that no waiver covers, and a finding for each waiver that covers
// nothing.
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
			all = append(all,
				Finding{"waivers", w.Resource, "has a waiver of " + w.Rule + " that covers nothing: remove it"})
		}
	}
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

// of returns the resources of a type, sorted by name.
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

// function is a function in the template.
type function struct {
	template.Resource
	name string // the name of its folder
}

func (d Deployment) functions() []function {
	var all []function
	for _, r := range d.of("AWS::Serverless::Function") {
		all = append(all, function{r, template.Function(r.ID)})
	}
	return all
}

// sources returns the event sources of one type that call a function.
func (f function) sources(kind string) []map[string]any {
	var all []map[string]any
	for _, e := range mapping(f.Properties["Events"]) {
		if mapping(e)["Type"] == kind {
			all = append(all, mapping(mapping(e)["Properties"]))
		}
	}
	return all
}

// timeout returns a function's timeout in seconds.
func (d Deployment) timeout(f function) int {
	if seconds, ok := f.Properties["Timeout"].(int); ok {
		return seconds
	}
	seconds, _ := d.Template.Globals["Timeout"].(int)
	return seconds
}

// queue returns the queue of an event source.
func (d Deployment) queue(source map[string]any) template.Resource {
	return d.mentioned(source["Queue"])
}

// mentioned returns the resource that a value refers to, or an empty one.
func (d Deployment) mentioned(v any) template.Resource {
	for _, name := range template.Mentions(v) {
		if r, ok := d.Template.Resources[name]; ok {
			return r
		}
	}
	return template.Resource{}
}

// deadLetters returns the dead-letter queues.
func (d Deployment) deadLetters() []template.Resource {
	var all []template.Resource
	for _, q := range d.of("AWS::SQS::Queue") {
		if dead := d.mentioned(mapping(q.Properties["RedrivePolicy"])["deadLetterTargetArn"]); dead.ID != "" {
			all = append(all, dead)
		}
	}
	for _, f := range d.functions() { // a function that reads a stream sends unreadable records there by itself
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
		if alarm.Properties["MetricName"] == metric &&
			slices.Contains(template.Mentions(alarm.Properties["Dimensions"]), resource) {
			return true
		}
	}
	return false
}

// ringsAtGateway reports whether only APIs call a function, and an alarm watches the 5xx answers of
// each of them. The gateway answers 5xx to a call that ends in an error, times out or crashes.
func (d Deployment) ringsAtGateway(f function) bool {
	routes := f.sources("Api")
	for _, route := range routes {
		name := d.mentioned(route["RestApiId"]).Properties["Name"]
		if !slices.ContainsFunc(d.of("AWS::CloudWatch::Alarm"), func(alarm template.Resource) bool {
			of := template.List(alarm.Properties["Dimensions"])
			return alarm.Properties["MetricName"] == "5XXError" && len(of) == 1 && mapping(of[0])["Value"] == name &&
				alarm.Condition == ""
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

// text returns a value of the template as text.
func text(v any) string { return fmt.Sprint(v) }
