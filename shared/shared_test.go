// Package shared_test tests that imports follow the layers of the repository.
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

// module is the prefix of the import paths of this module's packages.
var module = func() string {
	content, err := os.ReadFile("../go.mod")
	if err != nil {
		panic(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimPrefix(first, "module ") + "/"
}()

// source is one Go file with its imports.
type source struct {
	file    string   // from the root of the repository
	folder  string   // its package's folder, from the root
	test    bool     // a test file, or a file in a package that only tests use
	imports []string // of this module without the module's name; of others in full; not the standard library
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
			return fs.SkipDir // .git and the folders of tools
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(filepath.ToSlash(name), "../")
		test := strings.HasSuffix(file, "_test.go") || onlyForTests(path.Dir(file))
		s := source{file: file, folder: path.Dir(file), syntax: syntax, test: test}
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

// onlyForTests reports whether only tests use a package: ordertest, for example, and the simulated
// AWS.
func onlyForTests(folder string) bool {
	return strings.HasSuffix(path.Base(folder), "test") || within(folder, proof...)
}

// proof lists the folders of localstack/ that only tests use. The commands in localstack/ do not
// link them.
var proof = []string{
	"localstack/cloudsim", "localstack/cloudtest", "localstack/conformance", "localstack/contract", "localstack/e2e",
	"localstack/policy", "localstack/recorded", "localstack/simulation",
}

// tools lists the folders of the commands in localstack/: local clouds, deployment, and the
// repository's gates.
var tools = []string{
	"localstack/audit", "localstack/browser", "localstack/cloud", "localstack/deploy", "localstack/front",
	"localstack/lane",
	"localstack/probe", "localstack/prose", "localstack/rename", "localstack/scaffold", "localstack/seed",
	"localstack/tools",
}

// platform lists the packages that do not import a domain.
var platform = []string{
	"shared/api", "shared/chance", "shared/circuit", "shared/client", "shared/function", "shared/health",
	"shared/oauth", "shared/observe",
	"shared/queue", "shared/record", "shared/reference", "shared/relay", "shared/sandbox", "shared/secret",
}

// language lists the packages that every other package may import.
var language = []string{"shared/saga", "shared/money", "shared/email", "shared/fault", "shared/identity"}

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

// within reports whether a folder is one of others, or is inside one of them.
func within(folder string, others ...string) bool {
	return slices.ContainsFunc(others,
		func(of string) bool { return folder == of || strings.HasPrefix(folder, of+"/") })
}

func ours(imported string) bool { return !strings.Contains(strings.Split(imported, "/")[0], ".") }

// rules lists the imports that are not allowed, each with the reason.
var rules = []struct {
	why    string
	breaks func(s source, imported string) bool
}{
	{
		"domains never import each other: they share shared/saga, and a store gets the key of another domain's row",
		func(s source, imported string) bool {
			return domain(s.folder) != "" && domain(imported) != "" && domain(s.folder) != domain(imported)
		},
	},
	{
		"a domain imports only saga, money, email, identity, fault and observe: HTTP is in its edge, the cloud " +
			"behind its " +
			"ports",
		func(s source, imported string) bool {
			return s.folder == "shared/"+domain(s.folder) && !s.test &&
				!within(imported, "shared/saga", "shared/money", "shared/email", "shared/identity", "shared/fault",
					"shared/observe")
		},
	},
	{
		"a domain's HTTP edge imports only its domain, api, saga, money, email, identity, fault and observe",
		func(s source, imported string) bool {
			return edge(s.folder) && !s.test && imported != path.Dir(s.folder) &&
				!within(imported, "shared/saga", "shared/money", "shared/email", "shared/identity", "shared/fault",
					"shared/observe",
					"shared/api")
		},
	},
	{
		"a store imports only its domain, record, saga, money and fault: it does not answer HTTP requests or queues",
		func(s source, imported string) bool {
			store := strings.HasSuffix(s.folder, "db")
			return store && !s.test && ours(imported) && imported != path.Dir(s.folder) &&
				!within(imported, "shared/record", "shared/saga", "shared/money", "shared/fault")
		},
	},
	{
		"the platform does not import a domain: it must serve the next one unchanged",
		func(s source, imported string) bool {
			return within(s.folder, platform...) && !s.test && domain(imported) != ""
		},
	},
	{
		"saga, money and fault import only money and fault: a consumer of a fact must not link the fact's source",
		func(s source, imported string) bool {
			return within(s.folder, "shared/saga", "shared/money", "shared/fault") && !s.test && ours(imported) &&
				!within(imported, "shared/money", "shared/fault")
		},
	},
	{
		"shared/ is the product: it does not import functions, and only its tests import localstack",
		func(s source, imported string) bool {
			return within(s.folder, "shared") &&
				(within(imported, "functions") || within(imported, "localstack") && !s.test)
		},
	},
	{
		"functions do not link the tools that operate a stack",
		func(s source, imported string) bool {
			return !within(s.folder, "shared/ops", "localstack") && within(imported, "shared/ops")
		},
	},
	{
		"the client imports nothing else of the system: a program that imports it must not link a server",
		func(s source, imported string) bool {
			return within(s.folder, "shared/client") && !s.test && ours(imported)
		},
	},
	{
		"functions never import each other: code that two of them need is in shared",
		func(s source, imported string) bool {
			own := strings.Split(s.folder, "/")
			return within(s.folder, "functions") && len(own) > 1 && within(imported, "functions") &&
				!within(imported, "functions/"+own[1])
		},
	},
	{
		"a simulated cloud imports nothing of Backroom: it must stand in for AWS for any system",
		func(s source, imported string) bool {
			return within(s.folder, "localstack/cloudsim") && ours(imported) && !within(imported, "localstack/cloudsim")
		},
	},
	{
		"the commands in localstack/ use the deployed system from outside, through shared/client and shared/ops",
		func(s source, imported string) bool {
			return (s.folder == "localstack" || within(s.folder, tools...)) && !s.test && ours(imported) &&
				!within(imported, "localstack", "shared/client", "shared/ops")
		},
	},
	{
		"the black-box suite uses only what clients and operators have, names from saga, and the API's contract",
		func(s source, imported string) bool {
			return within(s.folder, "localstack/e2e") && ours(imported) &&
				!within(imported, "shared/client", "shared/ops", "shared/saga", "localstack/contract",
					"localstack/conformance", "localstack/e2e") && !within(imported, tools...)
		},
	},
	{
		"binaries do not link test code",
		func(s source, imported string) bool {
			return !s.test &&
				(ours(imported) && onlyForTests(imported) || strings.HasPrefix(imported, "github.com/stretchr/") ||
					strings.HasPrefix(imported, "pgregory.net/"))
		},
	},
}

func TestImports_FollowTheRules(t *testing.T) {
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

// Two folders that import each other mean that one of them is in the wrong place.
func TestFolders_DoNotImportEachOtherInARing(t *testing.T) {
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

// room returns the folder of shared/ or localstack/ that a package belongs to; all functions are
// one.
func room(folder string) string {
	parts := strings.Split(folder, "/")
	if parts[0] == "functions" {
		return parts[0]
	}
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// wayBack returns a path along arrows that begins with way and ends at its start; nil if no such
// path exists.
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

// Decisions take the time and ids as arguments, so that a test, a simulation and a redelivery see
// the same.
func TestDomains_TakeTimeAndChanceAsArguments(t *testing.T) {
	hidden := map[string]bool{
		"time.Now": true, "time.Since": true, "time.Sleep": true, "time.After": true,
		"rand.Text": true, "rand.Read": true, "rand.N": true, "os.Getenv": true,
	}
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
				t.Errorf("%s uses %s.%s\n\tbut a domain gets time, chance and settings as arguments",
					s.file, x.Name, selector.Sel.Name)
			}
			return true
		})
	}
}
