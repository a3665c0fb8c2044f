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
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// ErrNotSaved says that a MiniStack ended without saving its state. What it had saved before stays.
var ErrNotSaved = errors.New("MiniStack did not save its state")

// MiniStack is the embedded local AWS. Its data survive a Stop and the next Start with the same State and
// Port. A Kill loses everything since the last Stop.
type MiniStack struct {
	Tools         tools.Tools
	Port          int    // on loopback
	State         string // the folder for its state and log; created if absent
	ForgetStreams bool   // drop undelivered stream records at the next Start, as AWS does after 24 hours

	process *exec.Cmd
	logFrom int64         // where the log of the last Start begins in the file
	alive   io.Closer     // MiniStack ends when this closes, so it cannot outlive this process
	exited  chan struct{} // closed when the process has ended
}

var _ Cloud = (*MiniStack)(nil)

// Name returns ministack.
func (m *MiniStack) Name() string { return NameMiniStack }

// Endpoint returns its URL. The host is an IP address, because SDKs then put the bucket into the path.
func (m *MiniStack) Endpoint() string { return fmt.Sprintf("http://127.0.0.1:%d", m.Port) }

// Log returns the path of its log file.
func (m *MiniStack) Log() string { return filepath.Join(m.State, "ministack.log") }

// Exited returns a channel that is closed when the running MiniStack has ended, for any reason.
func (m *MiniStack) Exited() <-chan struct{} { return m.exited }

// Start starts it and returns when it answers. It returns an error if the port is in use, if the process
// ends, or after 30 s.
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
	// The process inherits the lock: if this one is killed, it may still be saving when the next one starts.
	inUse, err := Hold(state)
	if err != nil {
		return err
	}
	defer inUse.Close()
	log, err := os.OpenFile(m.Log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if m.logFrom, err = log.Seek(0, io.SeekEnd); err != nil {
		return err
	}

	process := exec.Command(m.Tools.Python, filepath.Join(m.Tools.Repo, "localstack", "ministack", "launch.py"))
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C reaches this process only
	process.Dir = scratch
	process.ExtraFiles = []*os.File{inUse}
	// Functions inherit this environment, so it contains nothing else of the caller's.
	process.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + scratch,
		fmt.Sprintf("GATEWAY_PORT=%d", m.Port), "BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1",
		"AWS_ENDPOINT_URL=" + m.Endpoint(), "MINISTACK_REGION=" + stack.Region, "IOT_MTLS_ENABLED=0",
		"LAMBDA_EXECUTOR=local",
		"PERSIST_STATE=1", "S3_PERSIST=1", "STATE_DIR=" + filepath.Join(state, "state"), "S3_DATA_DIR=" +
			filepath.Join(state, "s3"),
		"LOG_LEVEL=WARNING", "PYTHONUNBUFFERED=1", "LAUNCH_UNTIL_EOF=1",
		"AUTH=true", // a function may only do what its role allows
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
		return remedy.For(fmt.Errorf("MiniStack did not start: %w\n%s", err, m.LogTail(12)),
			"make reset, then try again; the whole log: "+m.Log())
	}
	return nil
}

// Hold keeps a MiniStack from starting with a state folder, until the file is closed. It returns an error
// while one uses the folder, and for a folder that does not exist.
func Hold(state string) (*os.File, error) {
	lock, err := local.Lock(filepath.Join(state, "lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = remedy.For(fmt.Errorf("a MiniStack still uses %s", state),
			"wait until it has ended: after its make run was killed, it saves its state for up to a minute")
	}
	return lock, err
}

// errEnded ends the wait for a MiniStack whose process has ended. An answer at its port then comes from
// another server.
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

// saveTimeout is how long MiniStack may take to save its state. After thousands of requests, on a busy
// machine, it took more than 20 s.
const saveTimeout = time.Minute

// Unsaved reports whether a MiniStack with this State runs, or the last one ended without saving.
func (m *MiniStack) Unsaved() bool {
	_, err := os.Stat(filepath.Join(m.State, "unsaved")) // UNSAVED in launch.py
	return err == nil
}

// Saved returns when the state was last saved, and false if it never was.
func (m *MiniStack) Saved() (at time.Time, ok bool) {
	tables, err := os.Stat(filepath.Join(m.State, "state", "dynamodb.json"))
	if err != nil {
		return time.Time{}, false
	}
	return tables.ModTime(), true
}

// Lost says which data a MiniStack that ended without saving has lost.
func (m *MiniStack) Lost() string {
	if at, ok := m.Saved(); ok {
		return "everything since the last clean stop, at " + at.Format(time.DateTime) +
			", is lost; the data before it stay"
	}
	return "all its data are lost: it has never been stopped cleanly"
}

// Stop ends it cleanly: it ends its functions, saves its state and exits. It returns ErrNotSaved if it could
// not save, or if that takes longer than saveTimeout; MiniStack is killed then.
func (m *MiniStack) Stop() error {
	if m.process == nil {
		return nil
	}
	_ = m.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.exited:
		m.forget()
		if m.Unsaved() {
			return remedy.For(fmt.Errorf("%w; %s\n%s", ErrNotSaved, m.Lost(), m.LogTail(4)),
				"make run; if the log names a full disk, make room first: "+m.Log())
		}
		return nil
	case <-time.After(saveTimeout):
		m.Kill()
		return remedy.For(fmt.Errorf("%w in %s, and was killed; %s", ErrNotSaved, saveTimeout, m.Lost()),
			"make run; the log: "+m.Log())
	}
}

// Kill ends it and its functions with SIGKILL, so that it saves nothing: a crash of the cloud.
func (m *MiniStack) Kill() {
	if m.process == nil {
		return
	}
	_ = syscall.Kill(-m.process.Process.Pid, syscall.SIGKILL) // the process group, with its functions
	<-m.exited
	m.forget()
}

func (m *MiniStack) forget() {
	// Functions that are still running would keep files of the state folder open.
	_ = syscall.Kill(-m.process.Process.Pid, syscall.SIGKILL)
	_ = m.alive.Close()
	m.process = nil
}

// Pid returns the process id of the running MiniStack, which is the parent of every function's process. It
// returns 0 if it is not running.
func (m *MiniStack) Pid() int {
	if m.process == nil {
		return 0
	}
	return m.process.Process.Pid
}

// LogTail returns the last lines of its log since the last Start, or "" if that cannot be read.
func (m *MiniStack) LogTail(lines int) string {
	log, err := os.ReadFile(m.Log())
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(log[min(m.logFrom, int64(len(log))):]), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
