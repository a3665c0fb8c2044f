// Package deploy builds and packs the functions, and runs the SAM CLI, which deploys the template with them.
package deploy

import (
	"errors"
	"path/filepath"
	"strings"
	"unicode"

	"backroom/shared/ops/remedy"
)

// Functions returns the names of all functions in alphabetical order: the folders in functions/ with a
// main.go. It returns an error if there are none.
func Functions(repo string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(repo, "functions", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	if len(mains) == 0 {
		return nil, remedy.For(errors.New("no functions/*/main.go found"), "cd to the folder with the Makefile")
	}
	names := make([]string, len(mains))
	for i, main := range mains {
		names[i] = filepath.Base(filepath.Dir(main))
	}
	return names, nil
}

// LogicalID returns the logical id of a function in the template: PlaceOrder for place-order.
func LogicalID(function string) string {
	var id strings.Builder
	for word := range strings.SplitSeq(function, "-") {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

// Function returns the folder of the function with that logical id: place-order for PlaceOrder.
func Function(logicalID string) string {
	var name strings.Builder
	for i, r := range logicalID {
		if unicode.IsUpper(r) && i > 0 {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}
