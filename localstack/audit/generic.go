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

// Generic lets cfn-lint and checkov judge the plain CloudFormation that SAM makes of the template. The note counts what was
// asked and waived.
func (a Audit) Generic(ctx context.Context) (note string, err error) {
	plain, _, err := a.said(ctx, 0, nil, a.Python, "localstack/audit/transform.py", "template.yaml")
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
	// W1028: SAM copies a choice into what is made under the same condition, where only one side can be.
	if _, _, err := a.said(ctx, 0, nil, a.CfnLint, "--ignore-checks", "W1028", "--", file); err != nil {
		return "", err
	}
	const failed = 1
	report, _, err := a.said(ctx, failed, nil, a.Checkov, "--file", file, "--framework", "cloudformation", "--compact", "--quiet", "--output", "json", "--skip-download")
	if err != nil {
		return "", err
	}
	read, err := readJudgement(report)
	if err != nil {
		return "", err
	}
	if objections := read.objections(Waivers); len(objections) > 0 {
		return "", fmt.Errorf("checkov:\n%s", strings.Join(objections, "\n"))
	}
	return fmt.Sprintf("cfn-lint, and checkov: %d passed, %d waived for %d reasons", read.Summary.Passed, len(read.Results.Failed), len(Waivers)), nil
}

// A Waiver lets the template break a check of checkov, for a reason.
type Waiver struct {
	Check  string
	Only   []string // the resources that may; empty: all
	Reason string
}

func (w Waiver) covers(f failure) bool {
	_, resource, _ := strings.Cut(f.Resource, ".")
	return w.Check == f.Check && (len(w.Only) == 0 || slices.Contains(w.Only, resource))
}

// A failure is a resource that breaks a check.
type failure struct {
	Check    string `json:"check_id"`
	Name     string `json:"check_name"`
	Resource string `json:"resource"` // its type, a dot, and its name
}

// A judgement is what checkov reports.
type judgement struct {
	Results struct {
		Failed []failure `json:"failed_checks"`
	}
	Summary struct {
		Passed    int `json:"passed"`
		Unread    int `json:"parsing_errors"`
		Resources int `json:"resource_count"`
	}
}

// readJudgement reads checkov's report. One of no resources is an error: it would say that nothing was judged.
func readJudgement(report []byte) (judgement, error) {
	var j judgement
	if err := json.Unmarshal(report, &j); err != nil {
		return judgement{}, fmt.Errorf("checkov: %w\n%s", err, report)
	}
	if j.Summary.Resources == 0 || j.Summary.Unread > 0 {
		return judgement{}, fmt.Errorf("checkov judged %d resources and could not read %d files", j.Summary.Resources, j.Summary.Unread)
	}
	return j, nil
}

// objections returns what is not waived, and waivers that waive nothing any more.
func (j judgement) objections(waivers []Waiver) []string {
	var all []string
	used := map[int]bool{}
	for _, f := range j.Results.Failed {
		at := slices.IndexFunc(waivers, func(w Waiver) bool { return w.covers(f) })
		if at < 0 {
			all = append(all, fmt.Sprintf("%s: %s: %s", f.Check, f.Resource, f.Name))
			continue
		}
		used[at] = true
	}
	for i, w := range waivers {
		if !used[i] {
			all = append(all, fmt.Sprintf("%s: waived for %q, and nothing breaks it: remove the waiver", w.Check, w.Reason))
		}
		for _, resource := range w.Only {
			if !slices.ContainsFunc(j.Results.Failed, func(f failure) bool { return Waiver{w.Check, []string{resource}, ""}.covers(f) }) {
				all = append(all, fmt.Sprintf("%s: waived for %s, which does not break it: remove it from the waiver", w.Check, resource))
			}
		}
	}
	slices.SortFunc(all, cmp.Compare[string])
	return slices.Compact(all)
}
