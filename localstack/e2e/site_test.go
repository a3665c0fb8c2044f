package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
)

func TestSite_OpensByStackName(t *testing.T) {
	parallel(t, func(t conformance.T) {
		endpoint, name := system.Stack.Endpoint, system.Stack.Name
		site, err := ops.Open(t.Context(), endpoint, name)
		require.NoError(t, err)
		require.NotEmpty(t, site.Names["Orders"])
		require.True(t, strings.HasSuffix(site.Queues.Prefix, "/"+name+"-"), site.Queues.Prefix)

		_, err = ops.Open(t.Context(), endpoint, name+"-other")
		require.ErrorContains(t, err, name+"-other")
		require.Contains(t, remedy.Next(err), "--stack")
	})
}
