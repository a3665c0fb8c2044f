package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/operator"
	"backroom/localstack/remedy"
	"backroom/shared/cloudtest/deviation"
)

func TestASiteIsFoundByTheNameOfItsStack(t *testing.T) {
	beside(t, func(t deviation.T) {
		endpoint, name := system.Stack.Endpoint, system.Stack.Name
		site, err := operator.Open(t.Context(), endpoint, name)
		require.NoError(t, err)
		require.NotEmpty(t, site.Names["Orders"])
		require.True(t, strings.HasSuffix(site.Queues.Prefix, "/"+name+"-"), site.Queues.Prefix)

		_, err = operator.Open(t.Context(), endpoint, name+"-other")
		require.ErrorContains(t, err, name+"-other")
		require.Contains(t, remedy.Next(err), "STACK=")
	})
}
