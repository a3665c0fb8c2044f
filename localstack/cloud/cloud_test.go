package cloud

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

func TestATakenPortIsNamedWithWhatToChange(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port

	err = CheckPort(port, "API", "API_PORT")
	require.ErrorContains(t, err, "meant for the API, is taken")
	require.Contains(t, remedy.Next(err), "make run API_PORT=")

	require.NoError(t, listener.Close())
	require.NoError(t, CheckPort(port, "API", "API_PORT"))
}

func TestAMiniStackThatEndsIsNotWaitedFor(t *testing.T) { // alone: for a moment, a process that starts has the ports that others listen on
	port, err := FreePort()
	require.NoError(t, err)
	m := MiniStack{Tools: tools.Tools{Python: "false"}, Port: port, State: t.TempDir()}
	err = m.Start(t.Context())
	require.ErrorContains(t, err, "it ended at once")
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, m.Pid())
}

func TestALocalCloudSeesNothingOfTheUsersAccount(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_SESSION_TOKEN", "real")
	t.Setenv("AWS_CA_BUNDLE", "/etc/ca.pem")
	environ := Environ("http://127.0.0.1:4566")
	require.NotContains(t, environ, "AWS_PROFILE=production")
	require.NotContains(t, environ, "AWS_SESSION_TOKEN=real")
	require.Contains(t, environ, "AWS_CA_BUNDLE=/etc/ca.pem", "which certificates are trusted is the machine's business")
	require.Contains(t, environ, "AWS_ENDPOINT_URL=http://127.0.0.1:4566")
	require.Contains(t, Environ(""), "AWS_PROFILE=production", "on AWS it is what counts")
}

func TestAnUnknownCloudIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Named("azure", tools.Tools{}, "")
	require.ErrorContains(t, err, `no cloud "azure"`)
	require.NotEmpty(t, remedy.Next(err))
}
