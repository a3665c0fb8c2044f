package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

const gitleaksRules = "localstack/audit/gitleaks.toml"

// Secrets looks for secrets in every commit, and in uncommitted changes of tracked or staged files. The
// exceptions are in gitleaks.toml, each with its reason. It returns an error if gitleaks does not find a
// made-up key first.
func (a Audit) Secrets(ctx context.Context) error {
	planted := "aws_access_key_id = AKIA" + "Q7WZ4NPLX2VTB5RD" + "\n"
	switch _, leaks, err := a.gitleaks(ctx, planted, "stdin"); {
	case err != nil:
		return err
	case leaks == 0:
		return errors.New("gitleaks does not find a made-up key")
	}
	for _, where := range [][]string{
		{"git", "."}, {"git", "--pre-commit", "."}, {"git", "--pre-commit", "--staged", "."},
	} {
		report, leaks, err := a.gitleaks(ctx, "", where...)
		if err != nil {
			return err
		}
		if leaks != 0 {
			return fmt.Errorf("gitleaks %s: possible secrets found\n%s", strings.Join(where, " "), report)
		}
	}
	return nil
}

// gitleaks runs gitleaks. leaks is 0 if it found nothing.
func (a Audit) gitleaks(ctx context.Context, input string, where ...string) (report string, leaks int, err error) {
	const found = 3
	args := append([]string{"tool", toolsModule, "gitleaks"}, where...)
	args = append(args, "--config", gitleaksRules, "--no-banner", "--no-color", "--log-level=error", "--redact",
		"--verbose", fmt.Sprintf("--exit-code=%d", found))
	out, code, err := a.run(ctx, found, strings.NewReader(input), "go", args...)
	return string(out), code, err
}
