package reference

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io"
	"io/fs"
	"sync"

	swaggerui "github.com/swaggest/swgui/v5/static"
)

const (
	html       = "text/html; charset=utf-8"
	css        = "text/css; charset=utf-8"
	javascript = "text/javascript; charset=utf-8"
	plain      = "text/plain; charset=utf-8"
	yaml       = "application/yaml"
)

const (
	asked = "no-cache"             // the browser revalidates each time, because a deployment may change the file
	kept  = "public, max-age=3600" // the file is large, and changes only with a new version of Swagger UI
)

//go:embed page
var page embed.FS

// file is one file of the page.
type file struct {
	media, cache string
	content      func() (content, error)
}

// content is the bytes of a file and their ETag.
type content struct {
	bytes []byte
	etag  string
}

// files returns the served files by name. A file is read on its first request, once.
func files(document, problems, cards []byte) map[string]file {
	given := func(b []byte) func() ([]byte, error) { return func() ([]byte, error) { return b, nil } }
	ours := func(name string) func() ([]byte, error) {
		return func() ([]byte, error) { return fs.ReadFile(page, "page/"+name) }
	}
	return map[string]file{
		front:                  {html, asked, once(ours(front))},
		"page.css":             {css, asked, once(ours("page.css"))},
		"page.js":              {javascript, asked, once(ours("page.js"))},
		"openapi.yaml":         {yaml, asked, once(given(document))},
		"problems.md":          {plain, asked, once(given(problems))},
		"test-cards.md":        {plain, asked, once(given(cards))},
		"swagger-ui.css":       {css, kept, once(unpacked("swagger-ui.css.gz"))},
		"swagger-ui-bundle.js": {javascript, kept, once(unpacked("swagger-ui-bundle.js.gz"))},
	}
}

// once caches the result of read, with its ETag.
func once(read func() ([]byte, error)) func() (content, error) {
	return sync.OnceValues(func() (content, error) {
		b, err := read()
		sum := sha256.Sum256(b)
		return content{b, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}, err
	})
}

// unpacked reads a file of Swagger UI, which is embedded compressed.
func unpacked(name string) func() ([]byte, error) {
	return func() ([]byte, error) {
		packed, err := swaggerui.FS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
}
