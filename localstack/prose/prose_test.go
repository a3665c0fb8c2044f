package prose

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatterns_FindAndSpare(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ found, spared []string }{
		"noun-who": {
			found: []string{"It is shown to who placed it.", "asks of who waits", "Only who pays gets it."},
			spared: []string{"The customer who placed it sees it.", "It says who placed it.",
				"a customer, to whom it is shown"},
		},
		"subject-who": {
			found:  []string{"Who has no outcome expires.", "It is kept. Who asks again gets it."},
			spared: []string{"Who may read it?", "who calls", "A customer who has none waits."},
		},
		"whoever": {found: []string{"for whoever reads it", "Whoever waits", "whomever it serves"},
			spared: []string{"whatever fails"}},
		"anew": {found: []string{"It is read anew."}, spared: []string{"a new row"}},
		"is-none": {
			found:  []string{"The problem is none.", "Two of them were none."},
			spared: []string{"There is none.", "None is left.", "It returns none."},
		},
		"is-no": {
			found: []string{"It is no whole number.", "A retry is no failure.", "They were no orders."},
			spared: []string{"There is no row.", "It is no longer held.", "It is no more than a hint.",
				"is not a number"},
		},
		"had-had": {found: []string{"what it had had"}, spared: []string{"what it had"}},
		"for-ever": {found: []string{"It is kept for ever."},
			spared: []string{"It runs forever.", "for every order"}},
		"any-more": {found: []string{"It does not count any more.", "nothing any more, and"},
			spared: []string{"any more units", "any more than that"}},
		"can-not": {found: []string{"It can not be read."},
			spared: []string{"It cannot be read.", "It can not only read."}},
		"in-vain":    {found: []string{"It asked in vain."}, spared: []string{"in the main"}},
		"at-odds":    {found: []string{"Money at odds"}, spared: []string{"against the odds"}},
		"spoken-for": {found: []string{"Units are spoken for."}, spared: []string{"Units are reserved."}},
		"befall": {
			found:  []string{"A fault befalls a call.", "It befell it.", "what has befallen it"},
			spared: []string{"A fault strikes a call before it."},
		},
		"but-for": {found: []string{"All but for one."}, spared: []string{"All except one.", "not one but four"}},
		"that-there-is": {found: []string{"the one that there is", "all that there are"},
			spared: []string{"It says that there is one."}},
		"comes-to-end": {found: []string{"The order comes to its end.", "It came to no end."},
			spared: []string{"It comes to 12.50 EUR."}},
		"stands": {
			found:  []string{"It stands in the log twice.", "as it stood", "where it stands"},
			spared: []string{"MiniStack stands in for AWS.", "C stands for count.", "it outstands"},
		},
		"hears": {found: []string{"A step hears it.", "It heard of it."}, spared: []string{"Listen."}},
		"tells": {
			found:  []string{"A row tells a fact.", "It was told once.", "It tells"},
			spared: []string{"It tells which is newer.", "to tell it from the old one", "They cannot be told apart."},
		},
	}
	for _, p := range Patterns {
		c, ok := cases[p.Name]
		require.True(t, ok, "%s has no cases", p.Name)
		assert.NotEmpty(t, p.Advice, p.Name)
		for _, text := range c.found {
			assert.Len(t, p.find(text), 1, "%s in %q", p.Name, text)
		}
		for _, text := range c.spared {
			assert.Empty(t, p.find(text), "%s in %q", p.Name, text)
		}
	}
	assert.Len(t, Patterns, len(cases), "a pattern for each case")
}

// found returns file:line and the text of each hit of two patterns.
func found(t *testing.T, files map[string]string, exceptions ...Exception) []string {
	t.Helper()
	repo := fstest.MapFS{}
	for name, content := range files {
		repo[name] = &fstest.MapFile{Data: []byte(content)}
	}
	hits, err := Check(repo, Patterns, exceptions)
	require.NoError(t, err)
	places := []string{}
	for _, h := range hits {
		places = append(places, fmt.Sprintf("%s:%d %s", h.File, h.Line, h.Text))
	}
	return places
}

func TestCheck_ReadsEachKindOfFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, content string
		want          []string
	}{
		"a Go comment, over the end of a line": {
			"a.go", "// Package a is shown to\n// who reads it.\npackage a\n", []string{"a.go:1 to who"}},
		"two paragraphs of a Go comment are not one sentence": {
			"a.go", "// Package a is shown to\n//\n// who reads it.\npackage a\n", []string{}},
		"a directive": {
			"a.go", "package a\n\n//go:generate is done anew\nvar x = 1\n", []string{}},
		"a Go string": {
			"a.go", "package a\n\nvar x = \"reads it anew\"\n", []string{"a.go:3 anew"}},
		"Go strings that are added up": {
			"a.go", "package a\n\nvar x = \"shown to \" +\n\t\"who asks\"\n", []string{"a.go:3 to who"}},
		"the second line of a raw string": {
			"a.go", "package a\n\nvar x = `reads\nit anew`\n", []string{"a.go:4 anew"}},
		"a struct tag": {
			"a.go", "package a\n\ntype x struct {\n\tA int `doc:\"read anew\"`\n}\n", []string{"a.go:4 anew"}},
		"a name in Go": {
			"a.go", "package a\n\nvar anew = \"anew\"\n", []string{}},
		"a paragraph of Markdown": {
			"a.md", "# Read anew\n\nIt is shown to\nwho asks.\n\n- to\n- who\n",
			[]string{"a.md:1 anew", "a.md:3 to who"}},
		"code in Markdown": {
			"a.md", "Reads `x anew` and\n```\nreads it anew\n```\n", []string{}},
		"a comment in YAML": {
			"a.yaml", "# It is shown to\n# who asks.\nA: 1 # and read anew\n",
			[]string{"a.yaml:1 to who", "a.yaml:3 anew"}},
		"a value in YAML": {
			"a.yaml", "A:\n  Description: it is shown to\n    who asks\n  B: to\n  C: who\n",
			[]string{"a.yaml:2 to who"}},
		"a sample event": {
			"events/a.json", "{\n  \"reason\": \"read anew\",\n  \"tells\": 1\n}\n", []string{"events/a.json:2 anew"}},
		"a decision: its title and choice": {
			"docs/decisions/0001-a.md",
			"# 0001 Read anew\n\n**Context.** Read anew.\n\n**Choice.** Read\nanew.\n\nRead " +
				"anew.\n\n**Consequence.** Read anew.\n",
			[]string{"docs/decisions/0001-a.md:1 anew", "docs/decisions/0001-a.md:6 anew",
				"docs/decisions/0001-a.md:8 anew"}},
		"a decision with headings": {
			"docs/decisions/0002-a.md",
			"# 0002 A\n\n## Context\nRead anew.\n\n## Choice\nRead anew.\n\n## Consequence\nRead anew.\n",
			[]string{"docs/decisions/0002-a.md:7 anew"}},
		"recorded data":  {"a/testdata/a.yaml", "A: read anew\n", []string{}},
		"generated code": {"a.gen.go", "// Read anew.\npackage a\n", []string{}},
		"a licence":      {"LICENSE", "Read anew.\n", []string{}},
		"what git keeps": {".git/a.md", "Read anew.\n", []string{}},
		"history":        {"docs/changelog.md", "Read anew.\n", []string{}},
		"a makefile":     {"Makefile", "x: ## it is read anew\n", []string{"Makefile:1 anew"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, found(t, map[string]string{c.file: c.content}))
		})
	}
}

func TestCheck_ExceptionCoversItsTextAlone(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.md": "It begins anew.\n\nIt is read anew.\n", "b.md": "It begins anew.\n"}
	assert.Equal(t, []string{"a.md:3 anew", "b.md:1 anew"},
		found(t, files, Exception{File: "a.md", Text: "begins anew", Reason: "a quotation"}))
}

func TestCheck_ExceptionThatMatchesNothingFails(t *testing.T) {
	t.Parallel()
	repo := fstest.MapFS{"a.md": {Data: []byte("It begins again.\n")}}
	_, err := Check(repo, Patterns, []Exception{{File: "a.md", Text: "begins again", Reason: "a quotation"}})
	assert.ErrorContains(t, err, `the exception "begins again" in a.md matches nothing`)
}

func TestExceptions_HaveReasons(t *testing.T) {
	t.Parallel()
	for _, e := range Exceptions {
		assert.NotEmpty(t, e.Reason, "%s: %s", e.File, e.Text)
	}
}

func TestHit_SaysWhereAndWhatToWrite(t *testing.T) {
	t.Parallel()
	repo := fstest.MapFS{"a.md": {Data: []byte(
		"Some words that are far from it, and then\nit is read anew, before some more words that are far.\n")}}
	hits, err := Check(repo, Patterns, nil)
	require.NoError(t, err)
	require.Len(t, hits, 1)
	assert.Equal(t, `a.md:2: "anew" in "from it, and then it is read anew, before some more words that"`+
		"\n\t"+`anew: "again", or the verb: "reads it anew" → "reloads it"`, hits[0].String())
}
