package cloud

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

func TestCheckPort_NamesTheSettingToChange(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port

	err = CheckPort(port, "API", "API_PORT")
	require.ErrorContains(t, err, "for the API cannot be used")
	require.Contains(t, remedy.Next(err), "make run API_PORT=")

	require.NoError(t, listener.Close())
	require.NoError(t, CheckPort(port, "API", "API_PORT"))
}

// It does not run in parallel: a process that starts holds the ports of its parent for a moment.
func TestMiniStack_StartFailsAtOnceIfTheProcessEnds(t *testing.T) {
	port, err := FreePort()
	require.NoError(t, err)
	m := MiniStack{Tools: tools.Tools{Python: "false"}, Port: port, State: t.TempDir()}
	err = m.Start(t.Context())
	require.ErrorContains(t, err, "it ended at once")
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, m.Pid())
}

func TestEnviron_LocalCloudDoesNotGetTheUsersAccount(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_SESSION_TOKEN", "real")
	t.Setenv("AWS_CA_BUNDLE", "/etc/ca.pem")
	environ := Environ("http://127.0.0.1:4566")
	require.NotContains(t, environ, "AWS_PROFILE=production")
	require.NotContains(t, environ, "AWS_SESSION_TOKEN=real")
	require.Contains(t, environ, "AWS_CA_BUNDLE=/etc/ca.pem", "trusted certificates are a setting of the machine")
	require.Contains(t, environ, "AWS_ENDPOINT_URL=http://127.0.0.1:4566")
	require.Contains(t, Environ(""), "AWS_PROFILE=production", "on AWS the user's account is used")
}

func TestNamed_RefusesUnknownCloud(t *testing.T) {
	t.Parallel()
	_, err := Named("azure", tools.Tools{}, "")
	require.ErrorContains(t, err, `unknown cloud "azure"`)
	require.NotEmpty(t, remedy.Next(err))
}
