package cloudtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Grant is what a role allows: an action on a resource, the latter as template.yaml names it.
type Grant struct {
	Function string `json:"function"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// Exchange is a sample event that a function of the API was called with, and what it answered.
type Exchange struct {
	Function string `json:"function"`
	Event    string `json:"event"` // its file
	Status   int    `json:"status"`
	Body     string `json:"body"`
	Media    string `json:"media"`
}

// The kinds of notes that tests leave in the folder which BACKROOM_RECORD names, a JSON document a line, each process in files of
// its own. Whoever compares them with what is kept collects them after the run.
const (
	Grants    = "grants"    // what functions used of what their roles allow
	Exchanges = "exchanges" // sample events and their answers
)

var notes = struct {
	sync.Mutex
	files   map[string]*os.File
	written map[string]bool
}{files: map[string]*os.File{}, written: map[string]bool{}}

// note writes down what somebody who set BACKROOM_RECORD wants to know, once.
func note(t testing.TB, kind string, what any) {
	t.Helper()
	folder := os.Getenv("BACKROOM_RECORD")
	if folder == "" {
		return
	}
	line, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	notes.Lock()
	defer notes.Unlock()
	if notes.written[kind+string(line)] {
		return
	}
	notes.written[kind+string(line)] = true
	file := notes.files[kind]
	if file == nil {
		if file, err = os.Create(filepath.Join(folder, kind+"."+strconv.Itoa(os.Getpid())+".jsonl")); err != nil {
			t.Fatal(err)
		}
		notes.files[kind] = file // open until the process ends
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

// Recorded reads the notes of a kind that tests left in a folder.
func Recorded[T any](folder, kind string) ([]T, error) {
	files, err := filepath.Glob(filepath.Join(folder, kind+".*.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []T
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		for lines := json.NewDecoder(file); lines.More(); {
			var one T
			if err := lines.Decode(&one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
