package deploy

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"backroom/localstack/cloud"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// A Deployment is what to deploy, where, under which name.
type Deployment struct {
	Tools      tools.Tools
	Endpoint   string            // the cloud's; "" is AWS
	Stack      string            // its name
	Parameters map[string]string // of the template; Arch is set by Deploy
}

// Prepare compiles and packs all functions for the cloud that is deployed to: the host's processor on a local one, arm64 on
// AWS. It returns a note of what was done.
func (d Deployment) Prepare(ctx context.Context) (*Build, string, error) {
	build := &Build{Repo: d.Tools.Repo, Arch: HostArch()}
	if d.Endpoint == "" {
		build.Arch, build.Release = ARM64, true
	}
	if err := build.Compile(ctx); err != nil {
		return nil, "", err
	}
	changed, err := build.Pack(ctx)
	return build, fmt.Sprintf("%d functions for %s, %d changed", len(build.Names), build.Arch, changed), err
}

// WithRoom returns parameters with limits that nobody meets: on a local cloud all of a shop's customers, its people and its load come
// from one machine, and mostly as one client.
func WithRoom(parameters map[string]string) map[string]string {
	with := map[string]string{"CallerRate": "1000", "CallerBurst": "1000"}
	maps.Copy(with, parameters)
	return with
}

// Deploy has the SAM CLI deploy the repository's template with the functions of build, and returns the stack. A stack that is
// as it should be is left alone.
func (d Deployment) Deploy(ctx context.Context, build *Build) (stack.Stack, error) {
	template, err := os.ReadFile(filepath.Join(d.Tools.Repo, "template.yaml"))
	if err != nil {
		return stack.Stack{}, err
	}
	template, err = Rewrite(template, func(function string) string { return function + ".zip" })
	if err != nil {
		return stack.Stack{}, remedy.For(err, "make lint")
	}
	path := filepath.Join(build.Folder(), "template.yaml")
	if err := os.WriteFile(path, template, 0o644); err != nil {
		return stack.Stack{}, err
	}

	args := []string{"deploy", "--template-file", path, "--stack-name", d.Stack, "--resolve-s3", "--s3-prefix", d.Stack,
		"--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
		"--parameter-overrides", "Arch=" + string(build.Arch)}
	if d.Endpoint != "" {
		args = append(args, "Monitoring=no") // MiniStack refuses alarms with metric math, and no local cloud takes metrics out of logs
	}
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		args = append(args, name+"="+d.Parameters[name])
	}
	sam := exec.CommandContext(ctx, d.Tools.SAM, args...)
	sam.Dir = build.Folder()
	sam.Env = append(cloud.Environ(d.Endpoint), "SAM_CLI_TELEMETRY=0", "PYTHONWARNINGS=ignore")
	if d.Endpoint != "" {
		sam.Env = append(sam.Env, "SAM_CLI_POLL_DELAY=0.2")
	}
	sam.Cancel = func() error { return sam.Process.Signal(syscall.SIGTERM) }
	sam.WaitDelay = time.Second
	if printed, err := sam.CombinedOutput(); err != nil {
		return stack.Stack{}, remedy.For(fmt.Errorf("sam deploy: %w\n%s", err, reasons(printed)), d.afterFailure())
	}
	return stack.Describe(ctx, d.Endpoint, d.Stack)
}

func (d Deployment) afterFailure() string {
	if d.Endpoint == "" {
		return "make lint; if the stack is in ROLLBACK_COMPLETE: sam delete --stack-name " + d.Stack
	}
	return "make lint (is the template sound?); make reset clears a stack that is half there"
}

// reasons picks from what the SAM CLI printed the lines that say why it failed.
func reasons(printed []byte) string {
	var failed, all []string
	for line := range strings.SplitSeq(string(printed), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		all = append(all, line)
		if strings.Contains(line, "_FAILED") || strings.Contains(line, "Error") || strings.Contains(line, "ROLLBACK") {
			failed = append(failed, line)
		}
	}
	if len(failed) == 0 {
		failed = all
	}
	return strings.Join(failed[max(0, len(failed)-15):], "\n")
}
