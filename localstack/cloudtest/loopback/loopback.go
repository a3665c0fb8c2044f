// Package loopback serves HTTP in memory, without sockets. In a bubble of testing/synctest, waiting
// for such a server takes virtual time. With a real connection, the bubble's time would not
// advance.
package loopback

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// URL is the URL of every server, for requests through the RoundTripper that Serve returns.
const URL = "http://loopback.invalid"

// Serve serves handler at URL until the test ends. The RoundTripper that it returns reaches only
// handler. The test waits for handler to finish.
func Serve(t testing.TB, handler http.Handler) http.RoundTripper {
	t.Helper()
	l := &listener{dialed: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	way := &http.Transport{DialContext: l.dial}
	t.Cleanup(func() {
		way.CloseIdleConnections()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Errorf("close the server: %v", err)
		}
		<-ended
	})
	return way
}

// listener accepts dialed connections.
type listener struct {
	dialed chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.dialed <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialed:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting connections.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns a placeholder address.
func (l *listener) Addr() net.Addr { return nowhere{} }

type nowhere struct{}

// Network returns a placeholder name.
func (nowhere) Network() string { return "loopback" }

// String returns a placeholder address.
func (nowhere) String() string { return "loopback" }
