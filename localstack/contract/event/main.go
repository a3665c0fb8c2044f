// Command event writes a sample event into events/. It is the input that a function gets from the
// gateway or a queue. `make event` calls it.
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
      make event STEP=commit-stock [FACT=OrderConfirmed] [CASE=no-reservation]
      make event STEP=commit-stock BODY='{"no":"event"}' CASE=unreadable`

// options say which event to write.
type options struct {
	route string // a function that answers HTTP
	body  string // of the request, empty for none; of the message, empty for that of the fact
	at    string // its path and query; empty for the route's path with the values of other samples
	step  string // a step of the saga
	fact  string // empty for the only fact that the step consumes
	of    string // the case that the event shows; empty for the main case
}

func main() {
	var o options
	flag.StringVar(&o.route, "route", "", "")
	flag.StringVar(&o.body, "body", "", "")
	flag.StringVar(&o.at, "at", "", "")
	flag.StringVar(&o.step, "step", "", "")
	flag.StringVar(&o.fact, "fact", "", "")
	flag.StringVar(&o.of, "case", "", "")
	flag.Parse()
	root, err := template.Root()
	if err == nil {
		var file string
		if file, err = o.write(root); err == nil {
			fmt.Println(file)
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s\nnext: %s\n", err, usage)
	os.Exit(1)
}

// write writes the event below the root of the repository, and returns the path of the file. It
// returns an error if the file exists.
func (o options) write(root string) (file string, err error) {
	var event any
	function := o.route
	switch {
	case (o.route == "") == (o.step == ""):
		return "", errors.New("set either ROUTE or STEP")
	case o.route != "":
		event, err = o.request(root)
	default:
		function = o.step
		event, err = o.message(root)
	}
	if err != nil {
		return "", err
	}
	file = filepath.Join("events", o.name(function))
	out, err := os.OpenFile(filepath.Join(root, file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s already exists: set CASE, or remove the file first", file)
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
func (o options) name(function string) string {
	if o.of != "" {
		function += "." + o.of
	}
	return function + ".json"
}

// id returns an id for the event. It has the prefix, and is unique to the event's file.
func (o options) id(prefix, function string) string {
	sum := sha256.Sum256([]byte(o.name(function)))
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

// routes returns the names of the API's HTTP functions.
func routes() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(functions.All)) {
		if functions.All[name].Operation != nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// consumed returns the facts that a step consumes.
func consumed(step saga.Step) (facts []saga.Fact) {
	for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
		if slices.Contains(saga.Routes[fact].To, step) {
			facts = append(facts, fact)
		}
	}
	return facts
}
