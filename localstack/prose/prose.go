// Package prose finds wording in comments, strings and documents that is hard for a reader in a second
// language. The style is plain English: subject, verb, object, and the field's standard term. The patterns are
// the part of the style that a program can check.
package prose

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Hit is a place where a pattern matches.
type Hit struct {
	File    string // path from the root of the repository, with slashes
	Line    int
	Text    string // the match
	Around  string // the match, with some words before and after
	Pattern Pattern
}

// String returns the hit in the format of compiler errors, with the advice.
func (h Hit) String() string {
	return fmt.Sprintf("%s:%d: %q in %q\n\t%s: %s", h.File, h.Line, h.Text, h.Around, h.Pattern.Name, h.Pattern.Advice)
}

// An Exception is wording that is allowed although a pattern matches it.
type Exception struct {
	File   string // path from the root of the repository
	Text   string // a part of the text that overlaps the match
	Reason string
}

// Check returns the hits in a repository that no exception covers. It returns an error if an exception covers no
// hit.
func Check(repo fs.FS, patterns []Pattern, exceptions []Exception) ([]Hit, error) {
	var hits []Hit
	used := make([]bool, len(exceptions))
	err := fs.WalkDir(repo, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && leftOutFolder(name) {
				return fs.SkipDir
			}
			return nil
		}
		read := readerOf(name)
		if read == nil {
			return nil
		}
		content, err := fs.ReadFile(repo, name)
		if err != nil {
			return err
		}
		passages, err := read(name, content)
		if err != nil {
			return err
		}
		for _, p := range passages {
			if !strings.Contains(p.text, " ") {
				continue // one word: a name or a key
			}
			for _, hit := range p.hits(name, patterns) {
				if !excepted(hit, p, exceptions, used) {
					hits = append(hits, hit.Hit)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, was := range used {
		if !was {
			e := exceptions[i]
			return nil,
				fmt.Errorf("the exception %q in %s matches nothing: remove it from localstack/prose/exceptions.go",
					e.Text, e.File)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return hits, nil
}

// Count returns how many hits each pattern has.
func Count(hits []Hit) map[string]int {
	count := map[string]int{}
	for _, h := range hits {
		count[h.Pattern.Name]++
	}
	return count
}

// excepted reports whether an exception covers a hit, and marks all such exceptions as used.
func excepted(hit placed, p passage, exceptions []Exception, used []bool) bool {
	found := false
	for i, e := range exceptions {
		if e.File != hit.File {
			continue
		}
		for from := 0; ; {
			at := strings.Index(p.text[from:], e.Text)
			if at < 0 {
				break
			}
			start := from + at
			if start < hit.end && hit.start < start+len(e.Text) {
				used[i], found = true, true
			}
			from = start + 1
		}
	}
	return found
}

// placed is a hit with its offsets in the passage.
type placed struct {
	Hit
	start, end int
}

// hits returns every match of the patterns.
func (p passage) hits(file string, patterns []Pattern) []placed {
	var hits []placed
	for _, pattern := range patterns {
		for _, at := range pattern.find(p.text) {
			around := p.text[leftOf(p.text, at[0]):rightOf(p.text, at[1])]
			hits = append(hits, placed{
				Hit: Hit{File: file, Line: p.line(at[0]), Text: p.text[at[0]:at[1]], Around: around,
					Pattern: pattern},
				start: at[0], end: at[1],
			})
		}
	}
	return hits
}

// context is how many bytes a hit shows before and after the match, rounded to whole words.
const context = 30

func leftOf(text string, at int) int {
	start := max(at-context, 0)
	if start > 0 {
		if space := strings.IndexByte(text[start:at], ' '); space >= 0 {
			return start + space + 1
		}
		return at
	}
	return 0
}

func rightOf(text string, at int) int {
	end := min(at+context, len(text))
	if end < len(text) {
		return at + max(strings.LastIndexByte(text[at:end], ' '), 0)
	}
	return end
}

// leftOut are files and folders that are not searched, with the reason.
var leftOut = []struct{ match, why string }{
	{`(^|/)\.[^/]`, "files of tools"},
	{`(^|/)testdata$`, "recorded, and compared byte for byte"},
	{`(^|/)__pycache__$`, "compiled"},
	{`\.gen\.go$`, "generated: its source is searched"},
	{`^docs/openapi-3\.0\.yaml$`, "generated: docs/openapi.yaml is searched"},
	{`\.postman_collection\.json$`, "generated: docs/openapi.yaml is searched"},
	{`(^|/)LICENSE$`, "a third party's text"},
	{`^shared/reference/page$`, "a third party's page"},
	{`requirements\.txt$`, "generated"},
	{`^localstack/prose$`, "it quotes what the style rules out"},
	{`^docs/changelog\.md$`, "history: it quotes former names"},
}

var leftOutPattern = func() *regexp.Regexp {
	var all []string
	for _, rule := range leftOut {
		all = append(all, rule.match)
	}
	return regexp.MustCompile(strings.Join(all, "|"))
}()

func leftOutFolder(name string) bool { return leftOutPattern.MatchString(name) && name != ".ci" }

// readerOf returns the reader of a file, or nil if the file is not searched.
func readerOf(name string) func(name string, content []byte) ([]passage, error) {
	switch base := path.Base(name); {
	case name == ".ci/run", name == "Makefile":
		return lines
	case leftOutPattern.MatchString(name):
		return nil
	case within(name, "docs/decisions") && base != "README.md":
		return decision
	default:
		return readers[filepath.Ext(base)]
	}
}

var readers = map[string]func(name string, content []byte) ([]passage, error){
	".go": goSource, ".md": markdown, ".yaml": lines, ".yml": lines, ".json": lines, ".toml": lines, ".py": lines,
	".txt": lines, ".html": lines,
}

func within(name, folder string) bool { return strings.HasPrefix(name, folder+"/") }
