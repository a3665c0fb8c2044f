package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/oauth"
)

// vault holds the bootstrap client's secret.
type vault struct {
	document string
	away     error
	reads    int
}

func (v *vault) read(_ context.Context, value any) error {
	v.reads++
	if v.away != nil {
		return v.away
	}
	return json.Unmarshal([]byte(v.document), value)
}

func TestBootstrap_AuthenticatesItsClient(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := &vault{document: `{"client_id":"shop","client_secret":"s3cret"}`}
	b := oauth.NewBootstrap("main", v.read, func() time.Time { return now })
	require.NoError(t, b.Prepare(t.Context()))

	client, err := b.Authenticate(t.Context(), "shop", "s3cret")
	require.NoError(t, err)
	assert.Equal(t, shop, client)

	_, wrong := b.Authenticate(t.Context(), "shop", "guess")
	_, unknown := b.Authenticate(t.Context(), "nobody", "s3cret")
	require.ErrorIs(t, wrong, oauth.ErrUnknownClient)
	assert.Equal(t, wrong, unknown, "a guesser does not learn which of the two was wrong")
	for _, pair := range [][2]string{
		{"", ""}, {"shop", ""}, {"", "s3cret"}, {"shop", "s3cret "}, {"Shop", "s3cret"}, {"shops3cret", ""},
	} {
		_, err := b.Authenticate(t.Context(), pair[0], pair[1])
		assert.ErrorIs(t, err, oauth.ErrUnknownClient, "%q", pair)
	}
	assert.Equal(t, 2, v.reads, "guesses do not read the secret again and again")

	v.document = `{"client_id":"shop","client_secret":"n3w"}`
	now = now.Add(5 * time.Second)
	_, err = b.Authenticate(t.Context(), "shop", "n3w")
	assert.NoError(t, err, "a secret that was replaced")
	_, err = b.Authenticate(t.Context(), "shop", "s3cret")
	assert.ErrorIs(t, err, oauth.ErrUnknownClient)

	v.document = `{"client_id":"shop","client_secret":"n3wer"}`
	now = now.Add(5 * time.Minute)
	_, err = b.Authenticate(t.Context(), "shop", "n3w")
	assert.ErrorIs(t, err, oauth.ErrUnknownClient, "the old one ends by itself")
}

func TestBootstrap_UnreadableSecretIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]*vault{
		"the vault is away":                {away: errors.New("timeout")},
		"the document has no secret":       {document: `{"client_id":"shop"}`},
		"the document has an empty secret": {document: `{"client_id":"shop","client_secret":""}`},
		"the document has no id":           {document: `{"client_secret":"s3cret"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := oauth.NewBootstrap("main", v.read, time.Now)
			assert.Error(t, b.Prepare(t.Context()))
			_, err := b.Authenticate(t.Context(), "shop", "")
			require.ErrorIs(t, err, fault.Unavailable)
			v.away, v.document = nil, `{"client_id":"shop","client_secret":"s3cret"}`
			_, err = b.Authenticate(t.Context(), "shop", "s3cret")
			assert.NoError(t, err, "it is read when it is needed")
		})
	}
}
