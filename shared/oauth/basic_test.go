package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzBasic checks that an encoded id and secret are read as they were, and that the standard library reads the same.
func FuzzBasic(f *testing.F) {
	f.Add("Basic c2hvcDpzM2NyZXQ=", "shop", "s3cret")
	f.Add("basic  YSUzQWI6Yw==", "a:b", "c+ d%")
	f.Add("Basic Og==", "", "")
	f.Add("Bearer x", "\x00\xff", ":")
	f.Fuzz(func(t *testing.T, header, id, secret string) {
		pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
		gotID, gotSecret, ok := basic("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
		require.True(t, ok)
		require.Equal(t, [2]string{id, secret}, [2]string{gotID, gotSecret})

		gotID, gotSecret, ok = basic(header)
		if !ok {
			return
		}
		scheme, encoded := header[:len("Basic")], strings.TrimSpace(header[len("Basic"):])
		theirID, theirSecret,
			known := (&http.Request{Header: http.Header{"Authorization": {scheme + " " + encoded}}}).BasicAuth()
		require.True(t, known)
		theirID, badID := url.QueryUnescape(theirID)
		theirSecret, badSecret := url.QueryUnescape(theirSecret)
		require.NoError(t, badID)
		require.NoError(t, badSecret)
		require.Equal(t, [2]string{theirID, theirSecret}, [2]string{gotID, gotSecret})
	})
}
