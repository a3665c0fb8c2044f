package prose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A passage is text that is searched as one, such as a paragraph or a comment, regardless of line breaks.
type passage struct {
	text   string
	starts []int // the offset in text of each line
	lines  []int // the number in the file of each line
}

// add appends a line, with a space before it.
func (p *passage) add(line int, text string) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return
	}
	if p.text != "" {
		p.text += " "
	}
	p.starts, p.lines = append(p.starts, len(p.text)), append(p.lines, line)
	p.text += text
}

// line returns the number, in the file, of the line with the byte at an offset of the text.
func (p *passage) line(at int) int {
	return p.lines[sort.SearchInts(p.starts, at+1)-1]
}

// collect gathers passages.
type collect struct {
	all  []passage
	open passage
}

func (c *collect) end() {
	if c.open.text != "" {
		c.all = append(c.all, c.open)
	}
	c.open = passage{}
}

// goSource reads the comments and strings of a Go file, struct tags included. Concatenated strings are one
// passage.
func goSource(name string, content []byte) ([]passage, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var c collect
	for _, group := range file.Comments {
		for _, comment := range group.List {
			c.comment(files.Position(comment.Pos()).Line, comment.Text)
		}
		c.end()
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BinaryExpr:
			c.sum(files, n)
			c.end()
			return false
		case *ast.BasicLit:
			c.literal(files, n)
			c.end()
		}
		return true
	})
	return c.all, nil
}

// directive matches a comment for a program, such as go:generate.
var directive = regexp.MustCompile(`^//([a-z]+:|nolint)`)

func (c *collect) comment(line int, text string) {
	if directive.MatchString(text) {
		return
	}
	body := strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
	for i, part := range strings.Split(body, "\n") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "//")
		if strings.TrimSpace(part) == "" {
			c.end()
		}
		c.open.add(line+i, part)
	}
}

// sum reads all strings of an expression into one passage.
func (c *collect) sum(files *token.FileSet, e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok {
			c.literal(files, literal)
		}
		return true
	})
}

func (c *collect) literal(files *token.FileSet, literal *ast.BasicLit) {
	if literal.Kind != token.STRING {
		return
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return
	}
	line := files.Position(literal.Pos()).Line
	for i, part := range strings.Split(value, "\n") {
		if literal.Value[0] != '`' {
			i = 0
		}
		c.open.add(line+i, part)
	}
}

var (
	fence    = regexp.MustCompile("^\\s*(```|~~~)")
	newBlock = regexp.MustCompile(`^\s*([-*+] |\d+\. |#|\||>|<)`)
	code     = regexp.MustCompile("`[^`]*`")
	heading  = regexp.MustCompile(`^(#+ |\*\*[A-Z][^*]*\.?\*\*)`)
)

// markdown reads paragraphs, headings and table rows. It skips code blocks, and replaces inline code by one word.
func markdown(_ string, content []byte) ([]passage, error) {
	var c collect
	fenced := false
	for i, line := range strings.Split(string(content), "\n") {
		if fence.MatchString(line) {
			fenced = !fenced
			c.end()
			continue
		}
		if fenced {
			continue
		}
		if strings.TrimSpace(line) == "" || newBlock.MatchString(line) {
			c.end()
		}
		c.open.add(i+1, code.ReplaceAllString(line, "`code`"))
	}
	c.end()
	return c.all, nil
}

// decision reads the title and the Choice of a decision. Its other sections are history and are not searched.
func decision(name string, content []byte) ([]passage, error) {
	keep := false
	all := strings.Split(string(content), "\n")
	for i, line := range all {
		if mark := heading.FindString(line); mark != "" {
			keep = i == 0 || strings.Contains(line, "Choice")
		}
		if !keep {
			all[i] = ""
		}
	}
	return markdown(name, []byte(strings.Join(all, "\n")))
}

// key matches a line that does not continue the sentence of the line before.
var key = regexp.MustCompile(`^\s*(- |["']?[\w.$/{}-]+["']?:(\s|$)|<|\{|\}|\[|\])`)

// name matches the name of a value.
var name = regexp.MustCompile(`^(- )?["']?[\w.$/{}-]+["']?:(\s|$)`)

// lines reads a file of lines, such as YAML. Comments on successive lines are one passage, and so are the lines
// of one value.
func lines(_ string, content []byte) ([]passage, error) {
	var c collect
	commented := false
	for i, line := range strings.Split(string(content), "\n") {
		body := strings.TrimSpace(line)
		text, comment := strings.CutPrefix(body, "#")
		if body == "" || comment != commented || !comment && key.MatchString(line) {
			c.end()
		}
		if !comment {
			text = name.ReplaceAllString(text, "")
		}
		commented = comment
		before, trailing, found := strings.Cut(text, " # ")
		c.open.add(i+1, before)
		if found {
			c.end()
			c.open.add(i+1, trailing)
			c.end()
		}
	}
	c.end()
	return c.all, nil
}
