// Package rename gives the module another path. Stacks, tables and the product keep their names.
package rename

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"backroom/shared/ops/remedy"
)

// Changed lists the files that Module changed, as paths from the root of the repository.
type Changed struct {
	From, To string
	Modules  []string // go.mod, and the module files of generators and tools
	Sources  []string // Go files
	Texts    []string // documents and settings that name packages
}

// importable matches a path from which others can fetch a module: a host, and the folders of a repository.
var importable = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+(/[A-Za-z0-9_][A-Za-z0-9_.~-]*)+$`)

// major matches the end of a path that Go refuses: /v0, /v1, or a dot. Go accepts /v2 and later.
var major = regexp.MustCompile(`/v[01]$|\.$`)

// Check returns an error if others could not import a module with that path.
func Check(path string) error {
	const example = "make rename MODULE=example.com/shop/backroom"
	switch {
	case path == "":
		return remedy.For(errors.New("the new path of the module is missing"), example)
	case !importable.MatchString(path), strings.Contains(path, "./"), major.MatchString(path):
		return remedy.For(fmt.Errorf("module path %q must be a host and a folder, without https://", path), example)
	}
	return nil
}

// moduleLine matches the line of a module file that names the module.
var moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)`)

// Path returns the path of the module that a module file names, or "".
func Path(content []byte) string {
	if m := moduleLine.FindSubmatch(content); m != nil {
		return string(m[1])
	}
	return ""
}

// Module renames the module in a repository. If it returns an error, some files may have been changed already.
func Module(repo, to string) (Changed, error) {
	if err := Check(to); err != nil {
		return Changed{}, err
	}
	content, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		return Changed{}, err
	}
	c := Changed{From: Path(content), To: to}
	if c.From == "" {
		return c, errors.New("go.mod does not name a module")
	}
	if c.From == to {
		return c, fmt.Errorf("the module path is %s already", to)
	}
	return c, c.files(repo)
}

// files renames the module in every file.
func (c *Changed) files(repo string) error {
	return filepath.WalkDir(repo, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return c.file(repo, file)
		}
		if file != repo && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir // files of git and of tools
		}
		return nil
	})
}

// file renames the module in one file.
func (c *Changed) file(repo, file string) error {
	var (
		change func(content []byte) ([]byte, error)
		list   *[]string
	)
	switch filepath.Ext(file) {
	case ".mod":
		change, list = c.inModule, &c.Modules
	case ".go":
		change, list = c.inSource, &c.Sources
	case ".md", ".yaml", ".yml", ".toml", ".py", ".txt", ".json", "":
		change, list = c.inText, &c.Texts
	default:
		return nil
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if bytes.Equal(before, after) {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, after, info.Mode()); err != nil {
		return err
	}
	name, err := filepath.Rel(repo, file)
	if err != nil {
		return err
	}
	*list = append(*list, filepath.ToSlash(name))
	return nil
}

func (c *Changed) inModule(content []byte) ([]byte, error) {
	if Path(content) != c.From {
		return content, nil
	}
	return moduleLine.ReplaceAllLiteral(content, []byte("module "+c.To)), nil
}

// inSource changes the imports, and the packages that comments and strings name.
func (c *Changed) inSource(content []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", content, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	changed := slices.Clone(content)
	for _, spec := range slices.Backward(file.Imports) {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(imported, c.From+"/"); ok {
			start, end := files.Position(spec.Path.Pos()).Offset, files.Position(spec.Path.End()).Offset
			changed = slices.Replace(changed, start, end, []byte(strconv.Quote(c.To+"/"+rest))...)
		}
	}
	changed, err = c.inText(changed)
	if err != nil || bytes.Equal(content, changed) {
		return content, err
	}
	return format.Source(changed) // sorts the imports
}

// inText changes the names of packages: the module's path before one of its folders, unless it is part of a
// longer path. It matches known folders only, because a stack, a file or the product may have the module's name.
func (c *Changed) inText(content []byte) ([]byte, error) {
	name := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(c.From) + `(/(?:shared|functions|localstack)\b)`)
	return name.ReplaceAll(content, []byte("${1}"+c.To+"${2}")), nil
}
