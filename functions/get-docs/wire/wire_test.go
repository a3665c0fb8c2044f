package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-docs/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

func TestGetDocs_AnswersTheSampleEvents(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	page := cloud.Request(function.Serving(wire.New), "get-docs", "get-docs.json")
	assert.Equal(t, 200, page.Status)
	assert.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	assert.Contains(t, page.Body, "?file=openapi.yaml")
	assert.NotEmpty(t, page.Header.Get("RateLimit-Remaining"), "the route is public, with a rate limit")

	absent := cloud.Request(function.Serving(wire.New), "get-docs", "get-docs.no-such-file.json")
	assert.Equal(t, 404, absent.Status)
	assert.Equal(t, "no-such-route", absent.Slug())
}
