package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/deploy"
	"backroom/shared/ops/remedy"
)

func TestOnlyAStackThatIsSurelyNotProdIsDeleted(t *testing.T) {
	t.Parallel()
	of := func(stage string) deploy.Stack {
		return deploy.Stack{Name: "shop", Outputs: map[string]string{"Stage": stage}}
	}
	require.NoError(t, deletable(of("dev")))
	require.NoError(t, deletable(of("staging")))
	for _, stage := range []string{"prod", "", "Dev"} {
		err := deletable(of(stage))
		require.Error(t, err, stage)
		require.Contains(t, remedy.Next(err), "docs/operations.md#deploy")
	}
}

func TestNothingIsDeletedUnlessItsNameIsGiven(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		beforehand, typed string
		goesOn            bool
	}{
		"the name, when asked":             {"", "shop\n", true},
		"the name, beforehand":             {"shop", "", true},
		"another name":                     {"", "shop-2\n", false},
		"another name beforehand, not the": {"shop-2", "shop\n", false},
		"yes":                              {"", "y\n", false},
		"nothing":                          {"", "", false},
		"an empty line":                    {"", "\n", false},
	} {
		err := confirmed("shop", c.beforehand, strings.NewReader(c.typed), io.Discard)
		require.Equal(t, c.goesOn, err == nil, "%s: %v", sentence, err)
	}
}
