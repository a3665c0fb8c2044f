package probe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Report counts what was sent, and how often it succeeded.
type Report struct {
	Cases      int
	Checks     int
	Granted    map[string]map[string]int // answers of 2xx by operation, as in "GET /orders/{id}", and identity
	Exceptions map[string]int            // known failures of the local gateway, by method
}

// read reads a report of Schemathesis, and the exceptions that its hooks wrote.
func read(report, exceptions string) (Report, error) {
	r := Report{Granted: map[string]map[string]int{}, Exceptions: map[string]int{}}
	file, err := os.Open(report)
	if err != nil {
		return r, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		if err := r.add(lines.Bytes()); err != nil {
			return r, fmt.Errorf("%s: %w", report, err)
		}
	}
	if err := lines.Err(); err != nil {
		return r, err
	}
	noted, err := os.ReadFile(exceptions)
	for method := range strings.FieldsSeq(string(noted)) {
		r.Exceptions[method]++
	}
	return r, err
}

// add counts one line of the report.
func (r *Report) add(line []byte) error {
	var event struct {
		ScenarioFinished *struct {
			Recorder struct {
				Cases map[string]struct {
					Value struct {
						Method   string `json:"method"`
						Path     string `json:"path"`
						Identity string `json:"auth_identity"`
					} `json:"value"`
				} `json:"cases"`
				Interactions map[string]struct {
					Response *struct {
						Status int `json:"status_code"`
					} `json:"response"`
				} `json:"interactions"`
				Checks map[string][]json.RawMessage `json:"checks"`
			} `json:"recorder"`
		}
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return err
	}
	if event.ScenarioFinished == nil {
		return nil
	}
	done := event.ScenarioFinished.Recorder
	for id, answered := range done.Interactions {
		r.Cases++
		r.Checks += len(done.Checks[id])
		asked := done.Cases[id].Value
		operation := asked.Method + " " + asked.Path
		if r.Granted[operation] == nil {
			r.Granted[operation] = map[string]int{}
		}
		if answered.Response != nil && answered.Response.Status >= 200 && answered.Response.Status < 300 {
			r.Granted[operation][asked.Identity]++
		}
	}
	return nil
}

// Add adds the counts of another report.
func (r *Report) Add(other Report) {
	r.Cases += other.Cases
	r.Checks += other.Checks
	for operation, by := range other.Granted {
		if r.Granted[operation] == nil {
			r.Granted[operation] = map[string]int{}
		}
		for identity, n := range by {
			r.Granted[operation][identity] += n
		}
	}
	for method, n := range other.Exceptions {
		r.Exceptions[method] += n
	}
}

// Table returns a line for each operation, with how often it succeeded as each identity. missing names the
// operations that never succeeded as an identity that may call them, and those that succeeded as a customer
// that may not.
func (r Report) Table(operations map[string][]string) (lines []string, missing []string) {
	columns := append(slices.Clone(Customers), Staff)
	lines = append(lines, fmt.Sprintf("%-34s %6s %6s %6s", "answers of 2xx", columns[0], columns[1], columns[2]))
	for _, operation := range slices.Sorted(maps.Keys(operations)) {
		line := fmt.Sprintf("%-34s", operation)
		for _, identity := range columns {
			n := r.Granted[operation][identity]
			line += fmt.Sprintf(" %6d", n)
			switch must := slices.Contains(operations[operation], identity); {
			case must && n == 0:
				missing = append(missing, fmt.Sprintf("%s never succeeded as %s", operation, identity))
			case !must && n > 0 && identity != Staff:
				missing = append(missing, fmt.Sprintf("%s succeeded as %s, which is not allowed", operation, identity))
			}
		}
		lines = append(lines, line)
	}
	return lines, missing
}
