package audit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadScan_CountsVulnerabilitiesThatFunctionsCall(t *testing.T) {
	t.Parallel()
	const header = `{"config":{"go_version":"go1.26.8"}}
{"osv":{"id":"GO-2026-0001","summary":"Crash in net/http"}}
`
	for name, c := range map[string]struct {
		report string
		want   []string
	}{
		"a vulnerable function that is called counts once": {
			report: header +
				`{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"Get"}]}}
{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"Get"}]}}`,
			want: []string{"GO-2026-0001 Crash in net/http: stdlib@v1.26.8, fixed in v1.26.9; as in net/http.Get"},
		},
		"a package that is imported but not called does not count": {
			report: header +
				`{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http"}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := readScan([]byte(c.report))
			require.NoError(t, err)
			assert.Equal(t, "go1.26.8", read.goVersion)
			assert.Equal(t, c.want, read.reached)
		})
	}
	t.Run("an empty report is an error", func(t *testing.T) {
		t.Parallel()
		_, err := readScan(nil)
		assert.Error(t, err)
	})
	t.Run("an incomplete report is an error", func(t *testing.T) {
		t.Parallel()
		_, err := readScan([]byte(header + `{"finding":`))
		assert.Error(t, err)
	})
	assert.Equal(t, "2026-11-05", day("v0.0.0-20261105234957-e22db6528018"))
}
