// Package clients generates clients of the API from its OpenAPI document with public generators,
// and lets each one take an order through its life. A document that a generator misreads, or
// answers that a generated client cannot parse, are a fault of the API.
//
// A driver is a small program on top of a generated client, in the folder of the client's name. It
// reads these settings from its environment:
//
//	BACKROOM_API            the URL of the API
//	BACKROOM_CLIENT_ID      the credentials of the shop's client
//	BACKROOM_CLIENT_SECRET
//	BACKROOM_RUN            a customer's name, new for each run; it begins the idempotency keys
//
// It gets a token for the customer, lists products, places an order, reads it until it is paid,
// sends the same order again, then another one under the same key, refunds 1.00 as staff, cancels a
// second order whose payment is slow, lists the customer's orders, orders a product that is not
// sold, and reads an unknown order. It prints a line after each step; Steps are the right ones.
package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Steps are the lines that a driver prints if all goes well.
var Steps = []string{
	"token: Bearer",
	"products: 2",
	"placed: ord_",
	"paid: paid",
	"again: same order",
	"reused: 422 idempotency-key-reused",
	"refunded: 100",
	"canceled: canceled",
	"orders: 2",
	"refused: 422 product-not-sold",
	"unknown: 404 unknown-order",
}

// A Client is a generated client with its driver.
type Client struct {
	Name     string // also of the folder with its driver
	Language string
	OpenAPI  string   // the version of the document that the generator reads: 3.1 or 3.0
	Needs    []string // the programs that the machine must have
	generate func(w workshop) [][]string
	build    func(w workshop) [][]string
	drive    func(w workshop) []string
}

// All are the clients, in the order in which they are tried.
var All = []Client{
	{
		Name: "openapi-fetch", Language: "TypeScript", OpenAPI: "3.1", Needs: []string{"node"},
		generate: func(w workshop) [][]string {
			return [][]string{{w.npm("openapi-typescript"), w.Document, "--output", "api.d.ts"}}
		},
		build: typescript,
		drive: func(workshop) []string { return []string{"node", "js/drive.js"} },
	},
	{
		Name: "typescript-fetch", Language: "TypeScript", OpenAPI: "3.1", Needs: []string{"node", "java"},
		generate: func(w workshop) [][]string { return [][]string{w.generator("typescript-fetch")} },
		build:    typescript,
		drive:    func(workshop) []string { return []string{"node", "js/drive.js"} },
	},
	{
		Name: "openapi-python-client", Language: "Python", OpenAPI: "3.1",
		generate: func(w workshop) [][]string {
			return [][]string{{w.python("openapi-python-client"), "generate", "--path", w.Document, "--meta", "none",
				"--output-path", "api", "--fail-on-warning"}}
		},
		build: func(w workshop) [][]string {
			return [][]string{{w.python("mypy"), "--strict", "--follow-imports", "silent", "--cache-dir", "mypy",
				"drive.py"}}
		},
		drive: func(w workshop) []string { return []string{w.python("python"), "drive.py"} },
	},
	{
		Name: "python", Language: "Python", OpenAPI: "3.1", Needs: []string{"java"},
		generate: func(w workshop) [][]string {
			return [][]string{w.generator("python", "--package-name", "api", "--global-property",
				"apiTests=false,modelTests=false,apiDocs=false,modelDocs=false")}
		},
		build: func(w workshop) [][]string {
			return [][]string{{w.python("python"), "-m", "compileall", "-q", "api"}}
		},
		drive: func(w workshop) []string { return []string{"env", "PYTHONPATH=api", w.python("python"), "drive.py"} },
	},
	{
		Name: "java", Language: "Java", OpenAPI: "3.1", Needs: []string{"java", "mvn"},
		generate: func(w workshop) [][]string {
			return [][]string{w.generator("java"), {"cp", "Drive.java", "api/src/main/java/Drive.java"}}
		},
		build: func(workshop) [][]string {
			return [][]string{{"mvn", "--quiet", "--batch-mode", "--file", "api", "compile",
				"dependency:build-classpath", "-Dmdep.outputFile=classpath"}}
		},
		drive: func(workshop) []string {
			return []string{"sh", "-c", `exec java -cp "api/target/classes:$(cat api/classpath)" Drive`}
		},
	},
	{
		Name: "rust", Language: "Rust", OpenAPI: "3.1", Needs: []string{"java", "cargo"},
		generate: func(w workshop) [][]string { return [][]string{w.generator("rust")} },
		build:    func(workshop) [][]string { return [][]string{{"cargo", "build", "--quiet"}} },
		drive:    func(workshop) []string { return []string{"target/debug/drive"} },
	},
	{
		Name: "ogen", Language: "Go", OpenAPI: "3.0", Needs: []string{"go"},
		generate: func(w workshop) [][]string {
			return [][]string{{"go", "tool", "ogen", "--target", "api", "--package", "api", "--loglevel", "error",
				"--config", "ogen.yml", w.Document30}}
		},
		build: func(workshop) [][]string { return [][]string{{"go", "build", "-mod=mod", "-o", "drive", "."}} },
		drive: func(workshop) []string { return []string{"./drive"} },
	},
}

func typescript(w workshop) [][]string {
	return [][]string{{w.npm("tsc"), "--project", "tsconfig.json"}}
}

// Named returns the clients with these names, or all if there are no names. It returns an error for an unknown name.
func Named(names []string) ([]Client, error) {
	if len(names) == 0 {
		return All, nil
	}
	var some []Client
	for _, name := range names {
		at := slices.IndexFunc(All, func(c Client) bool { return c.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("unknown client %q", name)
		}
		some = append(some, All[at])
	}
	return some, nil
}

// Missing returns the programs that the clients need and that are not on the path, sorted.
func Missing(of []Client) []string {
	var missing []string
	for _, client := range of {
		for _, program := range client.Needs {
			if _, err := exec.LookPath(program); err != nil {
				missing = append(missing, program)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// A Bench is where clients are generated, built and run.
type Bench struct {
	Drivers    string // the folder of the drivers: localstack/clients
	Scratch    string // a folder for generated code and builds; what is built is used by the next run
	Document   string // the API's document in OpenAPI 3.1
	Document30 string // the same in OpenAPI 3.0
	Node       string // the folder of the installed npm packages: node_modules
	Python     string // the folder of the programs that were installed from PyPI
}

// A Target is the API that drivers use.
type Target struct {
	API          string
	ClientID     string
	ClientSecret string
	Run          string // a customer's name, new for each run
}

// A Result says how far a client came.
type Result struct {
	Client   Client
	Generate time.Duration
	Build    time.Duration
	Drive    time.Duration
	Steps    int // how many of Steps it passed
}

// A workshop is the folder of one client.
type workshop struct {
	Bench
	folder string
}

func (w workshop) npm(program string) string    { return filepath.Join(w.Node, ".bin", program) }
func (w workshop) python(program string) string { return filepath.Join(w.Python, program) }

// generator returns the command that generates a client with openapi-generator into the folder api.
func (w workshop) generator(name string, more ...string) []string {
	return append([]string{w.python("openapi-generator-cli"), "generate", "--input-spec", w.Document,
		"--generator-name", name, "--output", "api"}, more...)
}

// Try generates a client, builds it with its driver, and runs the driver. The error names what failed, with its output.
func (b Bench) Try(ctx context.Context, client Client, target Target) (Result, error) {
	result := Result{Client: client}
	w := workshop{b, filepath.Join(b.Scratch, client.Name)}
	if err := w.prepare(client); err != nil {
		return result, err
	}
	err := timed(&result.Generate, func() error { return w.all(ctx, client.generate(w)) })
	if err != nil {
		return result, fmt.Errorf("%s: generate: %w", client.Name, err)
	}
	if err := timed(&result.Build, func() error { return w.all(ctx, client.build(w)) }); err != nil {
		return result, fmt.Errorf("%s: build: %w", client.Name, err)
	}
	var printed []byte
	err = timed(&result.Drive, func() (err error) {
		printed, err = w.run(ctx, client.drive(w), target.environ())
		return err
	})
	var wrong error
	result.Steps, wrong = judge(printed)
	if err := errors.Join(wrong, err); err != nil {
		return result, fmt.Errorf("%s: %w", client.Name, err)
	}
	return result, nil
}

// timed measures how long work takes.
func timed(took *time.Duration, work func() error) error {
	began := time.Now()
	defer func() { *took = time.Since(began) }()
	return work()
}

// judge compares what a driver printed with Steps. It returns how many steps passed before the first wrong one.
func judge(printed []byte) (steps int, err error) {
	var lines []string
	if text := strings.TrimSpace(string(printed)); text != "" {
		lines = strings.Split(text, "\n")
	}
	for i, want := range Steps {
		if i >= len(lines) {
			return i, fmt.Errorf("step %d: nothing was printed, expected %q", i+1, want)
		}
		if got := strings.TrimSpace(lines[i]); got != want {
			return i, fmt.Errorf("step %d: printed %q, expected %q", i+1, got, want)
		}
	}
	if len(lines) > len(Steps) {
		return len(Steps), fmt.Errorf("after the last step it printed %q", lines[len(Steps)])
	}
	return len(Steps), nil
}

func (t Target) environ() []string {
	return []string{"BACKROOM_API=" + t.API, "BACKROOM_CLIENT_ID=" + t.ClientID, "BACKROOM_CLIENT_SECRET=" +
		t.ClientSecret,
		"BACKROOM_RUN=" + t.Run}
}

// prepare copies the client's driver into the folder, and removes code of an earlier document.
func (w workshop) prepare(client Client) error {
	err := errors.Join(os.MkdirAll(w.folder, 0o755), os.RemoveAll(filepath.Join(w.folder, "api")),
		os.RemoveAll(filepath.Join(w.folder, "js")))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(w.Drivers, client.Name, "*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(w.folder, filepath.Base(file)), content, 0o644); err != nil {
			return err
		}
	}
	link := filepath.Join(w.folder, "node_modules")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(w.Node, link)
}

// all runs commands in the folder, one after the other.
func (w workshop) all(ctx context.Context, commands [][]string) error {
	for _, command := range commands {
		if _, err := w.run(ctx, command, nil); err != nil {
			return err
		}
	}
	return nil
}

// run runs a command in the folder and returns its standard output. The error contains all that it printed.
func (w workshop) run(ctx context.Context, command, more []string) ([]byte, error) {
	program := exec.CommandContext(ctx, command[0], command[1:]...)
	program.Dir = w.folder
	// The drivers are modules of their own: the flags of this repository's build do not hold for them.
	program.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PYTHONDONTWRITEBYTECODE=1",
		"PATH="+w.Python+string(os.PathListSeparator)+os.Getenv("PATH")), more...)
	var out, complaints bytes.Buffer
	program.Stdout, program.Stderr = &out, &complaints
	if err := program.Run(); err != nil {
		return out.Bytes(),
			fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, tail(out.String()+complaints.String()))
	}
	return out.Bytes(), nil
}

// tail returns the last lines of what a program printed.
func tail(printed string) string {
	const most = 60
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
