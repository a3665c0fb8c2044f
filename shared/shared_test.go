// Package shared_test holds that imports point one way.
package shared_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is what the paths of this module's packages begin with.
var module = func() string {
	content, err := os.ReadFile("../go.mod")
	if err != nil {
		panic(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimPrefix(first, "module ") + "/"
}()

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

// onlyForTests reports whether a package is there for tests alone: ordertest, and what stands in for AWS in tests.
func onlyForTests(folder string) bool {
	return strings.HasSuffix(path.Base(folder), "test") || within(folder, proof...)
}

// proof are the folders that show that the product keeps its promises, in tests. The commands in localstack/ do not link them.
var proof = []string{
	"localstack/cloudsim", "localstack/cloudtest", "localstack/conformance", "localstack/contract", "localstack/e2e",
	"localstack/policy", "localstack/recorded", "localstack/simulation", "localstack/template",
}

// tools are the folders of localstack/ that the commands are made of: local clouds, deployment, and the repository's gates.
var tools = []string{
	"localstack/audit", "localstack/browser", "localstack/cloud", "localstack/deploy", "localstack/front", "localstack/lane",
	"localstack/probe", "localstack/prose", "localstack/rename", "localstack/seed", "localstack/tools",
}

// platform are the packages that know no domain.
var platform = []string{
	"shared/api", "shared/chance", "shared/circuit", "shared/client", "shared/function", "shared/health", "shared/oauth", "shared/observe",
	"shared/queue", "shared/record", "shared/reference", "shared/relay", "shared/sandbox", "shared/secret",
}

// language are the packages that every other may use.
var language = []string{"shared/saga", "shared/money", "shared/fault", "shared/identity"}

// domain returns the domain that a folder belongs to; empty if it belongs to no domain.
func domain(folder string) string {
	rest, ok := strings.CutPrefix(folder, "shared/")
	if !ok || within(folder, platform...) || within(folder, language...) || within(folder, "shared/ops") {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// edge reports whether a folder is the HTTP edge of a domain.
func edge(folder string) bool { return domain(folder) != "" && strings.HasSuffix(folder, "api") }

// within reports whether a folder is one of others, or inside one.
func within(folder string, others ...string) bool {
	return slices.ContainsFunc(others, func(of string) bool { return folder == of || strings.HasPrefix(folder, of+"/") })
}

func ours(imported string) bool { return !strings.Contains(strings.Split(imported, "/")[0], ".") }

// rules are the ways that imports must not point. Each says why.
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
		"a domain's rules know saga, money, identity, fault, observe and nothing else: HTTP is its edge's business, and what it needs of the cloud is handed to it",
		func(s source, imported string) bool {
			return s.folder == "shared/"+domain(s.folder) && !s.test &&
				!within(imported, "shared/saga", "shared/money", "shared/identity", "shared/fault", "shared/observe")
		},
	},
	{
		"a domain's HTTP edge knows its domain, api, saga, money, identity, fault, observe and nothing else",
		func(s source, imported string) bool {
			return edge(s.folder) && !s.test && imported != path.Dir(s.folder) &&
				!within(imported, "shared/saga", "shared/money", "shared/identity", "shared/fault", "shared/observe", "shared/api")
		},
	},
	{
		"a store imports its domain, record and the language of the saga: an answer to HTTP or to a queue is not its business",
		func(s source, imported string) bool {
			store := strings.HasSuffix(s.folder, "db")
			return store && !s.test && ours(imported) && imported != path.Dir(s.folder) &&
				!within(imported, "shared/record", "shared/saga", "shared/money", "shared/fault")
		},
	},
	{
		"the platform knows no domain: it must serve the next one unchanged",
		func(s source, imported string) bool {
			return within(s.folder, platform...) && !s.test && domain(imported) != ""
		},
	},
	{
		"the saga's facts know only money and fault: a consumer of a fact must not link its source",
		func(s source, imported string) bool {
			return within(s.folder, "shared/saga", "shared/money", "shared/fault") && !s.test && ours(imported) && !within(imported, "shared/money", "shared/fault")
		},
	},
	{
		"shared/ is the product: it knows no function, and only its tests run on what stands in for AWS",
		func(s source, imported string) bool {
			return within(s.folder, "shared") && (within(imported, "functions") || within(imported, "localstack") && !s.test)
		},
	},
	{
		"no function links what operates a stack",
		func(s source, imported string) bool {
			return !within(s.folder, "shared/ops", "localstack") && within(imported, "shared/ops")
		},
	},
	{
		"the client knows the API's document and nothing else of the system: a program that imports it must not link a server",
		func(s source, imported string) bool {
			return within(s.folder, "shared/client") && !s.test && ours(imported)
		},
	},
	{
		"a function never imports another: what two of them need is in shared",
		func(s source, imported string) bool {
			own := strings.Split(s.folder, "/")
			return within(s.folder, "functions") && len(own) > 1 && within(imported, "functions") && !within(imported, "functions/"+own[1])
		},
	},
	{
		"a simulated cloud knows nothing of Backroom: it must stand in for AWS for any system",
		func(s source, imported string) bool {
			return within(s.folder, "localstack/cloudsim") && ours(imported) && !within(imported, "localstack/cloudsim")
		},
	},
	{
		"the commands in localstack/ see the deployed system from outside: they have what clients have (shared/client) and what operators have (shared/ops)",
		func(s source, imported string) bool {
			return (s.folder == "localstack" || within(s.folder, tools...)) && !s.test && ours(imported) && !within(imported, "localstack", "shared/client", "shared/ops")
		},
	},
	{
		"the black-box suite sees what clients and operators see, the names of facts and steps (shared/saga) included, and the document that answers are held to",
		func(s source, imported string) bool {
			return within(s.folder, "localstack/e2e") && ours(imported) && !within(imported, "shared/client", "shared/ops", "shared/saga", "localstack/contract", "localstack/conformance", "localstack/e2e") && !within(imported, tools...)
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

// A ring between two folders means that one of them is in the wrong place.
func TestFoldersFormNoRing(t *testing.T) {
	arrows := map[string]map[string]bool{}
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if from, to := room(s.folder), room(imported); !s.test && ours(imported) && from != to {
				if arrows[from] == nil {
					arrows[from] = map[string]bool{}
				}
				arrows[from][to] = true
			}
		}
	}
	for from := range arrows {
		if ring := wayBack(arrows, from, []string{from}); ring != nil {
			t.Errorf("folders import each other in a ring: %s", strings.Join(ring, " → "))
		}
	}
}

// room returns the folder of shared/ or localstack/ that a package belongs to; all functions are one.
func room(folder string) string {
	parts := strings.Split(folder, "/")
	if parts[0] == "functions" {
		return parts[0]
	}
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// wayBack returns a way along arrows that begins with way and ends where way began; nil if there is none.
func wayBack(arrows map[string]map[string]bool, at string, way []string) []string {
	for to := range arrows[at] {
		if to == way[0] {
			return append(way, to)
		}
		if !slices.Contains(way, to) {
			if ring := wayBack(arrows, to, append(slices.Clone(way), to)); ring != nil {
				return ring
			}
		}
	}
	return nil
}

// Decisions take the time and ids as arguments, so that a test, a simulation and a redelivery see the same.
func TestDomainsHaveNoClockAndNoDice(t *testing.T) {
	hidden := map[string]bool{"time.Now": true, "time.Since": true, "time.Sleep": true, "time.After": true, "rand.Text": true, "rand.Read": true, "rand.N": true, "os.Getenv": true}
	for _, s := range sources(t) {
		if s.folder != "shared/"+domain(s.folder) && !edge(s.folder) || s.test {
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
