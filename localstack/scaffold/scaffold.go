// Package scaffold writes the skeleton of a new route or a new step: its own files, and its lines in the files that
// name every function. `make new` calls it, and then the generators that write the rest.
package scaffold

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"backroom/localstack/rename"
	"backroom/shared/ops/remedy"
)

// Usage is how a skeleton is asked for.
const Usage = "make new ROUTE=put-thing [DOMAIN=thing] [AT='PUT /things/{id}'] [SCOPE=orders:write]\n" +
	"      make new STEP=do-thing [DOMAIN=thing] [FACT=ThingRequested]"

// A Wish is a skeleton that is asked for: of a route or of a step.
type Wish struct {
	Route  string // the name of its function
	Step   string // the name of its function
	Domain string // the folder in shared/; empty for the noun of the name
	At     string // method and path of a route; empty for those that follow from its name
	Scope  string // that a caller of the route needs; empty for that of reading or writing orders
	Fact   string // a new fact that the step consumes; empty for one that is named after the step
}

// A File is one that a skeleton adds or changes.
type File struct {
	Name    string // from the root of the repository
	Changed bool   // it exists already
	Content []byte
}

// A Skeleton is what a wish comes to.
type Skeleton struct {
	Files  []File
	Name   string // of the function
	Domain string
	Fact   string // that the step consumes; empty for a route
	Good   string // a path of the route for a sample event; empty for a step
	Bad    string // a path that the route refuses
	Event  string // the body of a message that the step consumes; empty for a route
}

//go:embed *.tmpl
var sources embed.FS

var texts = template.Must(template.New("").Delims("<<", ">>").ParseFS(sources, "*.tmpl"))

// Plan returns the skeleton for a wish, and writes nothing. It returns an error for a name that cannot be a function's
// or is taken, and if a file that names every function has no place for it.
func Plan(repo string, w Wish) (Skeleton, error) {
	if (w.Route == "") == (w.Step == "") {
		return Skeleton{}, remedy.For(errors.New("a skeleton of what: a ROUTE or a STEP?"), Usage)
	}
	n, err := w.names(repo)
	if err != nil {
		return Skeleton{}, remedy.For(err, Usage)
	}
	p := &plan{repo: repo, names: n}
	if w.Route != "" {
		p.route()
	} else {
		p.step()
	}
	return Skeleton{p.files, n.Function, n.Domain, n.Fact, n.Good, n.Bad, p.event}, errors.Join(p.failures...)
}

// Write writes the files of a skeleton below the root of the repository.
func (s Skeleton) Write(repo string) error {
	for _, f := range s.Files {
		file := filepath.Join(repo, f.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, f.Content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// plan collects the files of a skeleton.
type plan struct {
	names

	repo     string
	event    string // the body of a message
	files    []File
	failures []error
}

func (p *plan) route() {
	p.add("main.tmpl", "functions", p.Function, "main.go")
	p.add("route_wire.tmpl", "functions", p.Function, "wire", "wire.go")
	p.add("route_wire_test.tmpl", "functions", p.Function, "wire", "wire_test.go")
	p.add("route_yaml.tmpl", "functions", p.Function, "function.yaml")
	p.add("handler.tmpl", "shared", p.Domain, p.Domain+"api", p.File+"_handler.go")
	p.add("handler_test.tmpl", "shared", p.Domain, p.Domain+"api", p.File+"_handler_test.go")

	p.functions("route", "route("+p.Package+".New)")
	p.change("docs/changelog.md", p.changelog)
	if !p.TagKnown {
		tag := fmt.Sprintf("{Name: %q, Meaning: %q}", p.Tag, strings.ToUpper(p.Tag[:1])+p.Tag[1:]+".")
		p.change("localstack/contract/published/published.go", element(ofType("Tag"), nil, tag))
	}
}

func (p *plan) step() {
	p.add("main.tmpl", "functions", p.Function, "main.go")
	p.add("step_wire.tmpl", "functions", p.Function, "wire", "wire.go")
	p.add("step_wire_test.tmpl", "functions", p.Function, "wire", "wire_test.go")
	p.add("step_yaml.tmpl", "functions", p.Function, "function.yaml")
	p.add("step.tmpl", "shared", p.Domain, p.File+"_step.go")
	p.add("step_test.tmpl", "shared", p.Domain, p.File+"_step_test.go")

	p.functions("step", "step(saga."+p.Type+", "+p.Package+".New)")
	p.change("shared/saga/facts.go", constant("Fact", fmt.Sprintf("%s Fact = %q", p.Fact, p.Fact)))
	p.change("shared/saga/routes.go",
		constant("Step", fmt.Sprintf("%s Step = %q", p.Type, p.Function)),
		element(variable("Tasks"), nil, fmt.Sprintf("{%s, %q, \"\"}", p.Type, "logs that "+p.Noun+" was requested")),
		element(variable("Routes"), nil,
			fmt.Sprintf("%s: {%q, Orders, OrderRef{}, []Step{%s}}", p.Fact, "requested "+p.Function, p.Type)))
	p.change("shared/saga/wire_test.go", element(variable("recorded"), nil, fmt.Sprintf(
		"saga.%s: changes(func(o order.Order) (order.Order, []saga.Fact) { return o, []saga.Fact{saga.%s} })",
		p.Fact, p.Fact)))
	p.relayed()
	p.change("localstack/e2e/delivery_test.go",
		element(variable("unreached"), nil, fmt.Sprintf("saga.%s: %q", p.Type, "no order records "+p.Fact+" yet")))
	p.change("localstack/audit/waivers.go", element(with(`"ReserveStock"`), nil, fmt.Sprintf("%q", p.Type)))
}

// relayed adds the sample of a row that records the fact, and the message that the relay makes of it: those of
// OrderConfirmed, with the new fact instead.
func (p *plan) relayed() {
	const row, queue = "relay-facts.confirmed.json", "commit-stock.json"
	renamed := func(file string) []byte {
		text, err := os.ReadFile(filepath.Join(p.repo, "events", file))
		if err == nil && bytes.Count(text, []byte("OrderConfirmed")) != 1 {
			err = errors.New("it is not about one OrderConfirmed")
		}
		if err != nil {
			p.failures = append(p.failures, fmt.Errorf("events/%s: %w", file, err))
		}
		return bytes.Replace(text, []byte("OrderConfirmed"), []byte(p.Fact), 1)
	}
	sample := "relay-facts." + p.Function + ".json"
	p.keep(File{Name: filepath.Join("events", sample), Content: renamed(row)}, nil)
	p.change("functions/relay-facts/wire/wire_test.go", element(with(strconv.Quote(row)), nil,
		fmt.Sprintf("%q: {[]string{%q}, %q}", sample, p.Type+"Queue", p.Function+".json")))
	var sent struct{ Records []struct{ Body string } }
	err := json.Unmarshal(renamed(queue), &sent)
	if err == nil && len(sent.Records) != 1 {
		err = errors.New("it is not one message")
	}
	if err != nil {
		p.failures = append(p.failures, fmt.Errorf("events/%s: %w", queue, err))
		return
	}
	p.event = sent.Records[0].Body
}

// functions names the function in functions/functions.go, behind the last one of its kind.
func (p *plan) functions(kind, entry string) {
	p.change("functions/functions.go",
		imported(p.Package, p.Module+"/functions/"+p.Function+"/wire"),
		element(variable("All"), called(kind), fmt.Sprintf("%q: %s", p.Function, entry)))
}

// changelog adds the route to the first version of the changelog.
func (p *plan) changelog(page []byte) ([]byte, error) {
	before, latest, found := strings.Cut(string(page), "\n## ")
	if !found {
		return nil, errors.New("it has no version")
	}
	section, older, more := strings.Cut(latest, "\n## ")
	section = strings.TrimRight(section, "\n")
	gap := "\n\n"
	if lines := strings.Split(section, "\n"); strings.HasPrefix(lines[len(lines)-1], "- ") {
		gap = "\n"
	}
	section += gap + "- `" + p.Method + " " + p.Path + "` (" + p.Function + ").\n"
	if more {
		section += "\n## " + older
	}
	return []byte(before + "\n## " + section), nil
}

// add adds a new file that a template makes.
func (p *plan) add(from string, name ...string) {
	file := filepath.Join(name...)
	text, err := p.made(from, file)
	if _, exists := os.Stat(filepath.Join(p.repo, file)); !errors.Is(exists, fs.ErrNotExist) {
		err = errors.Join(err, errors.New("it exists already"))
	}
	p.keep(File{Name: file, Content: text}, err)
}

func (p *plan) made(from, file string) ([]byte, error) {
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, from, p.names); err != nil {
		return nil, err
	}
	if filepath.Ext(file) != ".go" {
		return text.Bytes(), nil
	}
	return format.Source(text.Bytes())
}

// change changes a file by all of the edits.
func (p *plan) change(name string, edits ...func([]byte) ([]byte, error)) {
	file := filepath.FromSlash(name)
	text, err := os.ReadFile(filepath.Join(p.repo, file))
	for _, edit := range edits {
		if err == nil {
			text, err = edit(text)
		}
	}
	p.keep(File{Name: file, Changed: true, Content: text}, err)
}

func (p *plan) keep(f File, err error) {
	if err != nil {
		p.failures = append(p.failures, fmt.Errorf("%s: %w", f.Name, err))
	}
	p.files = append(p.files, f)
}

// names are what the templates know.
type names struct {
	Module   string
	Function string // put-thing
	Package  string // putthing
	Type     string // PutThing
	Private  string // putThing
	File     string // put_thing
	Noun     string // a thing
	Domain   string // thing

	// Of a route.
	Method, Path string
	MethodName   string // of the constant in net/http: MethodPut
	Parameter    string // of the path
	Example      string // thing-1
	Good, Bad    string // paths
	Scope        string // the name of its constant
	OtherScope   string // that of another one
	Summary      string
	Tag          string
	TagKnown     bool // the API's document has it already
	FirstOfEdge  bool // the domain has no HTTP edge yet

	// Of a step.
	Fact          string
	FirstOfDomain bool
}

// verbs are the methods of routes whose name begins with them. All others are POST.
var verbs = map[string]string{
	"get": http.MethodGet, "put": http.MethodPut, "set": http.MethodPut,
	"delete": http.MethodDelete, "remove": http.MethodDelete,
}

var (
	function   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)+$`)
	folder     = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	fact       = regexp.MustCompile(`^[A-Z][a-z0-9]+([A-Z][a-z0-9]+)+$`)
	call       = regexp.MustCompile(`^(GET|PUT|POST|PATCH|DELETE) ((/[a-z0-9-]+|/\{[a-z_]+\})+)$`)
	parameters = regexp.MustCompile(`\{([a-z_]+)\}`)
	notDomains = regexp.MustCompile(`"shared/([a-z]+)"`)
)

// longest is how long a name may be. AWS allows a function 64 characters, the name of its stack included.
const longest = 40

func (w Wish) names(repo string) (n names, err error) {
	n.Function = w.Route + w.Step
	words := strings.Split(n.Function, "-")
	n.Package, n.File = strings.Join(words, ""), strings.Join(words, "_")
	switch {
	case !function.MatchString(n.Function) || len(n.Function) > longest:
		return n, fmt.Errorf("%q cannot be a function's name: it must be a verb and a noun in small letters, "+
			"as in put-thing, of at most %d characters", n.Function, longest)
	case token.IsKeyword(n.Package):
		return n, fmt.Errorf("%q cannot be a function's name: %s is a keyword of Go", n.Function, n.Package)
	}
	if _, err := os.Stat(filepath.Join(repo, "functions", n.Function)); !errors.Is(err, fs.ErrNotExist) {
		return n, fmt.Errorf("functions/%s exists already", n.Function)
	}
	for _, word := range words {
		n.Type += strings.ToUpper(word[:1]) + word[1:]
	}
	n.Private = words[0] + n.Type[len(words[0]):]
	n.Noun = article(strings.Join(words[1:], " "))
	modules, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		return n, err
	}
	n.Module = rename.Path(modules)
	if n.Domain, err = domain(repo, w.Domain, strings.Join(words[1:], "")); err != nil {
		return n, err
	}
	if w.Route != "" {
		return n, n.ofRoute(repo, w, words)
	}
	return n, n.ofStep(repo, w, words)
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeio") {
		return "an " + noun
	}
	return "a " + noun
}

func plural(noun string) string {
	stem, isY := strings.CutSuffix(noun, "y")
	switch {
	case isY && !strings.ContainsAny(stem[max(0, len(stem)-1):], "aeiou"):
		return stem + "ies"
	case strings.HasSuffix(noun, "s"):
		return noun + "es"
	}
	return noun + "s"
}

// domain returns the folder in shared/ that the function belongs to. Some folders there belong to no domain: those that
// shared/shared_test.go names.
func domain(repo, wanted, noun string) (string, error) {
	if wanted == "" {
		wanted = noun
	}
	rules, err := os.ReadFile(filepath.Join(repo, "shared", "shared_test.go"))
	if err != nil {
		return "", err
	}
	for _, other := range notDomains.FindAllSubmatch(rules, -1) {
		if string(other[1]) == wanted {
			return "", fmt.Errorf("shared/%s is not a domain: name another DOMAIN", wanted)
		}
	}
	if !folder.MatchString(wanted) || token.IsKeyword(wanted) {
		return "", fmt.Errorf("DOMAIN=%s cannot be a folder of shared/: it must be one word in small letters", wanted)
	}
	return wanted, nil
}

func (n *names) ofRoute(repo string, w Wish, words []string) error {
	resources := strings.Join(append(slices.Clone(words[1:len(words)-1]), plural(words[len(words)-1])), "-")
	at := w.At
	if at == "" {
		method := verbs[words[0]]
		at = method + " /" + resources + "/{id}"
		if method == "" {
			at = "POST /" + resources + "/{id}/" + words[0]
		}
	}
	said, asks := call.FindStringSubmatch(at), parameters.FindAllStringSubmatch(at, -1)
	if said == nil || len(asks) != 1 {
		return fmt.Errorf("AT=%q is not a route of a skeleton: it must be a method and a path with one parameter, "+
			"as in PUT /things/{id}, because the skeleton answers with that", at)
	}
	n.Method, n.Path, n.Parameter = said[1], said[2], asks[0][1]
	n.MethodName = "Method" + n.Method[:1] + strings.ToLower(n.Method[1:])
	n.Example = strings.Join(words[1:], "-") + "-1"
	n.Good = strings.Replace(n.Path, asks[0][0], n.Example, 1)
	n.Bad = strings.Replace(n.Path, asks[0][0], "-"+n.Example, 1)
	n.Summary = strings.ToUpper(words[0][:1]) + words[0][1:] + " " + n.Noun

	scopes, err := constants(filepath.Join(repo, "shared", "identity", "caller.go"))
	if err != nil {
		return err
	}
	scope, other := "orders:write", "orders:read"
	if n.Method == http.MethodGet {
		scope, other = other, scope
	}
	if w.Scope != "" && w.Scope != scope {
		scope, other = w.Scope, scope
	}
	if n.Scope, n.OtherScope = scopes[scope], scopes[other]; n.Scope == "" {
		return fmt.Errorf("SCOPE=%s is not in shared/identity/caller.go", scope)
	}

	edge := filepath.Join(repo, "shared", n.Domain, n.Domain+"api")
	declared, err := declarations(edge)
	if err != nil {
		return err
	}
	for _, name := range []string{n.Type + "Handler", n.Type + "Answer", n.Private + "Input", n.Private + "Output"} {
		if declared[name] {
			return fmt.Errorf("%sapi has a %s already", n.Domain, name)
		}
	}
	n.FirstOfEdge = len(declared) == 0
	n.Tag, err = tag(edge, plural(n.Domain))
	if err != nil {
		return err
	}
	document, err := os.ReadFile(filepath.Join(repo, "localstack", "contract", "published", "published.go"))
	n.TagKnown = bytes.Contains(document, []byte(`{Name: "`+n.Tag+`"`))
	return err
}

var tagged = regexp.MustCompile(`Tags: \[\]string\{"([a-z-]+)"\}`)

// tag returns the tag of the operations that the HTTP edge has already; another one if it has none.
func tag(edge, another string) (string, error) {
	files, err := filepath.Glob(filepath.Join(edge, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if said := tagged.FindSubmatch(text); said != nil {
			return string(said[1]), nil
		}
	}
	return another, nil
}

func (n *names) ofStep(repo string, w Wish, words []string) error {
	n.Fact = w.Fact
	if n.Fact == "" {
		n.Fact = n.Type[len(words[0]):] + "Requested"
	}
	if !fact.MatchString(n.Fact) {
		return fmt.Errorf("FACT=%s cannot be a fact: it must be a noun and what happened to it, "+
			"as in ThingRequested", n.Fact)
	}
	language, err := declarations(filepath.Join(repo, "shared", "saga"))
	if err != nil {
		return err
	}
	for _, name := range []string{n.Fact, n.Type} {
		if language[name] {
			return fmt.Errorf("shared/saga has %s already: choose another name, or another FACT", name)
		}
	}
	declared, err := declarations(filepath.Join(repo, "shared", n.Domain))
	if err != nil {
		return err
	}
	n.FirstOfDomain = len(declared) == 0
	if declared[n.Type+"Step"] {
		return fmt.Errorf("shared/%s has a %sStep already", n.Domain, n.Type)
	}
	return nil
}
