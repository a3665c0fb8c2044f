package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Generic runs cfn-lint and checkov on the plain CloudFormation that SAM makes of the template. The note
// counts the checks that passed and those that are waived.
func (a Audit) Generic(ctx context.Context) (note string, err error) {
	plain, _, err := a.run(ctx, 0, nil, a.Python, "localstack/audit/transform.py", "template.yaml")
	if err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp("", "backroom-plain-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	file := filepath.Join(scratch, "template.json")
	if err := os.WriteFile(file, plain, 0o644); err != nil {
		return "", err
	}
	// W1028: SAM copies an Fn::If into resources of the same condition, where only one branch is reachable.
	if _, _, err := a.run(ctx, 0, nil, a.CfnLint, "--ignore-checks", "W1028", "--", file); err != nil {
		return "", err
	}
	const failed = 1
	report, _,
		err := a.run(ctx, failed, nil, a.Checkov, "--file", file, "--framework", "cloudformation", "--compact",
		"--quiet", "--output", "json", "--skip-download")
	if err != nil {
		return "", err
	}
	read, err := parseReport(report)
	if err != nil {
		return "", err
	}
	if objections := read.objections(Waivers); len(objections) > 0 {
		return "", fmt.Errorf("checkov:\n%s", strings.Join(objections, "\n"))
	}
	return fmt.Sprintf("cfn-lint passed; checkov: %d checks passed, %d are waived for %d reasons",
		read.Summary.Passed, len(read.Results.Failed), len(Waivers)), nil
}

// A Waiver lets the template fail a check of checkov, for a reason.
type Waiver struct {
	Check  string
	Only   []string // the resources that may fail it; empty: all
	Reason string
}

func (w Waiver) covers(f failure) bool {
	_, resource, _ := strings.Cut(f.Resource, ".")
	return w.Check == f.Check && (len(w.Only) == 0 || slices.Contains(w.Only, resource))
}

// A failure is a resource that fails a check.
type failure struct {
	Check    string `json:"check_id"`
	Name     string `json:"check_name"`
	Resource string `json:"resource"` // its type, a dot, and its name
}

// A report is what checkov reports.
type report struct {
	Results struct {
		Failed []failure `json:"failed_checks"`
	}
	Summary struct {
		Passed    int `json:"passed"`
		Unread    int `json:"parsing_errors"`
		Resources int `json:"resource_count"`
	}
}

// parseReport parses checkov's report. A report without resources is an error: nothing was checked.
func parseReport(text []byte) (report, error) {
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return report{}, fmt.Errorf("checkov: %w\n%s", err, text)
	}
	if r.Summary.Resources == 0 || r.Summary.Unread > 0 {
		return report{}, fmt.Errorf("checkov checked %d resources and could not read %d files",
			r.Summary.Resources, r.Summary.Unread)
	}
	return r, nil
}

// objections returns the failures that are not waived, and the waivers that are no longer needed.
func (r report) objections(waivers []Waiver) []string {
	var all []string
	used := map[int]bool{}
	for _, f := range r.Results.Failed {
		at := slices.IndexFunc(waivers, func(w Waiver) bool { return w.covers(f) })
		if at < 0 {
			all = append(all, fmt.Sprintf("%s: %s: %s", f.Check, f.Resource, f.Name))
			continue
		}
		used[at] = true
	}
	for i, w := range waivers {
		if !used[i] {
			all = append(all, fmt.Sprintf("%s: remove the waiver %q; no resource fails the check", w.Check, w.Reason))
		}
		for _, resource := range w.Only {
			one := Waiver{w.Check, []string{resource}, ""}
			if !slices.ContainsFunc(r.Results.Failed, one.covers) {
				all = append(all,
					fmt.Sprintf("%s: remove %s from the waiver; it does not fail the check", w.Check, resource))
			}
		}
	}
	slices.SortFunc(all, cmp.Compare[string])
	return slices.Compact(all)
}
