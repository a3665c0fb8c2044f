package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/client"
)

const minutes15 = 900 // seconds

// issuing is a server that issues token-1, token-2 and so on, and refuses health requests without a
// token.
func issuing(refused func(auth string) bool) *server {
	s, issued := &server{}, 0
	s.answer = func(w http.ResponseWriter, r *http.Request, _ int) {
		switch auth := r.Header.Get("Authorization"); {
		case strings.HasSuffix(r.URL.Path, "/oauth/token"):
			s.mu.Lock()
			issued++
			n := issued
			s.mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			say(w, http.StatusOK,
				fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, n, minutes15))
		case !strings.HasPrefix(auth, "Bearer ") || refused(auth):
			refuse(w, http.StatusUnauthorized, "not-authenticated", "")
		default:
			say(w, http.StatusOK, `{"status":"ok"}`)
		}
	}
	return s
}

func never(string) bool { return false }

// asked returns the authorizations of all requests to a path.
func (s *server) asked(line string) []string {
	var all []string
	for _, r := range s.sent {
		if r.line == line {
			all = append(all, r.auth)
		}
	}
	return all
}

var shop = client.Credentials{ClientID: "sh:op", Secret: "s %+ü"}

func TestToken_IsRequestedOnceAndReused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := issuing(never)
		api := near(t, s, client.Settings{Credentials: shop})
		check := func() {
			_, err := api.GetHealthWithResponse(t.Context())
			assert.NoError(t, err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(check)
		}
		all.Wait()
		assert.Len(t, s.asked("POST /oauth/token"), 1)
		assert.Equal(t, "grant_type=client_credentials", s.sent[0].body)
		assert.Equal(t, "application/x-www-form-urlencoded", s.sent[0].media)
		user, secret, _ := (&http.Request{Header: http.Header{"Authorization": {s.sent[0].auth}}}).BasicAuth()
		assert.Equal(t, [2]string{"sh%3Aop", "s+%25%2B%C3%BC"}, [2]string{user, secret},
			"both are encoded as in a form")

		time.Sleep(14 * time.Minute)
		check()
		assert.Len(t, s.asked("POST /oauth/token"), 1, "the token is valid for another minute")
		time.Sleep(45 * time.Second)
		check()
		assert.Len(t, s.asked("POST /oauth/token"), 2, "the token is about to expire")
		bearers := s.asked("GET /health")
		assert.Equal(t, []string{"Bearer token-1", "Bearer token-2"}, bearers[8:])
	})
}

func TestToken_HasTheRequestedScope(t *testing.T) {
	t.Parallel()
	s := issuing(never)
	api := dial(t, s,
		client.Settings{Credentials: client.Credentials{ClientID: "shop", Secret: "s",
			Scope: "orders:read orders:write", Customer: "ada"}})
	_, err := api.GetHealthWithResponse(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "customer=ada&grant_type=client_credentials&scope=orders%3Aread+orders%3Awrite", s.sent[0].body)
}

func TestToken_RefusedIsReplaced(t *testing.T) {
	t.Parallel()
	s := issuing(func(auth string) bool { return auth == "Bearer token-1" })
	api := dial(t, s, client.Settings{Credentials: shop, Patience: time.Minute})
	_, err := api.GetHealthWithResponse(t.Context())
	refused, ok := errors.AsType[*client.Refusal](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "not-authenticated", refused.Slug())
	_, err = api.GetHealthWithResponse(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer token-1", "Bearer token-2"}, s.asked("GET /v1/health"))
}

func TestToken_RequestKeepsItsOwnAuthorization(t *testing.T) {
	t.Parallel()
	s := issuing(never)
	api := dial(t, s, client.Settings{Credentials: shop})
	_, err := api.GetHealthWithResponse(t.Context(), func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer another's")
		return nil
	})
	require.NoError(t, err)
	require.Len(t, s.sent, 1)
	assert.Equal(t, "Bearer another's", s.sent[0].auth)
}

func TestToken_MissingSendsNoRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, n int)
		text   string
		tries  int
	}{
		"the client is unknown": {
			answer: func(w http.ResponseWriter, _ int) {
				say(w, http.StatusUnauthorized,
					`{"code":"unknown-client","detail":"The client is unknown.","error":"invalid_client"}`)
			},
			text: "get a token: 401 unknown-client: The client is unknown.", tries: 1,
		},
		"the response has no token": {
			answer: func(w http.ResponseWriter, _ int) { say(w, http.StatusOK, `{}`) },
			text:   "get a token: the response has no token", tries: 1,
		},
		"throttled until patience ends": {
			answer: func(w http.ResponseWriter, _ int) { refuse(w, http.StatusTooManyRequests, "throttled", "20") },
			text:   "get a token: 429 throttled: D. (request r-1)", tries: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{answer: func(w http.ResponseWriter, _ *http.Request, n int) { c.answer(w, n) }}
				_, err := near(t, s, client.Settings{
					Credentials: shop, Patience: 50 * time.Second,
				}).GetHealthWithResponse(t.Context())
				assert.EqualError(t, err, c.text)
				assert.Len(t, s.asked("POST /oauth/token"), c.tries)
				assert.Empty(t, s.asked("GET /health"))
			})
		})
	}
}

func TestToken_WaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
			time.Sleep(time.Minute)
			say(w, http.StatusOK, `{"access_token":"late","expires_in":900}`)
		}}
		api := near(t, s, client.Settings{Credentials: shop})
		var first sync.WaitGroup
		first.Go(func() {
			_, err := api.GetHealthWithResponse(t.Context())
			assert.NoError(t, err)
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := api.GetHealthWithResponse(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		first.Wait()
	})
}
