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
	d.Linef("%-14s %5s %7s", "pattern", "hits", "at most")
	for _, p := range prose.Patterns {
		d.Linef("%-14s %5d %7d", p.Name, count[p.Name], prose.Left[p.Name])
	}
	d.Linef("%-14s %5d", "all", len(hits))
	return nil
}

// prose is the part of `make lint` that reads comments, strings and documents. It returns an error if a
// pattern has more hits than prose.Left allows.
func (d app) prose() (string, error) {
	hits, err := prose.Check(os.DirFS(d.repo), prose.Patterns, prose.Exceptions)
	if err != nil {
		return "", err
	}
	over := prose.Over(hits, prose.Left)
	if len(over) == 0 {
		return fmt.Sprintf("%d hits are left to reword", len(hits)), nil
	}
	var report strings.Builder
	for _, hit := range over {
		fmt.Fprintln(&report, hit)
	}
	return "", remedy.For(errors.New("prose: patterns have more hits than allowed\n"+report.String()),
		"reword them; make prose lists every hit")
}
