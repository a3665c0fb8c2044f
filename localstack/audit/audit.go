// Package audit asks what an auditor would: does something that is shipped have a known weakness, is there a secret in the
// history, what is linked into each function, does the same source give the same package, and what do generic judges say of the
// template. Rules of our own are in localstack/policy.
package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
)

// An Audit is of one repository.
type Audit struct {
	Repo    string // its root
	Python  string // has SAM's translator
	CfnLint string
	Checkov string
}

// said runs a program in the repository and returns what it printed. With an exit code other than 0 and found, that is an error.
func (a Audit) said(ctx context.Context, found int, input io.Reader, name string, args ...string) (out []byte, code int, err error) {
	program := exec.CommandContext(ctx, name, args...)
	var errors bytes.Buffer
	program.Dir, program.Stdin, program.Stderr = a.Repo, input, &errors
	out, err = program.Output()
	code = program.ProcessState.ExitCode()
	if err != nil && code != found {
		return nil, code, fmt.Errorf("%s: %w\n%s%s", name, err, out, errors.Bytes())
	}
	return out, code, nil
}

// toolbox is a module file of its own: what it pins is no dependency of Backroom.
const toolbox = "-modfile=localstack/audit/tools.mod"
