// Command event writes a sample event into events/: what the gateway or a queue hands to a function. `make event`
// calls it.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backroom/functions"
	"backroom/localstack/template"
	"backroom/shared/saga"
)

const usage = `make event ROUTE=place-order BODY='{"lines":[…]}' [CASE=not-sold] [AT=/orders?limit=2]
      make event STEP=commit-stock [FACT=OrderConfirmed] [CASE=no-hold]`

// A wish says which event is to be written.
type wish struct {
	route string // a function that answers HTTP
	body  string // of the request; empty for none
	at    string // its path and query; empty for the route's path with the values that other samples have
	step  string // a step of the saga
	fact  string // empty for the only one that the step hears
	of    string // the case that the event shows; empty for what the function is for
}

func main() {
	var w wish
	flag.StringVar(&w.route, "route", "", "")
	flag.StringVar(&w.body, "body", "", "")
	flag.StringVar(&w.at, "at", "", "")
	flag.StringVar(&w.step, "step", "", "")
	flag.StringVar(&w.fact, "fact", "", "")
	flag.StringVar(&w.of, "case", "", "")
	flag.Parse()
	root, err := template.Root()
	if err == nil {
		var file string
		if file, err = w.write(root); err == nil {
			fmt.Println(file)
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s\nnext: %s\n", err, usage)
	os.Exit(1)
}

// write writes the event below the root of the repository, and returns the file's name from there. It returns an
// error if the file is there already.
func (w wish) write(root string) (file string, err error) {
	var event any
	function := w.route
	switch {
	case (w.route == "") == (w.step == ""):
		return "", errors.New("for which function: a ROUTE or a STEP?")
	case w.route != "":
		event, err = w.request(root)
	default:
		function = w.step
		event, err = w.message(root)
	}
	if err != nil {
		return "", err
	}
	file = filepath.Join("events", w.name(function))
	out, err := os.OpenFile(filepath.Join(root, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there already: name a CASE, or remove the file first", file)
	}
	if err != nil {
		return "", err
	}
	text, err := indented(event)
	if err == nil {
		_, err = out.Write(text)
	}
	return file, errors.Join(err, out.Close())
}

// name returns the name of the file for an event of the function.
func (w wish) name(function string) string {
	if w.of != "" {
		function += "." + w.of
	}
	return function + ".json"
}

// id returns an id that begins like those of the other samples, and that only the file of this event has.
func (w wish) id(prefix, function string) string {
	sum := sha256.Sum256([]byte(w.name(function)))
	return prefix + hex.EncodeToString(sum[:6])
}

func indented(event any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(event)
	return text.Bytes(), err
}

// routes returns the names of the functions that answer HTTP for the API.
func routes() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(functions.All)) {
		if functions.All[name].Operation != nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// heard returns the facts that a step hears.
func heard(step saga.Step) (facts []saga.Fact) {
	for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
		if slices.Contains(saga.Routes[fact].To, step) {
			facts = append(facts, fact)
		}
	}
	return facts
}
