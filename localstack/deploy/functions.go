// Package deploy builds and packs the functions, and runs the SAM CLI, which deploys the template with them.
package deploy

import (
	"errors"
	"path/filepath"

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
