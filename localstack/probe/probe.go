// Package probe runs Schemathesis against a deployed Backroom. Schemathesis sends requests that the API's
// document allows, and requests that it forbids, as two customers and as the shop's staff. A customer must not
// see the other customer's orders.
package probe

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// Customers are the identities that must not see each other's orders.
var Customers = []string{"ada", "bob"}

// Staff is the identity that may call what customers may not. It is the client that the stack is deployed with.
const Staff = "staff"

//go:embed schemathesis.toml
var settings string

//go:embed hooks.py
var hooks []byte

// Shop is the target of a probe: a deployed API, with products and orders.
type Shop struct {
	API           string   `json:"api"`
	ClientID      string   `json:"client_id"`
	ClientSecret  string   `json:"client_secret"`
	WebhookSecret string   `json:"webhook_secret"` // the payment provider signs callbacks with it
	Sold          []string `json:"sold"`           // SKUs that no probe changes
	Orders        map[string]Orders
}

// Orders are the ids of a customer's orders, by what can be done with them.
type Orders struct {
	Open  []string // without an outcome; they can be canceled
	Taken []string // paid; they can be refunded
	Stuck []string // they need attention; they can be resolved
}

// A Probe is the settings of a run of Schemathesis.
type Probe struct {
	Program  string // the path of Schemathesis
	Document string // the path of the API's document
	Folder   string // the folder of settings and reports
	Examples int    // for each operation
	Seed     string // of the requests; empty: a new one for each run
	Out      io.Writer
}

// Ask sends requests as first; an operation that first may not call is tried as the other identities. The error
// contains every failure and warning of Schemathesis.
func (p Probe) Ask(ctx context.Context, shop Shop, first string) (Report, error) {
	folder := filepath.Join(p.Folder, first)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Report{}, err
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := shop.write(in, first); err != nil {
		return Report{}, err
	}
	args := []string{"--config-file", in("schemathesis.toml"), "--no-color", "run", p.Document, "--max-examples",
		strconv.Itoa(p.Examples),
		"--generation-database", "none", "--report-ndjson-path", in("report.ndjson")}
	if p.Seed != "" {
		args = append(args, "--seed", p.Seed)
	}
	run := exec.CommandContext(ctx, p.Program, args...)
	run.Dir = folder
	run.Env = append(os.Environ(), "BACKROOM_PROBE="+in("shop.json"), "PYTHONPATH="+folder, "PYTHONDONTWRITEBYTECODE=1")
	printed, failed := run.CombinedOutput()
	report, err := read(in("report.ndjson"), in("exceptions"))
	if err != nil || failed != nil {
		return report, errors.Join(fmt.Errorf("probe as %s:\n%s", first, tail(string(printed))), failed, err)
	}
	return report, nil
}

// tail returns the output of Schemathesis from its first section of errors, or all of it.
func tail(printed string) string {
	for _, section := range []string{"= ERRORS =", "= FAILURES =", "= WARNINGS ="} {
		if at := strings.Index(printed, section); at >= 0 {
			return printed[at:]
		}
	}
	return printed
}

// write writes the files that Schemathesis and its hooks read.
func (s Shop) write(in func(string) string, first string) error {
	own := "probe-" + first + "-"
	known, err := json.Marshal(struct {
		Shop
		Own        string `json:"own"` // the prefix of the SKUs that only this probe creates, changes and deletes
		Exceptions string `json:"exceptions"`
	}{s, own, in("exceptions")})
	if err != nil {
		return err
	}
	identities, err := s.identities(first)
	if err != nil {
		return err
	}
	filled, err := template.New("schemathesis.toml").Funcs(template.FuncMap{"json": quoted}).Parse(settings)
	if err != nil {
		return err
	}
	var config strings.Builder
	err = filled.Execute(&config, map[string]any{
		"API": s.API, "Sold": s.Sold, "Changed": []string{own + "1", own + "2", own + "3"},
		"Open": s.Orders[first].Open, "Taken": s.Orders[first].Taken, "Stuck": s.Orders[first].Stuck,
		"Identities": in("identities.json"),
	})
	return errors.Join(err,
		os.WriteFile(in("shop.json"), known, 0o600), os.WriteFile(in("identities.json"), identities, 0o600),
		os.WriteFile(in("schemathesis.toml"), []byte(config.String()), 0o600),
		os.WriteFile(in("hooks.py"), hooks, 0o600),
		os.WriteFile(in("exceptions"), nil, 0o600))
}

func quoted(list []string) (string, error) {
	text, err := json.Marshal(list)
	return string(text), err
}

// identities returns how each identity gets its tokens, in the format of Web Fuzzing Commons. first comes before
// the others.
func (s Shop) identities(first string) ([]byte, error) {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type token struct {
		ExtractFrom     string `json:"extractFrom"`
		ExtractSelector string `json:"extractSelector"`
		SendIn          string `json:"sendIn"`
		SendName        string `json:"sendName"`
		SendTemplate    string `json:"sendTemplate"`
	}
	type login struct {
		URL         string `json:"externalEndpointURL"`
		Verb        string `json:"verb"`
		ContentType string `json:"contentType"`
		Headers     []pair `json:"headers"`
		Payload     string `json:"payloadRaw"`
		Token       token  `json:"token"`
	}
	type identity struct {
		Name  string `json:"name"`
		Login login  `json:"loginEndpointAuth"`
	}
	basic := "Basic " +
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(s.ClientID)+":"+url.QueryEscape(s.ClientSecret)))
	var all []identity
	for _, name := range Identities(first) {
		form := url.Values{"grant_type": {"client_credentials"}}
		if name != Staff {
			form.Set("customer", name)
		}
		all = append(all, identity{name, login{
			URL: s.API + "/oauth/token", Verb: "POST", ContentType: "application/x-www-form-urlencoded",
			Headers: []pair{{"Authorization", basic}}, Payload: form.Encode(),
			Token: token{"body", "/access_token", "header", "Authorization", "Bearer {token}"},
		}})
	}
	return json.Marshal(map[string]any{"auth": all})
}

// Identities returns all identities: first, then the other customers, then the staff.
func Identities(first string) []string {
	others := slices.DeleteFunc(slices.Clone(Customers), func(name string) bool { return name == first })
	return append(append([]string{first}, others...), Staff)
}
