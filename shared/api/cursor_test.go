package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/saga"
)

// vault holds the cursors' secret.
type vault struct {
	document string
	away     error
	now      time.Time
}

func (v *vault) read(_ context.Context, value any) error {
	if v.away != nil {
		return v.away
	}
	return json.Unmarshal([]byte(v.document), value)
}

func (v *vault) cursors() *api.Cursors {
	return api.NewCursors(v.read, func() time.Time { return v.now })
}

func newVault() *vault {
	return &vault{document: `{"key":"s3cret"}`, now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}
}

var (
	here  = map[string]string{"sku": "MUG-1", "pk": "main#MUG-1"}
	anns  = api.List{Route: "list-orders", Shop: "main", Subject: "ann", Filters: []string{"by-customer", "ann"}}
	goods = api.List{Route: "list-products", Shop: "main"}
)

func TestCursors_OpenReturnsTheSignedKey(t *testing.T) {
	t.Parallel()
	cursors := newVault().cursors()
	require.NoError(t, cursors.Prepare(t.Context()))
	for _, list := range []api.List{anns, goods} {
		cursor, err := cursors.Sign(t.Context(), list, here)
		require.NoError(t, err)
		assert.Regexp(t, `^[A-Za-z0-9_-]+$`, cursor)
		again, err := cursors.Sign(t.Context(), list, map[string]string{"pk": "main#MUG-1", "sku": "MUG-1"})
		require.NoError(t, err)
		assert.Equal(t, cursor, again, "the same place has the same cursor")

		key, err := newVault().cursors().Open(t.Context(), list, cursor)
		require.NoError(t, err, "another function opens it")
		assert.Equal(t, here, key)
	}
}

func TestCursors_EmptyCursorIsTheFirstPageAndNoKeyTheLast(t *testing.T) {
	t.Parallel()
	v := newVault()
	v.away = errors.New("timeout")
	key, err := v.cursors().Open(t.Context(), goods, "")
	require.NoError(t, err)
	assert.Nil(t, key)
	cursor, err := v.cursors().Sign(t.Context(), goods, nil)
	require.NoError(t, err)
	assert.Empty(t, cursor)
}

func TestCursors_RefuseOtherListsAndForgeries(t *testing.T) {
	t.Parallel()
	cursors := newVault().cursors()
	good, err := cursors.Sign(t.Context(), anns, here)
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	flipped := func(i int) string {
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		return encode(changed)
	}
	products, err := cursors.Sign(t.Context(), goods, here)
	require.NoError(t, err)
	other := newVault()
	other.document = `{"key":"another"}`
	foreign, err := other.cursors().Sign(t.Context(), anns, here)
	require.NoError(t, err)

	for what, c := range map[string]struct {
		list   api.List
		cursor string
	}{
		"another customer's list": {list: api.List{Route: anns.Route, Shop: "main", Subject: "bob",
			Filters: anns.Filters}, cursor: good},
		"a list for everybody": {list: api.List{Route: anns.Route, Shop: "main",
			Filters: anns.Filters}, cursor: good},
		"another shop's list": {list: api.List{Route: anns.Route, Shop: "other", Subject: "ann",
			Filters: anns.Filters}, cursor: good},
		"another route": {list: api.List{Route: "list-refunds", Shop: "main", Subject: "ann",
			Filters: anns.Filters}, cursor: good},
		"another filter": {list: api.List{Route: anns.Route, Shop: "main", Subject: "ann",
			Filters: []string{"by-customer", "bob"}}, cursor: good},
		"filters that are cut otherwise": {list: api.List{Route: anns.Route, Shop: "main", Subject: "ann",
			Filters: []string{"by-customera", "nn"}}, cursor: good},
		"no filters": {list: api.List{Route: anns.Route, Shop: "main", Subject: "ann"},
			cursor: good},
		"one more filter, which is empty": {list: api.List{Route: anns.Route, Shop: "main", Subject: "ann",
			Filters: append(anns.Filters, "")}, cursor: good},
		"another list's cursor":            {list: anns, cursor: products},
		"a secret that was replaced":       {list: anns, cursor: foreign},
		"a signature with one bit changed": {list: anns, cursor: flipped(0)},
		"a key with one bit changed":       {list: anns, cursor: flipped(len(raw) - 3)},
		"a signature alone":                {list: anns, cursor: encode(raw[:32])},
		"a signature that is cut off":      {list: anns, cursor: encode(raw[1:])},
		"a key that is cut off":            {list: anns, cursor: encode(raw[:len(raw)-1])},
		"a key that goes on":               {list: anns, cursor: encode(append(slices.Clip(raw), ' '))},
		"a key without a signature":        {list: anns, cursor: encode(raw[32:])},
		"no signature and a key of one's own": {list: anns,
			cursor: encode(append(make([]byte, 32), `{"pk":"other#1"}`...))},
		"text":                        {list: anns, cursor: "next"},
		"one character":               {list: anns, cursor: "A"},
		"other characters":            {list: anns, cursor: good[:10] + "+/" + good[12:]},
		"padding":                     {list: anns, cursor: good + "="},
		"a line's end in it":          {list: anns, cursor: good[:4] + "\n" + good[4:]},
		"a space behind it":           {list: anns, cursor: good + " "},
		"twice":                       {list: anns, cursor: good + good},
		"more than a cursor has":      {list: anns, cursor: strings.Repeat("A", 1025)},
		"much more than a cursor has": {list: anns, cursor: strings.Repeat("A", 1<<20)},
		"not UTF-8":                   {list: anns, cursor: "\xff\xfe"},
		"the same bytes with bits that count not": {list: anns, cursor: unusedBits(t, good)},
	} {
		key, err := cursors.Open(t.Context(), c.list, c.cursor)
		require.ErrorIs(t, err, api.ErrBadCursor, what)
		assert.Nil(t, key, what)
	}
}

// unusedBits returns another base64 spelling of the cursor, which a lenient decoder accepts.
func unusedBits(t *testing.T, cursor string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	require.NotZero(t, len(cursor)%4, "the last character has bits that do not count")
	last := strings.IndexByte(alphabet, cursor[len(cursor)-1])
	return cursor[:len(cursor)-1] + alphabet[last|1:last|1+1]
}

func TestCursors_RefuseCursorsOfAReplacedSecret(t *testing.T) {
	t.Parallel()
	v := newVault()
	cursors := v.cursors()
	old, err := cursors.Sign(t.Context(), goods, here)
	require.NoError(t, err)

	v.document = `{"key":"n3w"}`
	fresh, err := v.cursors().Sign(t.Context(), goods, here)
	require.NoError(t, err)
	_, err = cursors.Open(t.Context(), goods, old)
	require.NoError(t, err, "an instance without the new secret still opens it")
	key, err := cursors.Open(t.Context(), goods, fresh)
	require.NoError(t, err, "and reads the new secret for the first unknown cursor")
	assert.Equal(t, here, key)
	_, err = cursors.Open(t.Context(), goods, old)
	require.ErrorIs(t, err, api.ErrBadCursor)
}

func TestCursors_UnreadableSecretIsUnavailable(t *testing.T) {
	t.Parallel()
	good, err := newVault().cursors().Sign(t.Context(), goods, here)
	require.NoError(t, err)
	for what, v := range map[string]*vault{
		"the vault is away":                 {away: errors.New("timeout")},
		"the document has no key":           {document: `{}`},
		"the document's key is empty":       {document: `{"key":""}`},
		"the document is of something else": {document: `[]`},
	} {
		cursors := v.cursors()
		assert.Error(t, cursors.Prepare(t.Context()), what)
		_, err := cursors.Sign(t.Context(), goods, here)
		require.ErrorIs(t, err, fault.Unavailable, what)
		_, err = cursors.Open(t.Context(), goods, good)
		require.ErrorIs(t, err, fault.Unavailable, what)
		_, err = cursors.Open(t.Context(), goods, "garbage")
		require.ErrorIs(t, err, api.ErrBadCursor, "not a cursor under any secret: %s", what)
	}
}

func TestCursors_TooLongKeyIsAnInternalError(t *testing.T) {
	t.Parallel()
	_, err := newVault().cursors().Sign(t.Context(), goods, map[string]string{"pk": strings.Repeat("x", 1000)})
	assert.Equal(t, fault.Internal, fault.KindOf(err))
}

func TestCursors_EveryKeyOpensOnlyForItsList(t *testing.T) {
	t.Parallel()
	cursors := newVault().cursors()
	text := rapid.StringN(0, 12, 40)
	list := rapid.Custom(func(t *rapid.T) api.List {
		return api.List{Route: text.Draw(t, "route"), Shop: saga.Shop(text.Draw(t, "shop")),
			Subject: text.Draw(t, "subject"), Filters: rapid.SliceOfN(text, 0, 3).Draw(t, "filters")}
	})
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.MapOfN(text, text, 1, 4).Draw(t, "key")
		mine, other := list.Draw(t, "list"), list.Draw(t, "other")
		cursor, err := cursors.Sign(t.Context(), mine, key)
		require.NoError(t, err)
		back, err := cursors.Open(t.Context(), mine, cursor)
		require.NoError(t, err)
		require.Equal(t, key, back)
		if !assert.ObjectsAreEqual(mine, other) {
			_, err = cursors.Open(t.Context(), other, cursor)
			require.ErrorIs(t, err, api.ErrBadCursor)
		}
	})
}

// FuzzCursor checks that only signed cursors open, and that a cursor has one spelling.
func FuzzCursor(f *testing.F) {
	cursors := newVault().cursors()
	good, err := cursors.Sign(context.Background(), goods, here)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good, good[1:], good + "A", good[:len(good)-1], "", "A", strings.Repeat("A", 60), "e30",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := cursors.Open(t.Context(), goods, text)
		if err != nil {
			require.ErrorIs(t, err, api.ErrBadCursor)
			require.Nil(t, key)
			return
		}
		again, err := cursors.Sign(t.Context(), goods, key)
		require.NoError(t, err)
		require.Equal(t, text, again)
	})
}

type pageInput struct {
	api.Paged
	Kind string `query:"kind"`
}

type pageOutput struct {
	Link string `header:"Link"`
	Body struct {
		Limit int    `json:"limit"`
		Next  string `json:"next,omitempty"`
	}
}

func TestLinkNext_LinksTheNextPage(t *testing.T) {
	t.Parallel()
	list := api.New(api.Route{Name: "list-things", Method: http.MethodGet, Path: "/things", Access: api.Public},
		func(ctx context.Context, in *pageInput) (*pageOutput, error) {
			out := &pageOutput{}
			out.Body.Limit = in.Limit
			if in.Cursor == "" {
				out.Body.Next = "n3xt"
			}
			out.Link = api.LinkNext(ctx, out.Body.Next)
			return out, nil
		})
	for query, want := range map[string]struct {
		status int
		link   string
		body   string
	}{
		"": {200, `</things?cursor=n3xt>; rel="next"`, `{"limit": 20, "next": "n3xt"}`},
		"?limit=7&kind=a+b%26%22%3E": {200, `</things?cursor=n3xt&kind=a+b%26%22%3E&limit=7>; rel="next"`,
			`{"limit": 7, "next": "n3xt"}`},
		"?limit=50&cursor=n3xt&kind=a": {200, "", `{"limit": 50}`},
		"?limit=51":                    {422, "", ""},
		"?limit=0":                     {422, "", ""},
		"?limit=ten":                   {422, "", ""},
	} {
		w := httptest.NewRecorder()
		list.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/things"+query, nil))
		require.Equal(t, want.status, w.Code, "%s: %s", query, w.Body)
		assert.Equal(t, want.link, w.Header().Get("Link"), query)
		if want.body != "" {
			assert.JSONEq(t, want.body, w.Body.String(), query)
		}
	}
}
