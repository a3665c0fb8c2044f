package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"backroom/localstack/prose"
	"backroom/shared/ops/remedy"
)

// listProse is `make prose`: it prints every hit of the named patterns, or of all, and a count per pattern.
func listProse(_ context.Context, d app, names []string) error {
	hits, err := prose.Check(os.DirFS(d.repo), prose.Patterns, prose.Exceptions)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	for _, hit := range hits {
		if len(names) == 0 || wanted[hit.Pattern.Name] {
			d.Linef("%s", hit)
		}
	}
	count := prose.Count(hits)
	d.Linef("%-14s %5s", "pattern", "hits")
	for _, p := range prose.Patterns {
		d.Linef("%-14s %5d", p.Name, count[p.Name])
	}
	d.Linef("%-14s %5d", "all", len(hits))
	return nil
}

// prose is the part of `make lint` that reads comments, strings and documents. It returns an error that
// lists every hit.
func (d app) prose() (string, error) {
	hits, err := prose.Check(os.DirFS(d.repo), prose.Patterns, prose.Exceptions)
	if err != nil {
		return "", err
	}
	if len(hits) == 0 {
		return fmt.Sprintf("%d patterns, no hits", len(prose.Patterns)), nil
	}
	var report strings.Builder
	for _, hit := range hits {
		fmt.Fprintln(&report, hit)
	}
	return "", remedy.For(errors.New("prose: wording that is hard to read\n"+report.String()),
		"reword it, or list it in localstack/prose/exceptions.go with the reason")
}
