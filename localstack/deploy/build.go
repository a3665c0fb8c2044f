package deploy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"backroom/shared/ops/remedy"
)

// An Arch is a processor as Lambda names it.
type Arch string

// The processors Lambda offers.
const (
	ARM64 Arch = "arm64"
	X86   Arch = "x86_64"
)

// HostArch returns this machine's processor. A local cloud runs functions as processes of this machine.
func HostArch() Arch {
	if runtime.GOARCH == "arm64" {
		return ARM64
	}
	return X86
}

func (a Arch) goarch() string {
	if a == X86 {
		return "amd64"
	}
	return string(a)
}

// A Build is all functions, compiled for one processor into one folder.
type Build struct {
	Repo string
	Arch Arch
	// Release builds the same binaries as `sam build`. Without it, binaries keep their build id, so that
	// the next build does not link an unchanged function again.
	Release bool
	Cache   string   // the folder of compiled packages; empty: Go's default
	Names   []string // set by Compile
}

// Folder is where binaries, zips and the rewritten template are: bin/<function>, <function>.zip, template.yaml.
func (b *Build) Folder() string {
	kind := "local"
	if b.Release {
		kind = "release"
	}
	return filepath.Join(b.Repo, ".backroom", "build", string(b.Arch)+"-"+kind)
}

// Binary returns the path of a function's binary.
func (b *Build) Binary(function string) string { return filepath.Join(b.Folder(), "bin", function) }

// Zip returns the path of a function's package.
func (b *Build) Zip(function string) string { return filepath.Join(b.Folder(), function+".zip") }

// Compile builds all functions with one call of go build. The flags are those of the Makefile's
// build-<LogicalId>.
func (b *Build) Compile(ctx context.Context) error {
	names, err := Functions(b.Repo)
	if err != nil {
		return err
	}
	b.Names = names
	ldflags := "-s -w"
	if b.Release {
		ldflags += " -buildid="
	}
	args := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o",
		filepath.Join(b.Folder(), "bin") + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, "./functions/"+name)
	}
	if err := os.MkdirAll(filepath.Join(b.Folder(), "bin"), 0o755); err != nil {
		return err
	}
	compiler := exec.CommandContext(ctx, "go", args...)
	compiler.Dir = b.Repo
	compiler.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.Arch.goarch())
	if b.Cache != "" {
		compiler.Env = append(compiler.Env, "GOCACHE="+b.Cache)
	}
	if printed, err := compiler.CombinedOutput(); err != nil {
		return remedy.For(fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(printed)),
			"fix the error, then run the command again")
	}
	return nil
}

// Pack zips every binary that changed since it was last packed, and returns how many changed.
func (b *Build) Pack(ctx context.Context) (changed int, err error) {
	packed := make([]bool, len(b.Names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, name := range b.Names {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			packed[i], err = pack(b.Binary(name), b.Zip(name))
			return err
		})
	}
	err = group.Wait()
	for _, p := range packed {
		if p {
			changed++
		}
	}
	return changed, err
}

// pack writes binary as the only file, bootstrap, of a zip, unless the zip holds it already. The same
// binary always gives the same bytes: the zip has no times and no owner, and its comment is the hash of the
// binary.
func pack(binary, archive string) (written bool, err error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(program)
	comment := hex.EncodeToString(sum[:])
	if old, err := zip.OpenReader(archive); err == nil {
		same := old.Comment == comment
		_ = old.Close()
		if same {
			return false, nil
		}
	}

	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestSpeed)
	})
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate,
		Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err != nil {
		return false, err
	}
	if _, err := file.Write(program); err != nil {
		return false, err
	}
	if err := w.SetComment(comment); err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	// The rename is atomic: if this process ends now, the archive is complete or absent.
	complete := archive + ".new"
	if err := os.WriteFile(complete, out.Bytes(), 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(complete, archive)
}
