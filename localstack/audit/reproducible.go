package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"backroom/localstack/deploy"
)

// Reproducible builds and packs every function again: from a copy of the files that git knows, in another
// folder, with an empty build cache. It returns an error that names each package that is not identical,
// byte for byte, to that of built.
func (a Audit) Reproducible(ctx context.Context, built *deploy.Build) (err error) {
	scratch, err := os.MkdirTemp("", "backroom-again-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	again := &deploy.Build{Repo: filepath.Join(scratch, "elsewhere"), Arch: built.Arch, Release: true,
		Cache: filepath.Join(scratch, "cache")}
	if err := a.copyTo(ctx, again.Repo); err != nil {
		return err
	}
	if err := again.Compile(ctx); err != nil {
		return err
	}
	if _, err := again.Pack(ctx); err != nil {
		return err
	}
	return sameZips(built, again)
}

// sameZips returns an error that names every function whose two packages differ.
func sameZips(one, other *deploy.Build) error {
	var differ []error
	for _, name := range one.Names {
		first, err := os.ReadFile(one.Zip(name))
		if err != nil {
			return err
		}
		second, err := os.ReadFile(other.Zip(name))
		if err != nil {
			return err
		}
		if !bytes.Equal(first, second) {
			differ = append(differ, fmt.Errorf("%s: two builds gave different zips", name))
		}
	}
	return errors.Join(differ...)
}

// copyTo copies all files that git does not ignore, with their uncommitted changes.
func (a Audit) copyTo(ctx context.Context, to string) error {
	listed, _, err := a.run(ctx, 0, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(a.Repo, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not yet committed
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
