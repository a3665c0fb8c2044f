// Package tools finds the programs that the local clouds need on this machine, and installs the pinned Python
// packages.
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

	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
)

// Tools are the installed programs, by path.
type Tools struct {
	Python string // runs MiniStack
	SAM    string
	Repo   string // the root of this repository
}

// Repo returns the root of the repository that contains the working directory. It returns an error if there is
// none.
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
			return "",
				remedy.For(errors.New("the working directory is not inside the backroom repository"),
					"cd to the folder with the Makefile")
		}
		dir = filepath.Dir(dir)
	}
}

// Check looks for Go 1.26, Python 3.11 and make, or newer versions, and returns what it found. The error names
// every missing program.
func Check(ctx context.Context) (found string, err error) {
	var (
		notes   []string
		missing []error
	)
	if version, err := versionOf(ctx, "go", "version"); err != nil || !version.atLeast(1, 26) {
		missing = append(missing,
			remedy.For(fmt.Errorf("go 1.26 or newer is needed, found %s", version), "https://go.dev/dl"))
	} else {
		notes = append(notes, "go "+version.String())
	}
	if _, version, err := python(ctx); err != nil {
		missing = append(missing, err)
	} else {
		notes = append(notes, "python "+version.String())
	}
	if version, err := versionOf(ctx, "make", "--version"); err != nil {
		missing = append(missing,
			remedy.For(errors.New("make is needed"), "apt install make, or xcode-select --install"))
	} else {
		notes = append(notes, "make "+version.String())
	}
	return strings.Join(notes, ", "), errors.Join(missing...)
}

// python returns an interpreter of 3.11 or newer: $BACKROOM_PYTHON, or else the first one on the path. It returns
// an error if that cannot make a virtual environment with pip.
func python(ctx context.Context) (path string, v version, err error) {
	names := []string{"python3", "python3.13", "python3.12", "python3.11", "python3.14"}
	if own := os.Getenv("BACKROOM_PYTHON"); own != "" {
		names = []string{own}
	}
	for _, name := range names {
		v, err := versionOf(ctx, name, "--version")
		if err == nil && v.atLeast(3, 11) {
			printed, err := exec.CommandContext(ctx, name, "-c", "import ensurepip, venv").CombinedOutput()
			if err != nil {
				return "", v, remedy.For(fmt.Errorf("%s %s has no module venv, or none that installs pip:\n%s", name, v,
					lastLine(printed)), fmt.Sprintf("apt install python%d.%d-venv, or name another interpreter: "+
					"make run BACKROOM_PYTHON=/path/to/python3", v[0], v[1]))
			}
			path, err := exec.LookPath(name)
			return path, v, err
		}
	}
	return "", version{}, remedy.For(
		fmt.Errorf("python 3.11 or newer is needed, tried %s", strings.Join(names, ", ")),
		"install Python, or name an interpreter: make run BACKROOM_PYTHON=/path/to/python3")
}

// lastLine returns the last line of what a program printed.
func lastLine(printed []byte) string {
	lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
	return lines[len(lines)-1]
}

// A version is the version number that a program reports, in its parts.
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

// versionOf runs a program and returns the first dotted number that it prints.
func versionOf(ctx context.Context, name, arg string) (version, error) {
	printed, err := exec.CommandContext(ctx, name, arg).CombinedOutput()
	if err != nil {
		return nil, err
	}
	var v version
	for part := range strings.SplitSeq(dotted.FindString(string(printed)), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%s %s: no version in %q", name, arg, printed)
		}
		v = append(v, n)
	}
	return v, nil
}

// Install installs what the local clouds need from PyPI, unless it is installed.
func Install(ctx context.Context, repo string) (Tools, error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "ministack", "requirements.txt"))
	return Tools{Python: filepath.Join(bin, "python"), SAM: filepath.Join(bin, "sam"), Repo: repo}, err
}

// InstallSchemathesis installs Schemathesis, unless it is installed, and returns the path of its program.
func InstallSchemathesis(ctx context.Context, repo string) (program string, err error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "probe", "requirements.txt"))
	return filepath.Join(bin, "schemathesis"), err
}

// InstallCheckov installs checkov, unless it is installed, and returns the path of its program.
func InstallCheckov(ctx context.Context, repo string) (program string, err error) {
	bin, err := environment(ctx, filepath.Join(repo, "localstack", "audit", "requirements.txt"))
	return filepath.Join(bin, "checkov"), err
}

// Clients are the installed generators of clients and what their drivers need.
type Clients struct {
	Python string // the folder of the programs from PyPI
	Node   string // the folder node_modules
}

// InstallClients installs the generators of clients and the linters of the API's document, unless
// they are installed. It needs npm.
func InstallClients(ctx context.Context, repo string) (installed Clients, err error) {
	pins := filepath.Join(repo, "localstack", "clients")
	if installed.Python, err = environment(ctx, filepath.Join(pins, "requirements.txt")); err != nil {
		return installed, err
	}
	installed.Node, err = packages(ctx, pins)
	return installed, err
}

// packages installs the npm packages that package-lock.json pins, unless they are installed, and returns the
// folder node_modules.
func packages(ctx context.Context, pins string) (node string, err error) {
	contents := map[string][]byte{".npmrc": nil, "package.json": nil, "package-lock.json": nil}
	for name := range contents {
		if contents[name], err = os.ReadFile(filepath.Join(pins, name)); err != nil {
			return "", err
		}
	}
	home, err := once(ctx, "npm", string(contents["package.json"])+string(contents["package-lock.json"]),
		func(home string) error {
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			for name, content := range contents {
				if err := os.WriteFile(filepath.Join(home, name), content, 0o644); err != nil {
					return err
				}
			}
			return remedy.For(quietly(ctx, "npm", "ci", "--prefix", home),
				"check that npm reaches a registry (npm view uuid), then run the command again")
		})
	return filepath.Join(home, "node_modules"), err
}

// environment installs the Python packages that a file pins, unless they are installed, and returns the folder of
// their programs.
func environment(ctx context.Context, pins string) (bin string, err error) {
	interpreter, v, err := python(ctx)
	if err != nil {
		return "", err
	}
	list, err := os.ReadFile(pins)
	if err != nil {
		return "", err
	}
	home, err := once(ctx, "venv", fmt.Sprintf("%s\n%s %s", list, interpreter, v), func(home string) error {
		return remedy.For(install(ctx, interpreter, home, pins, string(list)),
			"check that pip reaches a package index (pip download six), then run the command again")
	})
	return filepath.Join(home, "bin"), err
}

// once installs something in a folder of its own under the cache, unless it is installed, and returns the folder.
// The folder's name has a hash of the pins, so a changed pin gets a new folder. Concurrent installs wait for the
// first. An interrupted install is started again by the next call.
func once(ctx context.Context, kind, pins string, install func(home string) error) (home string, err error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(pins))
	home = filepath.Join(cache, fmt.Sprintf("%s-%x", kind, sum[:6]))
	ready := filepath.Join(home, ".ready")
	if _, err := os.Stat(ready); err == nil {
		return home, nil
	}

	unlock, err := lock(ctx, home+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(ready); err == nil {
		return home, nil // another process was first
	}
	if err := os.RemoveAll(home); err != nil {
		return "", err
	}
	if err := install(home); err != nil {
		return "", err
	}
	return home, os.WriteFile(ready, nil, 0o644)
}

// install makes a virtual environment in home. It uses uv, which takes seconds where pip takes minutes. If uv
// fails it uses pip, because on some machines only pip is configured for the package index.
func install(ctx context.Context, interpreter, home, pins, list string) error {
	if err := quietly(ctx, interpreter, "-m", "venv", home); err != nil {
		return err
	}
	bin := func(name string) string { return filepath.Join(home, "bin", name) }
	uv := regexp.MustCompile(`(?m)^uv==\S+`).FindString(list)
	err := quietly(ctx, bin("pip"), "install", "--quiet", uv)
	if err == nil {
		err = quietly(ctx, bin("uv"), "pip", "install", "--quiet", "--python", bin("python"), "--requirement", pins)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return quietly(ctx, bin("pip"), "install", "--quiet", "--no-compile", "--requirement", pins)
}

// quietly runs a program. The error, if it fails, contains what it printed.
func quietly(ctx context.Context, name string, args ...string) error {
	printed, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args[:min(2, len(args))], " "), err,
			printed)
	}
	return nil
}

// cacheFolder returns the folder of installed packages, and creates it if it is absent: $BACKROOM_CACHE, or
// else backroom in the user's cache.
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

// lock waits for the file lock at path. The kernel releases the lock when the process ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		file, err := local.Lock(path)
		switch {
		case err == nil:
			return func() { _ = file.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}
