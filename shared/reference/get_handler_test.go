package reference_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/docs"
	"backroom/shared/api"
	"backroom/shared/function/gateway"
	"backroom/shared/reference"
)

func operation() api.Operation {
	return reference.GetHandler{Document: docs.OpenAPI, Problems: docs.Problems, Cards: docs.TestCards}.Operation()
}

func get(target string, has ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, etag := range has {
		r.Header.Set("If-None-Match", etag)
	}
	w := httptest.NewRecorder()
	operation().ServeHTTP(w, r)
	return w
}

// references returns what a browser loads for a page.
func references(t *testing.T, page string) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range element.Attr {
			switch a.Name.Local {
			case "src", "href":
				all = append(all, a.Value)
			case "style", "onload", "onclick", "onerror":
				t.Errorf("<%s> has %s: style and script are in files", element.Name.Local, a.Name.Local)
			}
		}
		if element.Name.Local == "script" {
			token, err := d.Token()
			require.NoError(t, err)
			assert.IsType(t, xml.EndElement{}, token, "a script in the page's text: the policy refuses it")
		}
	}
}

// fetched are the files that page.js names.
var fetched = regexp.MustCompile(`'\?file=([a-z.-]+)'|\(\?file=([a-z.-]+)`)

func TestGetHandler_ServesThePageAndAllItLoads(t *testing.T) {
	t.Parallel()
	front := get("/docs")
	require.Equal(t, 200, front.Code)
	loads := references(t, front.Body.String())
	for _, name := range fetched.FindAllStringSubmatch(get("/docs?file=page.js").Body.String(), -1) {
		loads = append(loads, "?file="+name[1]+name[2])
	}
	media := map[string]string{}
	for _, reference := range loads {
		if reference == "data:," {
			continue // no icon, and no request for one
		}
		for _, at := range []string{
			"https://shop.example/v1/docs", "https://shop.example/docs",
			"https://gateway.example/_aws/execute-api/a1/v1/docs",
		} {
			base, err := url.Parse(at)
			require.NoError(t, err)
			target, err := base.Parse(reference)
			require.NoError(t, err)
			assert.Equal(t, base.Host+base.Path, target.Host+target.Path, "%s leads to the same route", reference)
		}
		w := get("/docs" + reference)
		require.Equal(t, 200, w.Code, reference)
		require.NotEmpty(t, w.Body.String(), reference)
		media[reference] = w.Header().Get("Content-Type")
	}
	assert.Equal(t, map[string]string{
		"?file=swagger-ui.css":       "text/css; charset=utf-8",
		"?file=page.css":             "text/css; charset=utf-8",
		"?file=swagger-ui-bundle.js": "text/javascript; charset=utf-8",
		"?file=page.js":              "text/javascript; charset=utf-8",
		"?file=openapi.yaml":         "application/yaml",
		"?file=test-cards.md":        "text/plain; charset=utf-8",
	}, media)
}

func TestGetHandler_StylesLoadNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"swagger-ui.css", "page.css"} {
		style := get("/docs?file=" + name).Body.String()
		assert.NotContains(t, style, "@import", name)
		for _, loaded := range regexp.MustCompile(`url\(["']?([^:]{0,8})`).FindAllStringSubmatch(style, -1) {
			assert.Equal(t, "data", loaded[1], name)
		}
	}
}

func TestGetHandler_PolicyAllowsOnlyItsOrigin(t *testing.T) {
	t.Parallel()
	policy := map[string]string{}
	for directive := range strings.SplitSeq(get("/docs").Header().Get("Content-Security-Policy"), "; ") {
		name, sources, _ := strings.Cut(directive, " ")
		policy[name] = sources
	}
	assert.Equal(t, map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "data:",
		"connect-src": "'self'",
		"base-uri":    "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
	}, policy)
	assert.Equal(t, "nosniff", get("/docs").Header().Get("X-Content-Type-Options"))
	assert.Equal(t, "no-referrer", get("/docs").Header().Get("Referrer-Policy"))
}

func TestGetHandler_ServesTheDocumentOfDocs(t *testing.T) {
	t.Parallel()
	assert.Equal(t, string(docs.OpenAPI), get("/docs?file=openapi.yaml").Body.String())
	assert.Equal(t, string(docs.Problems), get("/docs?file=problems.md").Body.String())
	assert.Equal(t, string(docs.TestCards), get("/docs?file=test-cards.md").Body.String())
}

func TestGetHandler_RevalidatesFiles(t *testing.T) {
	t.Parallel()
	tags := map[string]bool{}
	for name, cache := range map[string]string{
		"index.html": "no-cache", "page.js": "no-cache", "openapi.yaml": "no-cache",
		"swagger-ui.css": "public, max-age=3600", "swagger-ui-bundle.js": "public, max-age=3600",
	} {
		first := get("/docs?file=" + name)
		assert.Equal(t, cache, first.Header().Get("Cache-Control"), name)
		tag := first.Header().Get("ETag")
		assert.False(t, tags[tag], "%s has a tag of its own", name)
		tags[tag] = true
		again := get("/docs?file="+name, tag)
		assert.Equal(t, 304, again.Code, name)
		assert.Empty(t, again.Body.String(), name)
		assert.Equal(t, 200, get("/docs?file="+name, `"other"`).Code, name)
	}
}

func TestGetHandler_RefusesOtherFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"favicon.ico", "../get_handler.go", "page/index.html", "swagger-ui.css.gz", "SWAGGER-UI.CSS",
	} {
		w := get("/docs?file=" + url.QueryEscape(name))
		assert.Equal(t, 404, w.Code, name)
		assert.Contains(t, w.Body.String(), "no-such-route", name)
	}
}

// Lambda returns at most 6 MB to the gateway, and the API has no binary media types.
func TestGetHandler_AnswersFitThroughTheGateway(t *testing.T) {
	t.Parallel()
	answer := gateway.Lambda(operation(), slog.New(slog.DiscardHandler))
	for _, name := range []string{
		"index.html", "page.css", "page.js", "openapi.yaml", "problems.md", "test-cards.md",
		"swagger-ui.css", "swagger-ui-bundle.js",
	} {
		out, err := answer(t.Context(), events.APIGatewayProxyRequest{
			HTTPMethod: http.MethodGet, Path: "/docs", Resource: "/docs",
			QueryStringParameters: map[string]string{"file": name},
		})
		require.NoError(t, err)
		require.Equal(t, 200, out.StatusCode, name)
		assert.False(t, out.IsBase64Encoded, "%s is text", name)
		size, err := json.Marshal(out)
		require.NoError(t, err)
		assert.Less(t, len(size), 3_000_000, "%s: half of what is allowed", name)
	}
	slash,
		err := answer(t.Context(),
		events.APIGatewayProxyRequest{HTTPMethod: http.MethodGet, Path: "/docs/", Resource: "/docs"})
	require.NoError(t, err)
	assert.Equal(t, 200, slash.StatusCode, "a slash at the end leads to the page, too")
}
