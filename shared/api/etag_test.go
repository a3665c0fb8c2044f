package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/api"
)

func TestTags_MatchStronglyAndWeakly(t *testing.T) {
	assert.Equal(t, `"v3"`, api.ETag(3))
	assert.Equal(t, `"v3.0.12"`, api.ETag(3, 0, 12))
	for header, c := range map[string]struct{ given, strong, weak, fails bool }{
		``:                   {},
		`"v3"`:               {given: true, strong: true, weak: true},
		` "v2" ,	"v3"`:       {given: true, strong: true, weak: true},
		`"v2",,"v3",`:        {given: true, strong: true, weak: true},
		`W/"v3"`:             {given: true, weak: true},
		`"a,b", W/"v2"`:      {given: true},
		`*`:                  {given: true, strong: true, weak: true},
		`"v4"`:               {given: true},
		`v3`:                 {fails: true},
		`"v3`:                {fails: true},
		`"v3" "v4"`:          {fails: true},
		`*, "v3"`:            {fails: true},
		`w/"v3"`:             {fails: true},
		`"v` + "\x7f" + `3"`: {fails: true},
	} {
		var tags api.Tags
		err := tags.UnmarshalText([]byte(header))
		assert.Equal(t, c.fails, err != nil, header)
		assert.Equal(t, c.given, tags.Given(), header)
		assert.Equal(t, c.strong, tags.Match(`"v3"`), header)
		assert.Equal(t, c.weak, tags.MatchWeakly(`"v3"`), header)
		assert.False(t, tags.Match(""), "nothing is stored: nothing matches")
		assert.False(t, tags.MatchWeakly(""), header)
		assert.Equal(t, header == "*", tags.Any(), header)
	}
}

type shelfInput struct {
	IfMatch     api.Tags `header:"If-Match"`
	IfNoneMatch api.Tags `header:"If-None-Match"`
}

type shelfOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   struct {
		Match bool `json:"match"`
		Any   bool `json:"any"`
	}
}

func shelf(method string, status int) api.Operation {
	return api.New(api.Route{Name: "shelf", Method: method, Path: "/shelf", Access: api.Public, DefaultStatus: 200},
		func(_ context.Context, in *shelfInput) (*shelfOutput, error) {
			out := &shelfOutput{ETag: api.ETag(3), Status: status}
			out.Body.Match, out.Body.Any = in.IfMatch.Match(out.ETag), in.IfNoneMatch.Any()
			return out, nil
		})
}

func TestETag_RevalidatesAGET(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/shelf", nil)
	w := serve(shelf("GET", 0), r)
	assert.Equal(t, 200, w.Code, "a Status of 0 is the route's")

	r.Header.Add("If-None-Match", `"v2"`)
	r.Header.Add("If-None-Match", `W/"v3"`)
	w = serve(shelf("GET", 0), r)
	assert.Equal(t, 304, w.Code)
	assert.Empty(t, w.Body.String())
	assert.Equal(t, `"v3"`, w.Header().Get("ETag"))
	assert.Empty(t, w.Header().Get("Content-Type"))
	assert.NotEmpty(t, w.Header().Get("X-Request-Id"))

	r.Header.Set("If-None-Match", `"v4"`)
	assert.Equal(t, 200, serve(shelf("GET", 0), r).Code)
}

func TestETag_LeavesAPUTToItsHandler(t *testing.T) {
	r := httptest.NewRequest(http.MethodPut, "/shelf", nil)
	r.Header.Set("If-Match", `"v3"`)
	r.Header.Set("If-None-Match", `*`)
	w := serve(shelf("PUT", 201), r)
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"match":true,"any":true}`, w.Body.String())

	r.Header.Set("If-Match", `v3`)
	p := problem(t, serve(shelf("PUT", 201), r))
	assert.Equal(t, 422, p.Status)
	assert.Equal(t, "If-Match", p.Errors[0].Parameter)
}
