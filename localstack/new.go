package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"backroom/localstack/scaffold"
	"backroom/shared/ops/remedy"
)

// newFunction is `make new ROUTE=…` and `make new STEP=…`: it writes the skeleton of a function, and has the
// generators write what follows from it. It refuses to mix that with changes that are not
// committed; FORCE=1 writes all the same.
func newFunction(ctx context.Context, d app, _ []string) error {
	wish := scaffold.Wish{
		Route: os.Getenv("ROUTE"), Step: os.Getenv("STEP"), Domain: os.Getenv("DOMAIN"),
		At: os.Getenv("AT"), Scope: os.Getenv("SCOPE"), Fact: os.Getenv("FACT"),
	}
	s, err := scaffold.Plan(d.repo, wish)
	if err != nil {
		return err
	}
	if os.Getenv("FORCE") != "1" {
		if err := d.committed(ctx); err != nil {
			return err
		}
	}
	if err := d.written(ctx, s); err != nil {
		const undo = "mend it and run what is left (docs/adding.md lists it), " +
			"or drop all: git restore . && git clean -df functions shared events"
		return remedy.For(fmt.Errorf("the skeleton of %s is not whole: %w", s.Name, err), undo)
	}
	for _, f := range s.Files {
		what := "new    "
		if f.Changed {
			what = "changed"
		}
		d.Linef("%s %s", what, f.Name)
	}
	d.Linef("and generated: sample events, template.yaml and what tests record; git status lists all")
	for _, line := range next(s) {
		d.Linef("next: %s", line)
	}
	return nil
}

// written writes a skeleton, and what follows from it.
func (d app) written(ctx context.Context, s scaffold.Skeleton) error {
	if err := d.Phase("skeleton", func() (string, error) {
		return fmt.Sprintf("%d files", len(s.Files)), s.Write(d.repo)
	}); err != nil {
		return err
	}
	event := func(arguments ...string) []string {
		return append([]string{"run", "./localstack/contract/event"}, arguments...)
	}
	programs := [][]string{
		event("-route", s.Name, "-at", s.Good),
		event("-route", s.Name, "-at", s.Bad, "-case", "bad-name"),
		// Answers are recorded of routes that the document has.
		{"test", "-count=1", "./functions", "-run", "Contract", "-update"},
	}
	if s.Fact != "" {
		programs = [][]string{
			{"test", "-count=1", "./shared/saga", "-run", "Drawn|Looks", "-update"},
			event("-step", s.Name, "-body", s.Event),
			event("-step", s.Name, "-body", `{"specversion":"1.0","type":"`+s.Fact+`"`, "-case", "unreadable"),
		}
	}
	programs = append(programs, []string{"generate", "./functions"})
	if err := d.programs(ctx, programs...); err != nil {
		return err
	}
	if err := d.recorded(ctx, true); err != nil {
		return err
	}
	return d.programs(ctx, []string{"generate", "./shared/client"}, []string{"vet", "./..."})
}

// programs runs go with each of the arguments.
func (d app) programs(ctx context.Context, all ...[]string) error {
	for _, arguments := range all {
		said := "go " + strings.Join(arguments, " ")
		if err := d.Phase("go", func() (string, error) {
			program := exec.CommandContext(ctx, "go", arguments...)
			program.Dir, program.Env = d.repo, simulated()
			if printed, err := program.CombinedOutput(); err != nil {
				return "", errors.Join(fmt.Errorf("%s: %w", said, err), errors.New(string(printed)))
			}
			return said, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// next returns what is left to the author.
func next(s scaffold.Skeleton) []string {
	domain := filepath.Join("shared", s.Domain)
	if s.Fact == "" {
		return []string{
			"make test passes as it is; from now on every change is yours",
			"write the decision in " + domain + " and call it in its " + s.Domain + "api; " +
				"a new problem needs its entry in docs/problems.md",
			"say what it does: Summary and Description of the route, docs/changelog.md, main.go; " +
				"raise the version if it was released",
			"add its tables to function.yaml (settings and grants) and wire.go, and the cases to wire_test.go",
			"then: go generate ./functions && make contract UPDATE=1 && go generate ./shared/client",
		}
	}
	return []string{
		"make test passes as it is; from now on every change is yours",
		"record " + s.Fact + " where it happens, and have shared/saga/wire_test.go record it that way; " +
			"or name the step in the row of another fact in shared/saga/routes.go, and remove " + s.Fact,
		"write the decision in " + domain + "; say in routes.go what the step does and writes, and what the fact means",
		"add its tables to function.yaml (settings and grants) and wire.go, and the cases to wire_test.go",
		"once orders reach it, move it from unreached to consumed in localstack/e2e/delivery_test.go",
		"then: go test ./shared/saga -update && go generate ./functions && make contract UPDATE=1",
	}
}
