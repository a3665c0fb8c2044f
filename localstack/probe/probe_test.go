package probe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperations_AreForCustomersOrForStaff(t *testing.T) {
	t.Parallel()
	may, err := Operations("../../docs/openapi.yaml")
	require.NoError(t, err)
	assert.Equal(t, Customers, may["POST /orders"])
	assert.Equal(t, Customers, may["GET /products"], "a public operation is also allowed with a token")
	assert.Equal(t, []string{Staff}, may["POST /orders/{id}/refunds"])
	assert.Equal(t, []string{Staff}, may["PUT /products/{sku}"])
}

func TestReport_CountsSuccessfulRequests(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	answer := func(id, identity string, status string) string {
		return `{"ScenarioFinished":{"recorder":{"cases":{"` + id +
			`":{"value":{"method":"GET","path":"/orders/{id}","auth_identity":"` + identity +
			`"}}},"interactions":{"` + id + `":{"response":{"status_code":` + status + `}}},"checks":{"` + id +
			`":[{},{}]}}}}`
	}
	lines := []string{`{"Initialize":{}}`, answer("a", "ada", "200"), answer("b", "ada", "404"),
		answer("c", "staff", "200")}
	r, err := read(in("report.ndjson", strings.Join(lines, "\n")), in("exceptions", "TRACE\nTRACE\n"))
	require.NoError(t, err)
	assert.Equal(t, Report{
		Cases: 3, Checks: 6, Granted: map[string]map[string]int{"GET /orders/{id}": {"ada": 1, "staff": 1}},
		Exceptions: map[string]int{"TRACE": 2},
	}, r)

	table, missing := r.Table(map[string][]string{"GET /orders/{id}": Customers})
	assert.Len(t, table, 2)
	assert.Equal(t, []string{"GET /orders/{id} never succeeded as bob"}, missing, "a request as staff is not required")
	_, missing = r.Table(map[string][]string{"GET /orders/{id}": {Staff}})
	assert.Equal(t, []string{"GET /orders/{id} succeeded as ada, which is not allowed"}, missing)

	_, err = read(in("report.ndjson", "{"), in("exceptions", ""))
	assert.Error(t, err, "the report is incomplete")
}

func TestShop_WritesIdentitiesInTheirOrder(t *testing.T) {
	t.Parallel()
	shop := Shop{API: "http://127.0.0.1:1", ClientID: "a:b", ClientSecret: "s",
		Orders: map[string]Orders{"ada": {Open: []string{"ord_1"}}, "bob": {Open: []string{"ord_2"}}}}
	folder := t.TempDir()
	require.NoError(t, shop.write(func(name string) string { return filepath.Join(folder, name) }, "bob"))
	var identities struct {
		Auth []struct {
			Name  string
			Login struct {
				Payload string `json:"payloadRaw"`
			} `json:"loginEndpointAuth"`
		}
	}
	written, err := os.ReadFile(filepath.Join(folder, "identities.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &identities))
	require.Len(t, identities.Auth, 3)
	assert.Equal(t, "bob", identities.Auth[0].Name)
	assert.Equal(t, "customer=bob&grant_type=client_credentials", identities.Auth[0].Login.Payload)
	assert.Equal(t, Staff, identities.Auth[2].Name)
	assert.Equal(t, "grant_type=client_credentials", identities.Auth[2].Login.Payload)
	config, err := os.ReadFile(filepath.Join(folder, "schemathesis.toml"))
	require.NoError(t, err)
	assert.Contains(t, string(config), `open = { values = ["ord_2"] }`, "the dictionary has the customer's own orders")
}
