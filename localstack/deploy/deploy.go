package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"backroom/localstack/cloud"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

// A Deployment is what to deploy, where, under which name.
type Deployment struct {
	Tools      tools.Tools
	Endpoint   string            // the cloud's; "" is AWS
	Stack      string            // its name
	Parameters map[string]string // of the template; Arch is set by Deploy
}

// A Stack is a deployed template.
type Stack struct {
	Name     string
	Endpoint string // "" on AWS
	Outputs  map[string]string
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
func (d Deployment) Deploy(ctx context.Context, build *Build) (Stack, error) {
	template, err := os.ReadFile(filepath.Join(d.Tools.Repo, "template.yaml"))
	if err != nil {
		return Stack{}, err
	}
	template, err = Rewrite(template, func(function string) string { return function + ".zip" })
	if err != nil {
		return Stack{}, remedy.For(err, "make lint")
	}
	path := filepath.Join(build.Folder(), "template.yaml")
	if err := os.WriteFile(path, template, 0o644); err != nil {
		return Stack{}, err
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
		return Stack{}, remedy.For(fmt.Errorf("sam deploy: %w\n%s", err, reasons(printed)), d.afterFailure())
	}
	return Describe(ctx, d.Endpoint, d.Stack)
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

// Describe returns a stack that is deployed already; ErrNoStack if there is none.
func Describe(ctx context.Context, endpoint, name string) (Stack, error) {
	cfg, err := cloud.Config(ctx, endpoint)
	if err != nil {
		return Stack{}, err
	}
	answer, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if absent(err) {
		err = errors.Join(ErrNoStack, err)
	}
	if err != nil {
		return Stack{}, fmt.Errorf("stack %s: %w", name, err)
	}
	stack := Stack{Name: name, Endpoint: endpoint, Outputs: map[string]string{}}
	for _, output := range answer.Stacks[0].Outputs {
		stack.Outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return stack, nil
}

// StagePath is the prefix that the gateway's stage gives to every path.
const StagePath = "/v1"

// API returns the URL that the API's paths follow.
func (s Stack) API() (string, error) {
	if s.Endpoint == "" {
		if s.Outputs["ApiUrl"] == "" {
			return "", fmt.Errorf("stack %s has no output ApiUrl", s.Name)
		}
		return strings.TrimRight(s.Outputs["ApiUrl"], "/"), nil
	}
	if s.Outputs["ApiId"] == "" {
		return "", fmt.Errorf("stack %s has no output ApiId", s.Name)
	}
	return s.Endpoint + "/_aws/execute-api/" + s.Outputs["ApiId"] + StagePath, nil
}

// Sandbox returns the URL that the paths of the payment sandbox follow. In prod there is none.
func (s Stack) Sandbox() (string, error) {
	id := s.Outputs["SandboxApiId"]
	if id == "" {
		return "", fmt.Errorf("stack %s has no payment sandbox (output SandboxApiId)", s.Name)
	}
	if s.Endpoint != "" {
		return s.Endpoint + "/_aws/execute-api/" + id + "/sandbox", nil
	}
	host := strings.TrimPrefix(strings.TrimSuffix(strings.TrimRight(s.Outputs["ApiUrl"], "/"), StagePath), "https://")
	_, domain, _ := strings.Cut(host, ".")
	return "https://" + id + "." + domain + "/sandbox", nil
}

// Client returns the id and secret of the client that the template made.
func (s Stack) Client(ctx context.Context) (id, secret string, err error) {
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := s.secret(ctx, "ClientSecretArn", &client); err != nil {
		return "", "", err
	}
	if client.ID == "" || client.Secret == "" {
		return "", "", errors.New("the client's secret lacks client_id or client_secret")
	}
	return client.ID, client.Secret, nil
}

// PaymentsKey returns the key of the payment provider.
func (s Stack) PaymentsKey(ctx context.Context) (string, error) {
	var payments struct {
		Key string `json:"api_key"`
	}
	err := s.secret(ctx, "PaymentsSecretArn", &payments)
	return payments.Key, err
}

// CallbackSecret returns what the payment provider signs its callbacks with; empty while it was not told where to call.
func (s Stack) CallbackSecret(ctx context.Context) (string, error) {
	var payments struct {
		WebhookSecret string `json:"webhook_secret"`
	}
	err := s.secret(ctx, "PaymentsSecretArn", &payments)
	return payments.WebhookSecret, err
}

// secret decodes the secret whose ARN is an output of the stack.
func (s Stack) secret(ctx context.Context, output string, document any) error {
	cfg, err := cloud.Config(ctx, s.Endpoint)
	if err != nil {
		return err
	}
	arn := s.Outputs[output]
	if arn == "" {
		return fmt.Errorf("stack %s has no output %s", s.Name, output)
	}
	answer, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(aws.ToString(answer.SecretString)), document); err != nil {
		return fmt.Errorf("the secret of %s: %w", output, err)
	}
	return nil
}

// FunctionName returns the name of a function of this stack on the cloud.
func (s Stack) FunctionName(function string) string { return s.Name + "-" + function }

// QueueName returns the name of a step's queue; its dead-letter queue adds -dlq.
func (s Stack) QueueName(step string) string { return s.Name + "-" + step }
