// Package dynamotest checks that a DynamoDB does what AWS documents. Exercise has a case for each
// operator, function, clause and refusal. Compare runs random sequences of operations, which two
// clouds must answer alike. Agree runs random writes, which must have the same effect alone and in
// a transaction.
//
// The code of a refusal is always compared. Its text is compared only where a client needs it: the
// cancellation reasons of a transaction, and text that distinguishes refusals with the same code.
package dynamotest

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"backroom/localstack/conformance"
)

// Cloud is the DynamoDB under test.
type Cloud struct {
	Name   string // the key in Exceptions
	Config aws.Config
}

// example is a case of the suite.
type example interface {
	check(t conformance.T, s *stage)
}

// scenario is a case of several steps.
type scenario func(t conformance.T, s *stage)

func (run scenario) check(t conformance.T, s *stage) { run(t, s) }

// groups are all cases, by subject and name.
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

// Exercise runs every case on a cloud. The cloud's known exceptions run too, and must fail.
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
	conformance.Figure(t, "%s: %d cases (%s), of which %d are known exceptions", c.Name, count.sum(), count,
		len(Exceptions[c.Name]))
}
