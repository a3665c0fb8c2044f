// Package shared_test holds that imports point one way.
package shared_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "backroom/"

// source is one Go file and what it imports.
type source struct {
	file    string   // from the root of the repository
	folder  string   // its package's folder, from the root
	test    bool     // it is a test, or in a package that only tests use
	imports []string // packages of this module without the module's name; others as they are, the standard library left out
	syntax  *ast.File
}

// sources reads every Go file of the repository.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." {
			return fs.SkipDir // .git, and what tools keep
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(filepath.ToSlash(name), "../")
		s := source{file: file, folder: path.Dir(file), syntax: syntax, test: strings.HasSuffix(file, "_test.go") || onlyForTests(path.Dir(file))}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imported, module); ok {
				s.imports = append(s.imports, own)
			} else if strings.Contains(strings.Split(imported, "/")[0], ".") {
				s.imports = append(s.imports, imported)
			}
		}
		all = append(all, s)
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d Go files read: %v", len(all), err)
	}
	return all
}

// onlyForTests reports whether a package is there for tests alone: ordertest, cloudtest, the black-box suite.
func onlyForTests(folder string) bool {
	return strings.HasSuffix(path.Base(folder), "test") || inside(folder, "shared/cloudtest") || inside(folder, "shared/cloudsim") || inside(folder, "localstack/e2e")
}

// platform are the packages that know no domain.
var platform = []string{"api", "chance", "circuit", "client", "cloudsim", "cloudtest", "function", "observe", "queue", "record", "reference", "relay", "secret"}

// language is what everybody speaks.
var language = []string{"saga", "money", "fault", "identity"}

// domain returns the domain that a folder belongs to; empty for none.
func domain(folder string) string {
	rest, ok := strings.CutPrefix(folder, "shared/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if slices.Contains(platform, name) || slices.Contains(language, name) {
		return ""
	}
	return name
}

func inside(folder, of string) bool { return folder == of || strings.HasPrefix(folder, of+"/") }

func within(folder string, allowed ...string) bool {
	return slices.ContainsFunc(allowed, func(of string) bool { return inside(folder, "shared/"+of) })
}

func ours(imported string) bool { return !strings.Contains(strings.Split(imported, "/")[0], ".") }

// rules are the ways that imports must not point. Each says why, in words for whoever broke it.
var rules = []struct {
	why    string
	breaks func(s source, imported string) bool
}{
	{
		"domains never import each other: they meet in shared/saga, and a row that another domain needs is named to a store as a key",
		func(s source, imported string) bool {
			return domain(s.folder) != "" && domain(imported) != "" && domain(s.folder) != domain(imported)
		},
	},
	{
		"a domain's rules and edges know saga, money, identity, fault, api, observe and nothing else: what they need of the cloud is handed to them",
		func(s source, imported string) bool {
			return s.folder == "shared/"+domain(s.folder) && !s.test && domain(imported) != domain(s.folder) &&
				!within(imported, "saga", "money", "identity", "fault", "api", "observe")
		},
	},
	{
		"a store imports its domain, record and the language of the saga: an answer to HTTP or to a queue is not its business",
		func(s source, imported string) bool {
			store := domain(s.folder) != "" && strings.HasSuffix(s.folder, "db")
			return store && !s.test && ours(imported) && domain(imported) != domain(s.folder) && !within(imported, "record", "saga", "money", "fault")
		},
	},
	{
		"the platform knows no domain: it must serve the next one unchanged",
		func(s source, imported string) bool {
			return within(s.folder, platform...) && !s.test && domain(imported) != ""
		},
	},
	{
		"the saga's facts know only money and fault: whoever hears a fact must not link who tells it",
		func(s source, imported string) bool {
			return within(s.folder, "saga", "money", "fault") && !s.test && ours(imported) && !within(imported, "money", "fault")
		},
	},
	{
		"nothing in shared knows a function or the local clouds: functions are made of shared, not the other way round",
		func(s source, imported string) bool {
			if s.test && s.folder == "shared/cloudsim/simulation" && imported == "localstack/shop" {
				return false // whoever buys in a simulated shop calls the API as any client does
			}
			registered := s.folder == "shared/cloudsim/registry" && inside(imported, "functions") // where the simulation finds all of them
			return inside(s.folder, "shared") && (inside(imported, "functions") || inside(imported, "localstack")) && !registered
		},
	},
	{
		"the client knows the API's document and nothing else of the system: whoever imports it must not link a server",
		func(s source, imported string) bool { return within(s.folder, "client") && !s.test && ours(imported) },
	},
	{
		"a function never imports another: what two of them need is in shared",
		func(s source, imported string) bool {
			own := strings.Split(s.folder, "/")
			return inside(s.folder, "functions") && len(own) > 1 && inside(imported, "functions") && !inside(imported, "functions/"+own[1])
		},
	},
	{
		"localstack/ sees the deployed system from outside: it has what clients have (shared/client) and knows what clients and operators know, which for its tests includes the names of facts and steps (shared/saga), how a suite is run on several clouds and a network in memory, which know nothing of the system (shared/cloudtest/deviation, shared/cloudtest/loopback), and the document that answers are held to (shared/api/apitest); only the operator's own commands (localstack/operator) are made of the system's parts",
		func(s source, imported string) bool {
			return inside(s.folder, "localstack") && !inside(s.folder, "localstack/operator") && ours(imported) && !inside(imported, "localstack") && imported != "shared/client" && !(s.test && slices.Contains([]string{"shared/saga", "shared/cloudtest/deviation", "shared/cloudtest/loopback", "shared/api/apitest"}, imported))
		},
	},
	{
		"test code never reaches a binary",
		func(s source, imported string) bool {
			return !s.test && (ours(imported) && onlyForTests(imported) || strings.HasPrefix(imported, "github.com/stretchr/") || strings.HasPrefix(imported, "pgregory.net/"))
		},
	},
}

func TestImportsPointOneWay(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			for _, rule := range rules {
				if rule.breaks(s, imported) {
					t.Errorf("%s imports %s\n\tbut %s", s.file, imported, rule.why)
				}
			}
		}
	}
}

// Decisions take the time and ids as arguments, so that a test, a simulation and a redelivery see the same.
func TestDomainsHaveNoClockAndNoDice(t *testing.T) {
	hidden := map[string]bool{"time.Now": true, "time.Since": true, "time.Sleep": true, "time.After": true, "rand.Text": true, "rand.Read": true, "rand.N": true, "os.Getenv": true}
	for _, s := range sources(t) {
		if s.folder != "shared/"+domain(s.folder) || s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && hidden[x.Name+"."+selector.Sel.Name] {
				t.Errorf("%s uses %s.%s\n\tbut time, chance and settings are handed to a domain", s.file, x.Name, selector.Sel.Name)
			}
			return true
		})
	}
}
