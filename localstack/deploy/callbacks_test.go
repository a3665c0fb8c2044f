package deploy_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/deploy"
	"backroom/shared/ops/stack"
)

// fakeCloud answers as a cloud with one secret and a payment sandbox.
type fakeCloud struct {
	t         *testing.T
	secret    string
	endpoints []map[string]any
	made      int
	writes    int
}

func (d *fakeCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply := func(document any) { _ = json.NewEncoder(w).Encode(document) }
	var body map[string]string
	switch operation := r.Header.Get("X-Amz-Target"); operation {
	case "secretsmanager.GetSecretValue":
		reply(map[string]string{"SecretString": d.secret})
		return
	case "secretsmanager.PutSecretValue":
		_ = json.NewDecoder(r.Body).Decode(&body)
		d.secret = body["SecretString"]
		d.writes++
		reply(map[string]string{})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/_aws/execute-api/sand/sandbox/v1/webhook_endpoints")
	if !ok || r.Header.Get("Authorization") != "Bearer sk_1" {
		d.t.Errorf("%s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet:
		reply(map[string]any{"data": d.endpoints})
	case http.MethodPost:
		_ = r.ParseForm()
		d.made++
		e := map[string]any{"id": "we_" + strconv.Itoa(d.made), "url": r.PostForm.Get("url"),
			"enabled_events": r.PostForm["enabled_events[]"]}
		d.endpoints = append(d.endpoints, e)
		reply(map[string]any{"id": e["id"], "url": e["url"], "secret": "whsec_" + strconv.Itoa(d.made)})
	case http.MethodDelete:
		var kept []map[string]any
		for _, e := range d.endpoints {
			if "/"+url.PathEscape(e["id"].(string)) != path {
				kept = append(kept, e)
			}
		}
		d.endpoints = kept
		reply(map[string]any{"deleted": true})
	}
}

func newFakeCloud(t *testing.T) (*fakeCloud, stack.Stack) {
	d := &fakeCloud{t: t, secret: `{"api_key":"sk_1"}`, endpoints: []map[string]any{}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, stack.Stack{Name: "backroom", Endpoint: server.URL, Outputs: map[string]string{
		"ApiId": "shop", "SandboxApiId": "sand",
		"PaymentsSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:payments",
	}}
}

func register(t *testing.T, s stack.Stack) {
	t.Helper()
	_, err := deploy.RegisterCallbacks(t.Context(), s)
	require.NoError(t, err)
}

func TestRegisterCallbacks_SandboxCallsAPI(t *testing.T) {
	t.Parallel()
	d, deployed := newFakeCloud(t)
	register(t, deployed)
	require.Len(t, d.endpoints, 1)
	assert.Equal(t, "execute-api:shop/v1/payments/events", d.endpoints[0]["url"])
	assert.Contains(t, d.endpoints[0]["enabled_events"], "payment_intent.succeeded")
	assert.JSONEq(t, `{"api_key": "sk_1", "webhook_secret": "whsec_1"}`, d.secret)

	t.Run("a second registration changes nothing", func(t *testing.T) {
		register(t, deployed)
		assert.Equal(t, []int{1, 1}, []int{d.made, d.writes})
	})
}

func TestRegisterCallbacks_ReplacesInvalidRegistration(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(d *fakeCloud){
		"the signing secret was lost": func(d *fakeCloud) { d.secret = `{"api_key":"sk_1"}` },
		"the sandbox has no endpoint": func(d *fakeCloud) { d.endpoints = []map[string]any{} },
		"the endpoint has fewer events": func(
			d *fakeCloud) {
			d.endpoints[0]["enabled_events"] = []string{"refund.failed"}
		},
		"an earlier registration was interrupted": func(d *fakeCloud) {
			d.endpoints = append(d.endpoints, d.endpoints[0])
			d.secret = `{"api_key":"sk_1"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, deployed := newFakeCloud(t)
			register(t, deployed)
			spoil(d)
			register(t, deployed)
			assert.Len(t, d.endpoints, 1)
			assert.JSONEq(t, `{"api_key": "sk_1", "webhook_secret": "whsec_2"}`, d.secret)
		})
	}
}

func TestRegisterCallbacks_WithoutSandboxDoesNothing(t *testing.T) {
	t.Parallel()
	d, deployed := newFakeCloud(t)
	delete(deployed.Outputs, "SandboxApiId")
	register(t, deployed)
	assert.Empty(t, d.endpoints)
	assert.Zero(t, d.writes)
}
