package cloudtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Grant is a permission of a role: an action on a resource, with the resource's name in
// template.yaml.
type Grant struct {
	Function string `json:"function"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// Exchange is a sample event for a function of the API, with the function's answer.
type Exchange struct {
	Function string `json:"function"`
	Event    string `json:"event"` // the file of the event
	Status   int    `json:"status"`
	Body     string `json:"body"`
	Media    string `json:"media"`
}

// The kinds of notes that tests write into the folder BACKROOM_RECORD, one JSON document per line.
// Each process writes its own files. Package recorded collects them after the run.
const (
	Grants    = "grants"    // the permissions that functions used
	Exchanges = "exchanges" // sample events with their answers
)

var notes = struct {
	sync.Mutex
	files   map[string]*os.File
	written map[string]bool
}{files: map[string]*os.File{}, written: map[string]bool{}}

// note writes a note, without duplicates, if BACKROOM_RECORD is set.
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

// Recorded reads the notes of a kind in a folder.
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
