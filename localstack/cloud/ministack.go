package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// MiniStack is the embedded local AWS. What it holds survives a Stop and the next Start with the same State and Port;
// a Kill loses everything since the last clean Stop.
type MiniStack struct {
	Tools         tools.Tools
	Port          int    // on loopback
	State         string // the folder for its state and log, made if absent
	ForgetStreams bool   // lose, at the next Start, stream records that were not delivered, as AWS does after 24 hours

	process *exec.Cmd
	alive   io.Closer     // MiniStack ends when this closes, so it cannot outlive us
	exited  chan struct{} // closed when the process has ended
}

var _ Cloud = (*MiniStack)(nil)

// Name returns ministack.
func (m *MiniStack) Name() string { return NameMiniStack }

// Endpoint returns the URL it serves at. It is an address, not a name: SDKs then put buckets into the path.
func (m *MiniStack) Endpoint() string { return fmt.Sprintf("http://127.0.0.1:%d", m.Port) }

// Log returns the path of the file it writes its log to.
func (m *MiniStack) Log() string { return filepath.Join(m.State, "ministack.log") }

// Exited returns a channel that is closed when the running MiniStack has ended, for whatever reason.
func (m *MiniStack) Exited() <-chan struct{} { return m.exited }

// Start starts it and returns when it is ready to serve.
func (m *MiniStack) Start(ctx context.Context) error {
	if err := CheckPort(m.Port, "local cloud", "CLOUD_PORT"); err != nil {
		return err
	}
	state, err := filepath.Abs(m.State)
	if err != nil {
		return err
	}
	scratch := filepath.Join(state, "tmp")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(m.Log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()

	process := exec.Command(m.Tools.Python, filepath.Join(m.Tools.Repo, "localstack", "ministack", "launch.py"))
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to handle
	process.Dir = scratch
	// Functions inherit this environment, so it is made from nothing.
	process.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + scratch,
		fmt.Sprintf("GATEWAY_PORT=%d", m.Port), "BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1",
		"AWS_ENDPOINT_URL=" + m.Endpoint(), "MINISTACK_REGION=" + stack.Region, "IOT_MTLS_ENABLED=0", "LAMBDA_EXECUTOR=local",
		"PERSIST_STATE=1", "S3_PERSIST=1", "STATE_DIR=" + filepath.Join(state, "state"), "S3_DATA_DIR=" + filepath.Join(state, "s3"),
		"LOG_LEVEL=WARNING", "PYTHONUNBUFFERED=1", "LAUNCH_UNTIL_EOF=1",
		"AUTH=true", // a function may do what its role allows, and no more
	}
	if m.ForgetStreams {
		process.Env = append(process.Env, "BACKROOM_FORGET_STREAMS=1")
	}
	alive, err := process.StdinPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	m.process, m.alive, m.exited = process, alive, make(chan struct{})
	starting, ended := context.WithCancelCause(ctx)
	go func(exited chan struct{}) {
		_ = process.Wait()
		close(exited)
		ended(errEnded)
	}(m.exited)

	err = until(starting, 30*time.Second, 20*time.Millisecond, m.ready)
	if err != nil {
		m.Kill()
		return remedy.For(fmt.Errorf("MiniStack did not start: %w\n%s", err, m.LogTail(12)), "make reset, then try again; the whole log: "+m.Log())
	}
	return nil
}

// errEnded says why a MiniStack is not waited for any more, or why another's answer is not taken for its own.
var errEnded = errors.New("it ended at once")

func (m *MiniStack) ready(ctx context.Context) error {
	select {
	case <-m.exited:
		return errEnded
	default:
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Endpoint()+"/_ministack/health", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// saving is how long MiniStack has to save its state: after thousands of requests on a busy machine that took more than 20 s.
const saving = time.Minute

// Stop ends it cleanly: its functions end, its state is saved, the process is gone.
func (m *MiniStack) Stop() error {
	if m.process == nil {
		return nil
	}
	_ = m.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.exited:
		m.forget()
		return nil
	case <-time.After(saving):
		m.Kill()
		return remedy.For(fmt.Errorf("MiniStack did not end in %s and was killed; what it held since its start is lost", saving), "make reset")
	}
}

// Kill ends it, and the functions it runs, without a chance to save anything: a crash of the cloud.
func (m *MiniStack) Kill() {
	if m.process == nil {
		return
	}
	_ = syscall.Kill(-m.process.Process.Pid, syscall.SIGKILL) // the group: its functions too
	<-m.exited
	m.forget()
}

func (m *MiniStack) forget() {
	// Functions that outlived it would hold the state folder.
	_ = syscall.Kill(-m.process.Process.Pid, syscall.SIGKILL)
	_ = m.alive.Close()
	m.process = nil
}

// Pid returns the process id of the running MiniStack: the parent of every function's process. 0 means it is not running.
func (m *MiniStack) Pid() int {
	if m.process == nil {
		return 0
	}
	return m.process.Process.Pid
}

// LogTail returns the last lines of its log.
func (m *MiniStack) LogTail(lines int) string {
	log, err := os.ReadFile(m.Log())
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(log), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
