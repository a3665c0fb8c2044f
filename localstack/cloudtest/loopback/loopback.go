// Package loopback is a network in memory: a server of a test, and the way to it, without sockets. In a bubble of
// testing/synctest who waits for such a server waits in virtual time, which real connections would not let pass.
package loopback

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// URL is where every server answers, to who goes the way that Serve returns.
const URL = "http://loopback.invalid"

// Serve has handler answer at URL until the test ends, over the connections that it returns. They lead nowhere else. The test
// ends when handler has nothing left to do.
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

// listener accepts what is dialed.
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

// Close ends accepting.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns an address that says nothing.
func (l *listener) Addr() net.Addr { return nowhere{} }

type nowhere struct{}

// Network is the name of no network.
func (nowhere) Network() string { return "loopback" }

// String is the name of no place.
func (nowhere) String() string { return "loopback" }
