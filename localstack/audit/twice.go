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

// Twice packs every function again: from a copy of what git knows of the sources, in another folder, with nothing compiled
// before. Each package must be the same as that of built, byte for byte.
func (a Audit) Twice(ctx context.Context, built *deploy.Build) (err error) {
	scratch, err := os.MkdirTemp("", "backroom-again-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	again := &deploy.Build{Repo: filepath.Join(scratch, "elsewhere"), Arch: built.Arch, Release: true, Cache: filepath.Join(scratch, "cache")}
	if err := a.copied(ctx, again.Repo); err != nil {
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

// sameZips returns an error that names every function whose packages differ.
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
			differ = append(differ, fmt.Errorf("%s: built twice, packed to two different zips", name))
		}
	}
	return errors.Join(differ...)
}

// copied copies the files that git tracks or could track, as they are now.
func (a Audit) copied(ctx context.Context, to string) error {
	listed, _, err := a.said(ctx, 0, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
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
