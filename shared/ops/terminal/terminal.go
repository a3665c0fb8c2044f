// Package terminal reports the progress of a command to a person or a log file: one line per phase,
// with its time.
package terminal

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A Reporter writes phases and lines. On a terminal a phase shows a spinner while it runs;
// elsewhere it is one plain line.
type Reporter struct {
	out    io.Writer
	live   bool // out is a terminal that can redraw a line
	colour bool

	mu sync.Mutex
}

// New returns a Reporter for out. It respects NO_COLOR and TERM=dumb.
func New(out io.Writer) *Reporter {
	live := IsTerminal(out) && os.Getenv("TERM") != "dumb"
	return &Reporter{out: out, live: live, colour: live && os.Getenv("NO_COLOR") == ""}
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Phase runs work and prints its name, the note that work returns, and the time it took.
func (t *Reporter) Phase(name string, work func() (note string, err error)) error {
	began := time.Now()
	stop := t.spin(name)
	note, err := work()
	stop()
	mark, paint := "ok  ", "32"
	if err != nil {
		mark, paint, note = "FAIL", "31", ""
	}
	t.Linef("%s %-9s %6.1f s  %s", t.paint(mark, paint), name, time.Since(began).Seconds(), note)
	return err
}

// spin shows a spinner with name until the returned function is called.
func (t *Reporter) spin(name string) (stop func()) {
	if !t.live {
		return func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(t.out), progressbar.OptionSetDescription(name), progressbar.OptionSpinnerType(14),
		progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionEnableColorCodes(t.colour))
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				_ = bar.Finish()
				return
			case <-tick.C:
				_ = bar.Add(1)
			}
		}
	}()
	return func() { close(done); <-gone }
}

// Linef prints one line, with every argument escaped as Sprintf does. It may be called from several
// goroutines.
func (t *Reporter) Linef(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	Fprintf(t.out, format+"\n", args...)
}

// Good colours a word as a success.
func (t *Reporter) Good(word string) string { return t.paint(word, "32") }

// Bad colours a word as a refusal or failure.
func (t *Reporter) Bad(word string) string { return t.paint(word, "33") }

// Dim makes words less prominent.
func (t *Reporter) Dim(word string) string { return t.paint(word, "2") }

// Write writes text with its line ends and colours. Other control characters are escaped.
func (t *Reporter) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.out, painted(escape(string(text), true))); err != nil {
		return 0, err
	}
	return len(text), nil
}

func (t *Reporter) paint(word, code string) string {
	if !t.colour {
		return word
	}
	return mark + code + "m" + word + mark + "0m"
}
