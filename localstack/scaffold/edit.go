package scaffold

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
)

// An edit changes the text of a Go file. It returns an error if the file has no place for what it adds.
type edit = func(source []byte) ([]byte, error)

// edited returns an edit that inserts text where place says. The result is formatted.
func edited(place func(files *token.FileSet, file *ast.File) (at token.Pos, text string, err error)) edit {
	return func(source []byte) ([]byte, error) {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "", source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		at, text, err := place(files, file)
		if err != nil {
			return nil, err
		}
		return format.Source(slices.Insert(slices.Clone(source), files.Position(at).Offset, []byte(text)...))
	}
}

// imported returns an edit that imports a package under a name.
func imported(name, path string) edit {
	return edited(func(_ *token.FileSet, file *ast.File) (token.Pos, string, error) {
		var last *ast.ImportSpec
		for _, spec := range file.Imports {
			if spec.Name != nil {
				last = spec
			}
		}
		if last == nil {
			return 0, "", errors.New("it imports no function")
		}
		return last.End(), fmt.Sprintf("\n%s %q", name, path), nil
	})
}

// constant returns an edit that adds a constant behind the last one of a type.
func constant(kind, text string) edit {
	return edited(func(_ *token.FileSet, file *ast.File) (token.Pos, string, error) {
		var last *ast.ValueSpec
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				if of, ok := spec.Type.(*ast.Ident); ok && of.Name == kind && len(spec.Values) > 0 {
					last = spec
				}
			}
			return true
		})
		if last == nil {
			return 0, "", fmt.Errorf("it has no constant of type %s", kind)
		}
		at := last.End()
		if last.Comment != nil {
			at = last.Comment.End()
		}
		return at, "\n" + text, nil
	})
}

// element returns an edit that adds an element to a list: behind the last one that after allows, or else at the end.
func element(list func(*ast.File) *ast.CompositeLit, after func(ast.Expr) bool, text string) edit {
	return edited(func(files *token.FileSet, file *ast.File) (token.Pos, string, error) {
		in := list(file)
		if in == nil {
			return 0, "", fmt.Errorf("it has no list for %s", text)
		}
		for _, e := range slices.Backward(in.Elts) {
			if after != nil && after(e) {
				return e.End() + 1, "\n" + text + ",", nil
			}
		}
		switch {
		case len(in.Elts) == 0:
			return in.Rbrace, "\n" + text + ",\n", nil
		case files.Position(in.Rbrace).Line == files.Position(in.Elts[len(in.Elts)-1].End()).Line:
			return in.Rbrace, ", " + text, nil
		}
		return in.Rbrace, text + ",\n", nil
	})
}

// first returns the first list of a file that is meant.
func first(meant func(*ast.CompositeLit) bool) func(*ast.File) *ast.CompositeLit {
	return func(file *ast.File) (found *ast.CompositeLit) {
		ast.Inspect(file, func(n ast.Node) bool {
			if list, ok := n.(*ast.CompositeLit); ok && found == nil && meant(list) {
				found = list
			}
			return found == nil
		})
		return found
	}
}

// ofType means a list whose elements are of a type of another package.
func ofType(name string) func(*ast.File) *ast.CompositeLit {
	return first(func(list *ast.CompositeLit) bool {
		kind, ok := list.Type.(*ast.ArrayType)
		if !ok {
			return false
		}
		of, ok := kind.Elt.(*ast.SelectorExpr)
		return ok && of.Sel.Name == name
	})
}

// with means a list or a map that has an element or a key.
func with(literal string) func(*ast.File) *ast.CompositeLit {
	return first(func(list *ast.CompositeLit) bool {
		return slices.ContainsFunc(list.Elts, func(e ast.Expr) bool {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Key
			}
			text, ok := e.(*ast.BasicLit)
			return ok && text.Value == literal
		})
	})
}

// variable means the list that a variable of the package is.
func variable(name string) func(*ast.File) *ast.CompositeLit {
	return func(file *ast.File) *ast.CompositeLit {
		for _, d := range file.Decls {
			if of, ok := d.(*ast.GenDecl); ok {
				for _, spec := range of.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == name && len(v.Values) == 1 {
						list, _ := v.Values[0].(*ast.CompositeLit)
						return list
					}
				}
			}
		}
		return nil
	}
}

// called means the elements of a map whose value is a call of a function.
func called(name string) func(ast.Expr) bool {
	return func(e ast.Expr) bool {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		made, ok := pair.Value.(*ast.CallExpr)
		if !ok {
			return false
		}
		of, ok := made.Fun.(*ast.Ident)
		return ok && of.Name == name
	}
}

// constants returns the names of a file's constants by their texts.
func constants(file string) (map[string]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
			if text, ok := spec.Values[0].(*ast.BasicLit); ok {
				if value, err := strconv.Unquote(text.Value); err == nil {
					all[value] = spec.Names[0].Name
				}
			}
		}
		return true
	})
	return all, nil
}

// declarations returns the names that the files of a folder declare, tests included; none for a folder that does not
// exist.
func declarations(folder string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				all[d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						all[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							all[name.Name] = true
						}
					}
				}
			}
		}
	}
	return all, nil
}
