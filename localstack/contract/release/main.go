// Command release writes the files of a release into a folder: the OpenAPI document in version 3.0
// and the collection for API tools. `make release-assets` calls it. With -client it writes what
// `go generate ./shared/client` reads: the OpenAPI document for the generator of the Go client.
package main

import (
	"flag"
	"fmt"
	"os"

	"backroom/localstack/contract/published"
)

func main() {
	forClient := flag.Bool("client", false, "write the document for the generator of the Go client")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: release [-client] <folder>")
		os.Exit(2)
	}
	write := published.Release
	if *forClient {
		write = published.ForClient
	}
	names, err := write(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, name := range names {
		fmt.Println(name)
	}
}
