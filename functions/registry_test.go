package functions_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"backroom/shared/api"
	"backroom/shared/cloudsim/registry"
	"backroom/shared/function"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml instead of comparing it")

const document = "../docs/openapi.yaml"

func TestOpenAPIDocumentIsWhatTheFunctionsServe(t *testing.T) {
	var operations []api.Operation
	for _, name := range folders(t) {
		if operation := registry.Functions[name].Operation; operation != nil {
			operations = append(operations, operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"})))
		}
	}
	served, err := api.Document("Backroom", "1", operations...)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(document, served, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(document)
	if err != nil || !bytes.Equal(kept, served) {
		t.Errorf("docs/openapi.yaml is not what the functions serve (%v). If the change is meant: go test ./functions -run OpenAPI -update", err)
	}
}
