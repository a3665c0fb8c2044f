// Package audit checks what is shipped: known vulnerabilities, secrets in the history, what is linked into
// each function, reproducible builds, and the rules of cfn-lint and checkov for the template. Backroom's own
// rules are in localstack/policy.
package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
)

// An Audit checks one repository.
type Audit struct {
	Repo    string // the root of the repository
	Python  string // an interpreter with the package samtranslator
	CfnLint string
	Checkov string
}

// run runs a program in the repository and returns its standard output. An exit code other than 0 and found
// is an error.
func (a Audit) run(ctx context.Context, found int, input io.Reader, name string, args ...string) (out []byte, code int,
	err error) {
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

// toolsModule is a module file of its own, so that the tools do not become dependencies of Backroom.
const toolsModule = "-modfile=localstack/audit/tools.mod"
