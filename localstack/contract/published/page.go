package published

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"backroom/localstack/template"
)

// link matches a link to another page of the repository. A reader of the API's page does not have those.
var link = regexp.MustCompile(`\[([^\]]+)\]\([a-z/-]+\.md(#[a-z-]+)?\)`)

// ProblemsPage returns docs/problems.md as the page that get-problems serves. It needs no script.
func ProblemsPage() ([]byte, error) {
	root, err := template.Root()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "problems.md"))
	if err != nil {
		return nil, err
	}
	frame, err := os.ReadFile(filepath.Join(root, "localstack", "contract", "published", "page.html"))
	if err != nil {
		return nil, err
	}
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithRendererOptions(html.WithUnsafe())) // the anchors are HTML
	var body bytes.Buffer
	if err := markdown.Convert(link.ReplaceAll(text, []byte("$1")), &body); err != nil {
		return nil, err
	}
	return bytes.Replace(frame, []byte("<!-- problems.md -->\n"), body.Bytes(), 1), nil
}
