// Command release writes the files of a release into a folder: the OpenAPI document in version 3.0
// and the collection for API tools. `make release-assets` and `go generate ./shared/client` call
// it.
package main

import (
	"fmt"
	"os"

	"backroom/localstack/contract/published"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: release <folder>")
		os.Exit(2)
	}
	names, err := published.Release(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, name := range names {
		fmt.Println(name)
	}
}
