package stack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/template"
)

func TestTables_AreThoseOfTheTemplate(t *testing.T) {
	t.Parallel()
	read, err := template.Read()
	require.NoError(t, err)
	var ids []string
	for id, resource := range read.Resources {
		if resource.Type == "AWS::DynamoDB::Table" {
			ids = append(ids, id)
		}
	}
	require.ElementsMatch(t, ids, Tables)
}

func TestNamedAfter_MatchesOnlyTheStacksOwnTables(t *testing.T) {
	t.Parallel()
	named := namedAfter("backroom-dev", []string{"Orders", "Reservations"})
	for name, want := range map[string]bool{
		"backroom-dev-Orders-1ABCDEF23":      true,
		"backroom-dev-Reservations-XYZ":      true,
		"backroom-dev-Orders":                false,
		"backroom-dev-Parcels-1ABCDEF23":     false,
		"backroom-dev-Orders-2-Orders-1ABC":  false, // of the stack backroom-dev-Orders-2
		"my-backroom-dev-Orders-1ABCDEF23":   false,
		"backroom-dev2-Orders-1ABCDEF23":     false,
		"backroom-Orders-1ABCDEF23":          false,
		"backroom-dev-eu-Orders-1ABCDEF23":   false,
		"backroom-dev-Orders-1ABCDEF23-copy": false, // restored by hand
	} {
		require.Equal(t, want, named.MatchString(name), name)
	}
}
