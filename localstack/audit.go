package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"backroom/localstack/audit"
	"backroom/localstack/deploy"
	"backroom/localstack/tools"
)

// audited is `make audit`: everything that an auditor would ask of what is shipped. Every question is asked, whatever the others
// found.
func auditAll(ctx context.Context, d app, _ []string) error {
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	a := audit.Audit{Repo: d.repo, Python: installed.Python, CfnLint: filepath.Join(filepath.Dir(installed.Python), "cfn-lint")}
	if a.Checkov, err = tools.InstallCheckov(ctx, d.repo); err != nil {
		return err
	}
	failures := errors.Join(
		d.Phase("secrets", func() (string, error) { return "none in any commit", a.Secrets(ctx) }),
		d.Phase("template", func() (string, error) { return a.Generic(ctx) }),
		d.Phase("weaknesses", func() (string, error) { return a.Vulnerabilities(ctx) }),
	)
	for _, w := range audit.Waivers {
		d.Linef("     waived: %s: %s", w.Check, w.Reason)
	}
	build, err := d.bills(ctx)
	if err != nil {
		return errors.Join(failures, err)
	}
	return errors.Join(failures, d.Phase("twice", func() (string, error) {
		return fmt.Sprintf("%d packages, built again elsewhere, are the same", len(build.Names)), a.Twice(ctx, build)
	}))
}

// sbom is `make sbom`.
func sbom(ctx context.Context, d app, _ []string) error {
	_, err := d.bills(ctx)
	return err
}

// bills builds what is shipped, and writes a bill of materials for each function.
func (d app) bills(ctx context.Context) (*deploy.Build, error) {
	build := &deploy.Build{Repo: d.repo, Arch: deploy.ARM64, Release: true}
	return build, d.Phase("bills", func() (string, error) {
		if err := build.Compile(ctx); err != nil {
			return "", err
		}
		if _, err := build.Pack(ctx); err != nil {
			return "", err
		}
		folder := filepath.Join(d.repo, ".backroom", "sbom")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		for _, name := range build.Names {
			if err := audit.WriteBill(name, build.Binary(name), filepath.Join(folder, name+".cdx.json")); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d in .backroom/sbom", len(build.Names)), nil
	})
}
