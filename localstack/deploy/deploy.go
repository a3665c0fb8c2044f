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

// A Deployment is a stack to deploy, with the cloud to deploy it to.
type Deployment struct {
	Tools      tools.Tools
	Endpoint   string            // the cloud's URL; "" is AWS
	Stack      string            // the stack's name
	Parameters map[string]string // of the template; Deploy sets Arch
}

// Prepare compiles and packs all functions: for this machine's processor on a local cloud, for arm64 on
// AWS. The note says how many functions there are and how many changed.
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

// HighLimits returns parameters with rate limits that no local run reaches. On a local cloud all requests
// come from one machine, and most from one client, so the default limits would refuse them.
func HighLimits(parameters map[string]string) map[string]string {
	with := map[string]string{"CallerRate": "1000", "CallerBurst": "1000"}
	maps.Copy(with, parameters)
	return with
}

// Deploy runs the SAM CLI, which deploys the repository's template with the functions of build, and returns
// the stack. A stack that is up to date is not changed.
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
		"--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--no-confirm-changeset",
		"--no-fail-on-empty-changeset", "--no-progressbar",
		"--parameter-overrides", "Arch=" + string(build.Arch)}
	if d.Endpoint != "" {
		// MiniStack refuses alarms with metric math, and no local cloud reads metrics from logs.
		args = append(args, "Monitoring=no")
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
	return "make lint checks the template; make reset deletes a stack that is only partly deployed"
}

// reasons returns the lines of the SAM CLI's output that say why it failed: at most 15.
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
