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

// auditAll is `make audit`: all checks of what is shipped. A check that fails does not stop the
// others.
func auditAll(ctx context.Context, d app, _ []string) error {
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	a := audit.Audit{Repo: d.repo, Python: installed.Python,
		CfnLint: filepath.Join(filepath.Dir(installed.Python), "cfn-lint")}
	if a.Checkov, err = tools.InstallCheckov(ctx, d.repo); err != nil {
		return err
	}
	failures := errors.Join(
		d.Phase("secrets", func() (string, error) { return "none in any commit", a.Secrets(ctx) }),
		d.Phase("template", func() (string, error) { return a.Generic(ctx) }),
		d.Phase("vulnerabilities", func() (string, error) { return a.Vulnerabilities(ctx) }),
	)
	for _, w := range audit.Waivers {
		d.Linef("     waived: %s: %s", w.Check, w.Reason)
	}
	build, err := d.sboms(ctx)
	if err != nil {
		return errors.Join(failures, err)
	}
	return errors.Join(failures, d.Phase("reproducible", func() (string, error) {
		return fmt.Sprintf("%d packages built again in another folder are identical", len(build.Names)),
			a.Reproducible(ctx, build)
	}))
}

// sbom is `make sbom`.
func sbom(ctx context.Context, d app, _ []string) error {
	_, err := d.sboms(ctx)
	return err
}

// sboms builds what is shipped, and writes a software bill of materials for each function.
func (d app) sboms(ctx context.Context) (*deploy.Build, error) {
	build := &deploy.Build{Repo: d.repo, Arch: deploy.ARM64, Release: true}
	return build, d.Phase("sboms", func() (string, error) {
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
			if err := audit.WriteSBOM(name, build.Binary(name), filepath.Join(folder, name+".cdx.json")); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d bills of materials in .backroom/sbom", len(build.Names)), nil
	})
}
