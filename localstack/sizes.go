package main

import (
	"context"
	"os"

	"backroom/localstack/deploy"
)

// sizes is `make sizes`: it prints the size of every function as shipped, for arm64.
func sizes(ctx context.Context, d app, _ []string) error {
	build := &deploy.Build{Repo: d.repo, Arch: deploy.ARM64, Release: true}
	if err := build.Compile(ctx); err != nil {
		return err
	}
	if _, err := build.Pack(ctx); err != nil {
		return err
	}
	d.Linef(
		"built for %s, as shipped; this machine is %s\nthe zips that sam build makes are about a tenth "+
			"smaller\n\n%-24s %9s %9s",
		build.Arch, deploy.HostArch(), "function", "binary MB", "zip MB")
	for _, name := range build.Names {
		binary, err := os.Stat(build.Binary(name))
		if err != nil {
			return err
		}
		archive, err := os.Stat(build.Zip(name))
		if err != nil {
			return err
		}
		d.Linef("%-24s %9.2f %9.2f", name, float64(binary.Size())/1e6, float64(archive.Size())/1e6)
	}
	return nil
}
