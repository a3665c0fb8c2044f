// Package dynamotest holds a DynamoDB to what AWS documents: a case for each operator, function, clause and refusal that a
// client can meet (Exercise), and random sequences of operations that two clouds must answer alike (Compare) or one cloud must
// answer consistently (Agree).
//
// The code of a refusal is always compared. Its words are compared only where a client reads them: the reasons why a
// transaction was cancelled, and what tells one refusal from another that has the same code.
package dynamotest

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"backroom/localstack/conformance"
)

// Cloud is where a DynamoDB answers.
type Cloud struct {
	Name   string // as in Exceptions
	Config aws.Config
}

// example is a case.
type example interface {
	check(t conformance.T, s *stage)
}

// story is a case that is told in steps.
type story func(t conformance.T, s *stage)

func (tell story) check(t conformance.T, s *stage) { tell(t, s) }

// groups are all cases, by what they are about.
var groups = map[string]func() map[string]example{
	"conditions":   conditions,
	"updates":      updates,
	"returns":      returns,
	"keys":         keys,
	"queries":      queries,
	"projections":  projections,
	"transactions": transactions,
	"batches":      batches,
	"limits":       limits,
	"streams":      streams,
	"capacity":     capacity,
	"tables":       tables,
	"values":       values,
}

// Exercise holds a cloud to every case. A cloud's known exceptions run too, and must fail.
func Exercise(t *testing.T, c Cloud) {
	s := newStage(t, c)
	suite := &conformance.Suite{Cloud: c.Name, Exceptions: Exceptions, File: exceptionsFile}
	t.Cleanup(func() { suite.Finish(t) })
	count := tally{}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		examples := groups[group]()
		count[group] = len(examples)
		for _, sentence := range slices.Sorted(maps.Keys(examples)) {
			t.Run(group+"/"+sentence, func(t *testing.T) {
				t.Parallel()
				suite.Case(t, group+": "+sentence, func(t conformance.T) { examples[sentence].check(t, s) })
			})
		}
	}
	conformance.Figure(t, "%s: %d cases (%s), of which %d are known exceptions", c.Name, count.sum(), count, len(Exceptions[c.Name]))
}
