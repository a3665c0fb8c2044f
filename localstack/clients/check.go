package clients

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// MaxDocument is how large the API's document may be, in bytes.
const MaxDocument = 120_000

// Lint runs Spectral and Redocly on the document in both versions. Every finding is an error, also a hint, and so is a
// document larger than MaxDocument.
func (b Bench) Lint(ctx context.Context) (note string, err error) {
	file, err := os.Stat(b.Document)
	if err != nil {
		return "", err
	}
	if file.Size() > MaxDocument {
		err = fmt.Errorf("%s has %d bytes, more than %d", filepath.Base(b.Document), file.Size(), MaxDocument)
	}
	w := workshop{b, b.Scratch}
	return fmt.Sprintf("Spectral and Redocly find nothing in OpenAPI 3.1 (%d kB) and 3.0", file.Size()/1000),
		errors.Join(err, w.all(ctx, [][]string{
			{w.npm("spectral"), "lint", "--ruleset", filepath.Join(b.Drivers, ".spectral.yaml"), "--fail-severity",
				"hint",
				b.Document, b.Document30},
			{w.npm("redocly"), "lint", "--extends", "recommended-strict", "--max-problems", "50", b.Document,
				b.Document30},
		}))
}

// Validate runs a client through Prism, which passes requests on and refuses each request and each answer that
// differs from the document.
func (b Bench) Validate(ctx context.Context, client Client, target Target) (result Result, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return result, err
	}
	_, port, _ := net.SplitHostPort(address)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := workshop{b, b.Scratch}
	prism := exec.CommandContext(ctx, w.npm("prism"), "proxy", b.Document, target.API, "--host", "127.0.0.1", "--port",
		port, "--errors")
	prism.Cancel = func() error { return prism.Process.Signal(os.Interrupt) }
	prism.WaitDelay = 5 * time.Second
	printed, err := prism.StdoutPipe()
	if err != nil {
		return result, err
	}
	prism.Stderr = prism.Stdout
	if err := prism.Start(); err != nil {
		return result, err
	}
	defer func() { _ = prism.Wait() }() // it is stopped, so its exit code says nothing
	defer stop()
	log := bufio.NewScanner(printed)
	var lines []string
	for log.Scan() {
		lines = append(lines, log.Text())
		if strings.Contains(log.Text(), "is listening") {
			break
		}
	}
	if log.Err() != nil || len(lines) == 0 || !strings.Contains(lines[len(lines)-1], "is listening") {
		return result, fmt.Errorf("prism did not start: %w\n%s", log.Err(), strings.Join(lines, "\n"))
	}
	found := make(chan []string, 1)
	go func() {
		var violations []string
		for log.Scan() {
			if strings.Contains(log.Text(), "Violation") || strings.Contains(log.Text(), "violation") {
				violations = append(violations, log.Text())
			}
		}
		found <- violations
	}()
	target.API = "http://" + address
	result, err = b.Try(ctx, client, target)
	stop()
	if violations := <-found; len(violations) > 0 {
		err = errors.Join(err, fmt.Errorf("prism:\n%s", tail(strings.Join(violations, "\n"))))
	}
	return result, err
}

// Table returns the lines of a table of the results.
func Table(results []Result) []string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "client\tlanguage\tOpenAPI\tgenerate\tbuild\tdrive\tsteps\t")
	for _, r := range results {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%.1f s\t%.1f s\t%.1f s\t%d of %d\t\n", r.Client.Name, r.Client.Language,
			r.Client.OpenAPI, r.Generate.Seconds(), r.Build.Seconds(), r.Drive.Seconds(), r.Steps, len(Steps))
	}
	_ = table.Flush()
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}
