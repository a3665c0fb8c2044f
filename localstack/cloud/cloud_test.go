package cloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

// TestMain lets the test's own program stand in for Python: with launch.py as its argument it answers as a MiniStack
// would, and saves when it gets SIGTERM, unless the file "full" is in its folder.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || filepath.Base(os.Args[1]) != "launch.py" {
		os.Exit(m.Run())
	}
	state := os.Getenv("STATE_DIR")
	unsaved := filepath.Join(filepath.Dir(state), "unsaved")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	if os.WriteFile(unsaved, nil, 0o600) != nil || os.MkdirAll(state, 0o755) != nil {
		os.Exit(1)
	}
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("GATEWAY_PORT"), ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() { _ = server.ListenAndServe() }()
	<-ended
	if _, err := os.Stat(filepath.Join(filepath.Dir(state), "full")); err == nil {
		fmt.Fprintln(os.Stderr, "no space left on device")
		os.Exit(3)
	}
	if os.WriteFile(filepath.Join(state, "dynamodb.json"), nil, 0o600) != nil || os.Remove(unsaved) != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// It does not run in parallel, as the next test.
func TestMiniStack_StopSaysWhetherItSaved(t *testing.T) {
	port, err := FreePort()
	require.NoError(t, err)
	m := MiniStack{Tools: tools.Tools{Python: os.Args[0]}, Port: port, State: t.TempDir()}
	full := filepath.Join(m.State, "full")
	require.NoError(t, os.WriteFile(full, nil, 0o600))
	require.NoError(t, m.Start(t.Context()))
	other := MiniStack{Tools: m.Tools, Port: port + 1, State: m.State}
	require.ErrorContains(t, other.Start(t.Context()), "still uses", "a folder has one MiniStack")
	err = m.Stop()
	require.ErrorIs(t, err, ErrNotSaved)
	require.ErrorContains(t, err, "all its data are lost")
	require.ErrorContains(t, err, "no space left on device")

	require.NoError(t, os.Remove(full))
	require.True(t, m.Unsaved(), "the next start can see it")
	require.NoError(t, m.Start(t.Context()))
	require.NoError(t, m.Stop())
	require.False(t, m.Unsaved())

	require.NoError(t, m.Start(t.Context()))
	m.Kill()
	require.True(t, m.Unsaved(), "a kill saves nothing")
	require.Contains(t, m.Lost(), "everything since the last clean stop")
}

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
