package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

func TestDeletable_RefusesProdAndUnknownStages(t *testing.T) {
	t.Parallel()
	of := func(stage string) stack.Stack {
		return stack.Stack{Name: "shop", Outputs: map[string]string{"Stage": stage}}
	}
	require.NoError(t, deletable(of("dev")))
	require.NoError(t, deletable(of("staging")))
	for _, stage := range []string{"prod", "", "Dev"} {
		err := deletable(of(stage))
		require.Error(t, err, stage)
		require.Contains(t, remedy.Next(err), "docs/operations.md#deploy")
	}
}

// tables makes tables of these names for the test, and returns a function that lists the existing
// ones.
func (d *deployed) tables(t *testing.T, names ...string) (there func() []string) {
	t.Helper()
	db := dynamodb.NewFromConfig(d.Runtime().AWS)
	pk := "pk"
	for _, name := range names {
		_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			KeySchema: []types.KeySchemaElement{{AttributeName: &pk, KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &pk,
				AttributeType: types.ScalarAttributeTypeS}},
		})
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}) })
	}
	return func() (left []string) {
		for _, name := range names {
			if _, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}); err == nil {
				left = append(left, name)
			}
		}
		return left
	}
}

func TestDelete_DeletesStackAndTablesAfterItsNameIsGiven(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		typed, confirm string
		gone           bool // the stack was deleted before
		goesOn         bool
	}{
		"the name, when asked":               {typed: "NAME\n", goesOn: true},
		"the name, beforehand":               {confirm: "NAME", goesOn: true},
		"the stack is gone, tables are left": {confirm: "NAME", gone: true, goesOn: true},
		"another name":                       {typed: "NAME-2\n"},
		"another name beforehand":            {typed: "NAME\n", confirm: "NAME-2"},
		"yes":                                {typed: "y\n"},
		"nothing":                            {},
		"an empty line":                      {typed: "\n"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, "dev")
			d.gone = c.gone
			other := d.name + "-eu-Orders-1ABC"
			there := d.tables(t, d.name+"-Orders-1ABC", d.name+"-Mailbox-2DEF", other)
			named := func(s string) string { return strings.ReplaceAll(s, "NAME", d.name) }
			args := d.at("delete")
			if c.confirm != "" {
				args = append(args, "--confirm", named(c.confirm))
			}

			got := session{typed: named(c.typed)}.run(t, args...)

			assert.Equal(t, c.goesOn, got.code == 0, got.notes)
			if c.goesOn {
				assert.Equal(t, []string{other}, there())
			} else {
				assert.Len(t, there(), 3)
			}
			assert.Equal(t, c.goesOn && !c.gone, slices.Contains(d.asked, "DeleteStack"))
		})
	}
}

func TestDelete_RefusesProd(t *testing.T) {
	t.Parallel()
	d := deploy(t, "prod")
	got := session{}.run(t, d.at("delete", "--confirm", d.name)...)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.notes, d.name+" is prod: no command deletes it")
	assert.NotContains(t, d.asked, "DeleteStack")
}

func TestDelete_NamesAStackThatLeftNothing(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	d.gone = true
	got := session{}.run(t, d.at("delete", "--confirm", d.name)...)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.notes, "there is no stack "+d.name)
}
