package prose

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// link is the target of a link or of a picture in Markdown.
var link = regexp.MustCompile(`\]\(<?([^)\s>]+)>?[^)]*\)`)

// deadLinks returns the relative links in the repository's Markdown, as "page: target", that lead
// to no file or no heading.
func deadLinks(repo fs.FS) (dead []string, err error) {
	err = fs.WalkDir(repo, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		case path.Ext(name) != ".md":
			return nil
		}
		page, err := fs.ReadFile(repo, name)
		if err != nil {
			return err
		}
		for _, found := range link.FindAllStringSubmatch(withoutCode(string(page)), -1) {
			if target := found[1]; !strings.Contains(target, ":") && !resolves(repo, name, target) {
				dead = append(dead, name+": "+target)
			}
		}
		return nil
	})
	return dead, err
}

// resolves reports whether a page's relative link leads to a file and, where it names one, to a heading of a page.
func resolves(repo fs.FS, page, target string) bool {
	file, anchor, _ := strings.Cut(target, "#")
	to := page
	if file != "" {
		to = path.Join(path.Dir(page), file)
	}
	if _, err := fs.Stat(repo, to); err != nil {
		return false
	}
	if anchor == "" || path.Ext(to) != ".md" {
		return true
	}
	content, err := fs.ReadFile(repo, to)
	return err == nil && anchors(string(content))[anchor]
}

// withoutCode returns Markdown without its fenced blocks and inline code.
func withoutCode(page string) string {
	var kept []string
	fenced := false
	for line := range strings.Lines(page) {
		switch {
		case fence.MatchString(line):
			fenced = !fenced
		case !fenced:
			kept = append(kept, code.ReplaceAllString(line, ""))
		}
	}
	return strings.Join(kept, "")
}

// notInAnchor is what GitHub leaves out of a heading's anchor.
var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	fenced := false
	for line := range strings.Lines(page) {
		if fence.MatchString(line) {
			fenced = !fenced
		}
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' && !fenced {
			plain := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			all[strings.ReplaceAll(plain, " ", "-")] = true
		}
	}
	return all
}

func TestDocuments_RelativeLinksResolve(t *testing.T) {
	t.Parallel()
	dead, err := deadLinks(os.DirFS("../.."))
	require.NoError(t, err)
	assert.Empty(t, dead)
}

func TestDeadLinks_FindsMissingFilesAndHeadings(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"a.md": "[b](docs/b.md) ![p](p.png) [c](docs/b.md#the-end) [d](docs/b.md#no-end)\n" +
			"[w](https://example.com/x) [h](#what-it-is) [n](#nothing)\n" +
			"## What `it` is?\n`[x](inline.md)`\n```\n[y](fenced.md)\n# in code\n```\n",
		"docs/b.md":  "# B\n\n## The end\n\n[up](../a.md) [gone](../gone.md) [code](../a.md#in-code)\n",
		".git/ab.md": "[x](gone.md)\n",
	}
	repo := fstest.MapFS{}
	for name, page := range pages {
		repo[name] = &fstest.MapFile{Data: []byte(page)}
	}
	dead, err := deadLinks(repo)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"a.md: p.png", "a.md: docs/b.md#no-end", "a.md: #nothing", "docs/b.md: ../gone.md",
		"docs/b.md: ../a.md#in-code",
	}, dead)
}
