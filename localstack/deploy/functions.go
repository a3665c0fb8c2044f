// Package deploy builds the functions, packs them, and has the real SAM CLI deploy the template with them.
package deploy

import (
	"errors"
	"path/filepath"
	"strings"
	"unicode"

	"backroom/shared/ops/remedy"
)

// Functions returns the names of all functions: the folders in functions/ with a main.go, in alphabetical order.
func Functions(repo string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(repo, "functions", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	if len(mains) == 0 {
		return nil, remedy.For(errors.New("there is no functions/*/main.go"), "cd to the folder with the Makefile")
	}
	names := make([]string, len(mains))
	for i, main := range mains {
		names[i] = filepath.Base(filepath.Dir(main))
	}
	return names, nil
}

// LogicalID returns the name of a function's resource in the template: place-order is PlaceOrder.
func LogicalID(function string) string {
	var id strings.Builder
	for word := range strings.SplitSeq(function, "-") {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

// Function returns the folder of the function with that logical id: PlaceOrder is place-order.
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
