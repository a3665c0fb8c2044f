package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-problems/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

func TestGetProblems_AnswersTheSampleEvents(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	page := cloud.Request(function.Serving(wire.New), "get-problems", "get-problems.json")
	assert.Equal(t, 200, page.Status)
	assert.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	assert.Contains(t, page.Body, `id="price-changed"`)
	assert.NotEmpty(t, page.Header.Get("RateLimit-Remaining"), "the route is public, with a rate limit")

	assert.Equal(t, 405,
		cloud.Request(function.Serving(wire.New), "get-problems", "get-problems.wrong-method.json").Status)
}
