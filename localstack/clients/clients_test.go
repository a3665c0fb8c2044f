package clients

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJudge_NamesTheFirstWrongStep(t *testing.T) {
	t.Parallel()
	all := strings.Join(Steps, "\n") + "\n"
	for name, c := range map[string]struct {
		printed string
		steps   int
		fault   string
	}{
		"all steps":             {all, len(Steps), ""},
		"with carriage returns": {strings.ReplaceAll(all, "\n", "\r\n"), len(Steps), ""},
		"nothing":               {"", 0, `step 1: nothing was printed, expected "token: Bearer"`},
		"a wrong step": {strings.Replace(all, "products: 2", "products: 3", 1), 1,
			`step 2: printed "products: 3"`},
		"an end too early": {strings.Join(Steps[:4], "\n"), 4, "step 5: nothing was printed"},
		"a line too many":  {all + "done\n", len(Steps), `after the last step it printed "done"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, err := judge([]byte(c.printed))
			assert.Equal(t, c.steps, steps)
			if c.fault == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.fault)
			}
		})
	}
}

func TestClients_HaveADriverOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, client := range All {
		files, err := filepath.Glob(filepath.Join(client.Name, "*"))
		require.NoError(t, err)
		assert.NotEmpty(t, files, client.Name)
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			_, err := Named([]string{entry.Name()})
			assert.NoError(t, err, "a driver that no client names")
		}
	}
	some, err := Named([]string{"rust", "java"})
	require.NoError(t, err)
	assert.Equal(t, "rust", some[0].Name)
	assert.Equal(t, []string{"no-such-program"}, Missing([]Client{{Needs: []string{"no-such-program", "go"}}}))
}

func TestGrow_AnswersAsALaterRelease(t *testing.T) {
	t.Parallel()
	later := httptest.NewServer(Grow(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"v1"`)
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"status":"paid","timeline":[],"total":{"amount":9007199254740993},"options":{"size":"S"}}`))
	})))
	t.Cleanup(later.Close)
	read := func() (body string) {
		answer, err := http.Get(later.URL + "/orders/ord_1")
		require.NoError(t, err)
		defer func() { assert.NoError(t, answer.Body.Close()) }()
		assert.Equal(t, http.StatusAccepted, answer.StatusCode)
		assert.Equal(t, `"v1"`, answer.Header.Get("ETag"))
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	const grown = `{"added_by_a_later_release":{"since":"2.0.0"},"status":"STATUS","timeline":[],` +
		`"total":{"amount":9007199254740993,"added_by_a_later_release":{"since":"2.0.0"}},"options":{"size":"S"}}`
	assert.JSONEq(t, strings.Replace(grown, "STATUS", newStatus, 1), read(), "the first time, the status is new")
	assert.JSONEq(t, strings.Replace(grown, "STATUS", "paid", 1), read())
}
