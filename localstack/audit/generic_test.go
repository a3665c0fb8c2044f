package audit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatCheckovObjectsToIsWaivedOrNamed(t *testing.T) {
	t.Parallel()
	broken := `{"results":{"failed_checks":[{"check_id":"CKV_1","check_name":"Ensure it is so","resource":"AWS::DynamoDB::Table.Orders"}]},"summary":{"passed":3,"resource_count":2}}`
	for name, c := range map[string]struct {
		waivers []Waiver
		want    []string
	}{
		"what is not waived is named":     {nil, []string{"CKV_1: AWS::DynamoDB::Table.Orders: Ensure it is so"}},
		"a waiver of all covers it":       {[]Waiver{{"CKV_1", nil, "because"}}, nil},
		"a waiver of it covers it":        {[]Waiver{{"CKV_1", []string{"Orders"}, "because"}}, nil},
		"a waiver that is not used fails": {[]Waiver{{"CKV_1", nil, "because"}, {"CKV_2", nil, "once"}}, []string{`CKV_2: waived for "once", and nothing breaks it: remove the waiver`}},
		"a waiver of others does not cover it": {[]Waiver{{"CKV_1", []string{"Reservations"}, "because"}}, []string{
			"CKV_1: AWS::DynamoDB::Table.Orders: Ensure it is so",
			`CKV_1: waived for "because", and nothing breaks it: remove the waiver`,
			"CKV_1: waived for Reservations, which does not break it: remove it from the waiver",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := readJudgement([]byte(broken))
			require.NoError(t, err)
			assert.ElementsMatch(t, c.want, read.objections(c.waivers))
		})
	}
	for name, report := range map[string]string{
		"no resources":       `{"results":{"failed_checks":[]},"summary":{"passed":0,"resource_count":0}}`,
		"an unread template": `{"summary":{"resource_count":3,"parsing_errors":1}}`,
		"no JSON":            `checkov: nothing to do`,
	} {
		t.Run("a judgement of "+name+" is none", func(t *testing.T) {
			t.Parallel()
			_, err := readJudgement([]byte(report))
			assert.Error(t, err)
		})
	}
	for _, w := range Waivers {
		assert.NotEmpty(t, w.Reason, w.Check)
	}
}
