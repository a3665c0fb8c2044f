package audit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReport_ObjectsToFailuresThatAreNotWaived(t *testing.T) {
	t.Parallel()
	broken := `{"results":{"failed_checks":[{"check_id":"CKV_1","check_name":"Ensure it is so","resource":"AWS::DynamoDB::Table.Orders"}]},"summary":{"passed":3,"resource_count":2}}`
	for name, c := range map[string]struct {
		waivers []Waiver
		want    []string
	}{
		"a failure without a waiver is named": {nil,
			[]string{"CKV_1: AWS::DynamoDB::Table.Orders: Ensure it is so"}},
		"a waiver for all resources covers a failure": {[]Waiver{{"CKV_1", nil, "because"}}, nil},
		"a waiver for the resource covers a failure":  {[]Waiver{{"CKV_1", []string{"Orders"}, "because"}}, nil},
		"a waiver that is not used is named": {[]Waiver{{"CKV_1", nil, "because"}, {"CKV_2", nil, "once"}},
			[]string{`CKV_2: remove the waiver "once"; no resource fails the check`}},
		"a waiver for another resource covers nothing": {[]Waiver{{"CKV_1", []string{"Reservations"}, "because"}},
			[]string{
				"CKV_1: AWS::DynamoDB::Table.Orders: Ensure it is so",
				`CKV_1: remove the waiver "because"; no resource fails the check`,
				"CKV_1: remove Reservations from the waiver; it does not fail the check",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := parseReport([]byte(broken))
			require.NoError(t, err)
			assert.ElementsMatch(t, c.want, read.objections(c.waivers))
		})
	}
	for name, text := range map[string]string{
		"a report without resources":           `{"results":{"failed_checks":[]},"summary":{"passed":0,"resource_count":0}}`,
		"a report of a file it could not read": `{"summary":{"resource_count":3,"parsing_errors":1}}`,
		"a report that is not JSON":            `checkov: nothing to do`,
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			t.Parallel()
			_, err := parseReport([]byte(text))
			assert.Error(t, err)
		})
	}
	for _, w := range Waivers {
		assert.NotEmpty(t, w.Reason, w.Check)
	}
}
