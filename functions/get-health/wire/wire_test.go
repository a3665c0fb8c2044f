package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-health/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

func TestGetHealth_AnswersTheSampleEvents(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	well := cloud.Request(function.Serving(wire.New), "get-health", "get-health.json")
	assert.Equal(t, 200, well.Status)
	assert.JSONEq(t, `{"status":"ok"}`, well.Body)
	assert.Equal(t, "no-store", well.Header.Get("Cache-Control"))

	wrong := cloud.Request(function.Serving(wire.New), "get-health", "get-health.wrong-method.json")
	assert.Equal(t, 405, wrong.Status)
	assert.Contains(t, wrong.Header.Get("Allow"), "GET")

	cloud.Remove("Access")
	unwell := cloud.Request(function.Serving(wire.New), "get-health", "get-health.json")
	assert.Equal(t, 503, unwell.Status)
	assert.Equal(t, "unhealthy", unwell.Slug())
	assert.Equal(t, "no-store", unwell.Header.Get("Cache-Control"))
}
