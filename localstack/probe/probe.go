// Package probe has Schemathesis ask a deployed Backroom what the API's document allows, and what it forbids: as two customers, who
// must not see each other's orders, and as the shop's staff.
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

// Customers are the identities that must not see each other's orders. Staff is the client that a deployment begins with.
var Customers = []string{"ada", "bob"}

// Staff names the identity that does what customers may not.
const Staff = "staff"

//go:embed schemathesis.toml
var settings string

//go:embed hooks.py
var hooks []byte

// Shop is what is asked about: a deployed API, with products and orders in it.
type Shop struct {
	API           string   `json:"api"`
	ClientID      string   `json:"client_id"`
	ClientSecret  string   `json:"client_secret"`
	WebhookSecret string   `json:"webhook_secret"` // with which the payment provider signs
	Sold          []string `json:"sold"`           // SKUs that stay as they are
	Orders        map[string]Orders
}

// Orders are a customer's, by what can become of them.
type Orders struct {
	Open  []string // no outcome yet: they can be canceled
	Taken []string // closed and paid: they can be refunded
	Stuck []string // they need attention: they can be resolved
}

// A Probe is one way to ask.
type Probe struct {
	Program  string // Schemathesis
	Document string // the path of the API's document
	Folder   string // where settings and reports go
	Examples int    // for each operation
	Seed     string // of what is asked; empty: another each time
	Out      io.Writer
}

// Ask asks as first, and where it is refused as the others, and returns how it went. It returns an error that shows what
// Schemathesis found wrong if that is anything at all, be it a warning.
func (p Probe) Ask(ctx context.Context, shop Shop, first string) (Report, error) {
	folder := filepath.Join(p.Folder, first)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Report{}, err
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := shop.write(in, first); err != nil {
		return Report{}, err
	}
	args := []string{"--config-file", in("schemathesis.toml"), "--no-color", "run", p.Document, "--max-examples", strconv.Itoa(p.Examples),
		"--generation-database", "none", "--report-ndjson-path", in("report.ndjson")}
	if p.Seed != "" {
		args = append(args, "--seed", p.Seed)
	}
	run := exec.CommandContext(ctx, p.Program, args...)
	run.Dir = folder
	run.Env = append(os.Environ(), "BACKROOM_PROBE="+in("shop.json"), "PYTHONPATH="+folder, "PYTHONDONTWRITEBYTECODE=1")
	said, failed := run.CombinedOutput()
	report, err := read(in("report.ndjson"), in("exceptions"))
	if err != nil || failed != nil {
		return report, errors.Join(fmt.Errorf("what Schemathesis says as %s:\n%s", first, tail(string(said))), failed, err)
	}
	return report, nil
}

// tail returns what Schemathesis says after its progress.
func tail(said string) string {
	for _, section := range []string{"= ERRORS =", "= FAILURES =", "= WARNINGS ="} {
		if at := strings.Index(said, section); at >= 0 {
			return said[at:]
		}
	}
	return said
}

// write writes what Schemathesis and its hooks read.
func (s Shop) write(in func(string) string, first string) error {
	own := "probe-" + first + "-"
	known, err := json.Marshal(struct {
		Shop
		Own        string `json:"own"` // begins the SKUs that nobody else creates, changes or deletes
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
		"API": s.API, "Sold": s.Sold, "Changed": []string{own + "1", own + "2", own + "3"}, "Open": s.Orders[first].Open, "Taken": s.Orders[first].Taken, "Stuck": s.Orders[first].Stuck,
		"Identities": in("identities.json"),
	})
	return errors.Join(err,
		os.WriteFile(in("shop.json"), known, 0o600), os.WriteFile(in("identities.json"), identities, 0o600),
		os.WriteFile(in("schemathesis.toml"), []byte(config.String()), 0o600), os.WriteFile(in("hooks.py"), hooks, 0o600),
		os.WriteFile(in("exceptions"), nil, 0o600))
}

func quoted(list []string) (string, error) {
	text, err := json.Marshal(list)
	return string(text), err
}

// identities returns how each identity gets its tokens, in the form of Web Fuzzing Commons, first before the others.
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
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(s.ClientID)+":"+url.QueryEscape(s.ClientSecret)))
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

// Identities lists who asks, first before the others and the staff last.
func Identities(first string) []string {
	others := slices.DeleteFunc(slices.Clone(Customers), func(name string) bool { return name == first })
	return append(append([]string{first}, others...), Staff)
}
