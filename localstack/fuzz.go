package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"backroom/shared/ops/remedy"
)

// A target is a fuzz test of one package.
type target struct{ pkg, name string }

// fuzz is `make fuzz`: it runs every fuzz target for FUZZTIME, one after the other. An input that fails
// a target is kept in the package's testdata, and every later `go test` runs it. The error has the
// command that runs it again.
func fuzz(ctx context.Context, d app, _ []string) error {
	each := 30 * time.Second
	if given := os.Getenv("FUZZTIME"); given != "" {
		var err error
		if each, err = time.ParseDuration(given); err != nil || each <= 0 {
			return remedy.For(fmt.Errorf("FUZZTIME=%s: must be a duration above 0", given), "make fuzz FUZZTIME=30s")
		}
	}
	targets, err := d.targets()
	if err != nil {
		return err
	}
	d.Linef("%d targets, %s each", len(targets), each)
	var failures []error
	for _, t := range targets {
		failures = append(failures, d.Phase(t.name, func() (string, error) { return d.fuzzOne(ctx, t, each) }))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

var fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)

// targets lists the fuzz tests of all packages.
func (d app) targets() (all []target, err error) {
	err = filepath.WalkDir(d.repo, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != d.repo:
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(d.repo, filepath.Dir(path))
		for _, m := range fuzzTest.FindAllSubmatch(source, -1) {
			all = append(all, target{"./" + filepath.ToSlash(folder), string(m[1])})
		}
		return err
	})
	return all, err
}

var execs = regexp.MustCompile(`execs: (\d+)`)

// fuzzOne runs a target. The note says how many inputs it was given.
func (d app) fuzzOne(ctx context.Context, t target, each time.Duration) (note string, err error) {
	run := exec.CommandContext(ctx, "go", "test", t.pkg, "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime",
		each.String())
	run.Dir = d.repo
	out, err := run.StdoutPipe()
	if err != nil {
		return "", err
	}
	run.Stderr = run.Stdout
	if err := run.Start(); err != nil {
		return "", err
	}
	var printed strings.Builder
	count := "0"
	for lines := bufio.NewScanner(io.TeeReader(out, &printed)); lines.Scan(); {
		if m := execs.FindStringSubmatch(lines.Text()); m != nil {
			count = m[1]
		}
	}
	if err := run.Wait(); err != nil {
		return "", remedy.For(fmt.Errorf("%s in %s: %w\n%s", t.name, t.pkg, err, printed.String()),
			"go test "+t.pkg+" -run "+t.name)
	}
	return fmt.Sprintf("%s inputs, %s", count, t.pkg), nil
}
