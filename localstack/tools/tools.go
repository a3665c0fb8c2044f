// Package tools finds the programs the local clouds need on this machine, and installs the pinned ones that are Python's.
package tools

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"backroom/shared/ops/remedy"
)

// Tools are the installed programs, by path.
type Tools struct {
	Python string // runs MiniStack
	SAM    string
	Repo   string // the root of this repository
}

// Repo returns the root of the repository that the working directory is in.
func Repo() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "localstack", "ministack", "launch.py")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", remedy.For(errors.New("this is not inside the backroom repository"), "cd to the folder with the Makefile")
		}
		dir = filepath.Dir(dir)
	}
}

// Check looks for Go 1.26, Python 3.11 and make, and says which versions it found. Every missing one is named.
func Check(ctx context.Context) (found string, err error) {
	var (
		notes   []string
		missing []error
	)
	if version, err := versionOf(ctx, "go", "version"); err != nil || !version.atLeast(1, 26) {
		missing = append(missing, remedy.For(fmt.Errorf("go 1.26 or newer is needed, found %s", version), "https://go.dev/dl"))
	} else {
		notes = append(notes, "go "+version.String())
	}
	if _, version, err := python(ctx); err != nil {
		missing = append(missing, err)
	} else {
		notes = append(notes, "python "+version.String())
	}
	if version, err := versionOf(ctx, "make", "--version"); err != nil {
		missing = append(missing, remedy.For(errors.New("make is needed"), "apt install make, or xcode-select --install"))
	} else {
		notes = append(notes, "make "+version.String())
	}
	return strings.Join(notes, ", "), errors.Join(missing...)
}

// python returns an interpreter of 3.11 or newer: $BACKROOM_PYTHON, or the first that fits on the path.
func python(ctx context.Context) (path string, v version, err error) {
	names := []string{"python3", "python3.13", "python3.12", "python3.11", "python3.14"}
	if own := os.Getenv("BACKROOM_PYTHON"); own != "" {
		names = []string{own}
	}
	for _, name := range names {
		v, err := versionOf(ctx, name, "--version")
		if err == nil && v.atLeast(3, 11) {
			path, err := exec.LookPath(name)
			return path, v, err
		}
	}
	return "", version{}, remedy.For(
		fmt.Errorf("python 3.11 or newer is needed, tried %s", strings.Join(names, ", ")),
		"install it, or name one: make run BACKROOM_PYTHON=/path/to/python3")
}

// A version is the number a program reports of itself.
type version []int

func (v version) atLeast(want ...int) bool {
	for i, n := range want {
		if i >= len(v) || v[i] < n {
			return false
		}
		if v[i] > n {
			return true
		}
	}
	return true
}

func (v version) String() string {
	if len(v) == 0 {
		return "none"
	}
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}

var dotted = regexp.MustCompile(`\d+(\.\d+)+`)

// versionOf runs a program and reads the first dotted number from what it says.
func versionOf(ctx context.Context, name, arg string) (version, error) {
	said, err := exec.CommandContext(ctx, name, arg).CombinedOutput()
	if err != nil {
		return nil, err
	}
	var v version
	for part := range strings.SplitSeq(dotted.FindString(string(said)), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%s %s: no version in %q", name, arg, said)
		}
		v = append(v, n)
	}
	return v, nil
}

// Install makes sure that what the local clouds need from PyPI is installed, and returns it.
func Install(ctx context.Context, repo string) (Tools, error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "ministack", "requirements.txt"))
	return Tools{Python: filepath.Join(bin, "python"), SAM: filepath.Join(bin, "sam"), Repo: repo}, err
}

// InstallSchemathesis makes sure that Schemathesis is installed, and returns its program.
func InstallSchemathesis(ctx context.Context, repo string) (program string, err error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "probe", "requirements.txt"))
	return filepath.Join(bin, "schemathesis"), err
}

// InstallCheckov makes sure that checkov is installed, and returns its program.
func InstallCheckov(ctx context.Context, repo string) (program string, err error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "audit", "requirements.txt"))
	return filepath.Join(bin, "checkov"), err
}

// environment makes sure that the packages a file pins are installed in a folder of their own under the cache, and returns where
// their programs are. The folder's name is the hash of what is in it, so that a change of a pin installs anew. Concurrent
// installs wait for the first; one that is broken off leaves nothing that a later one would take for whole.
func environment(ctx context.Context, pins string) (bin string, err error) {
	interpreter, v, err := python(ctx)
	if err != nil {
		return "", err
	}
	list, err := os.ReadFile(pins)
	if err != nil {
		return "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(list, "\n%s %s", interpreter, v))
	home := filepath.Join(cache, fmt.Sprintf("venv-%x", sum[:6]))
	bin = filepath.Join(home, "bin")
	ready := filepath.Join(home, ".ready")
	if _, err := os.Stat(ready); err == nil {
		return bin, nil
	}

	unlock, err := lock(ctx, home+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(ready); err == nil {
		return bin, nil // another process was first
	}
	if err := os.RemoveAll(home); err != nil {
		return "", err
	}
	if err := install(ctx, interpreter, home, pins, string(list)); err != nil {
		return "", remedy.For(err, "check that pip reaches a package index (pip download six), then run the command again")
	}
	return bin, os.WriteFile(ready, nil, 0o644)
}

// install fills home with a virtual environment. uv takes seconds where pip takes minutes; pip is kept for machines whose
// package index only pip is configured for.
func install(ctx context.Context, interpreter, home, pins, list string) error {
	if err := quietly(ctx, interpreter, "-m", "venv", home); err != nil {
		return err
	}
	bin := func(name string) string { return filepath.Join(home, "bin", name) }
	uv := regexp.MustCompile(`(?m)^uv==\S+`).FindString(list)
	fast := quietly(ctx, bin("pip"), "install", "--quiet", uv)
	if fast == nil {
		fast = quietly(ctx, bin("uv"), "pip", "install", "--quiet", "--python", bin("python"), "--requirement", pins)
	}
	if fast == nil || ctx.Err() != nil {
		return fast
	}
	return quietly(ctx, bin("pip"), "install", "--quiet", "--no-compile", "--requirement", pins)
}

// quietly runs a program and shows what it printed only if it fails.
func quietly(ctx context.Context, name string, args ...string) error {
	printed, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args[:min(2, len(args))], " "), err, printed)
	}
	return nil
}

// cacheFolder returns where installed packages live: $BACKROOM_CACHE, or backroom in the user's cache.
func cacheFolder() (string, error) {
	cache := os.Getenv("BACKROOM_CACHE")
	if cache == "" {
		user := os.Getenv("XDG_CACHE_HOME")
		if user == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			user = filepath.Join(home, ".cache")
		}
		cache = filepath.Join(user, "backroom")
	}
	return cache, os.MkdirAll(cache, 0o755)
}

// lock waits for the file lock at path. The lock ends with the process, however that ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = file.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
