package functions_test

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"testing"

	adjuststock "backroom/functions/adjust-stock/wire"
	advanceorder "backroom/functions/advance-order/wire"
	authorizepayment "backroom/functions/authorize-payment/wire"
	gethealth "backroom/functions/get-health/wire"
	getorder "backroom/functions/get-order/wire"
	getproduct "backroom/functions/get-product/wire"
	issuetoken "backroom/functions/issue-token/wire"
	placeorder "backroom/functions/place-order/wire"
	putproduct "backroom/functions/put-product/wire"
	relayfacts "backroom/functions/relay-facts/wire"
	reservestock "backroom/functions/reserve-stock/wire"
	sandboxpayments "backroom/functions/sandbox-payments/wire"
	wakeoverdue "backroom/functions/wake-overdue/wire"
	"backroom/shared/api"
	"backroom/shared/function"
)

// entry is one function as the tests here know it.
type entry struct {
	settings  reflect.Type
	operation func(function.Runtime) api.Operation // nil for what is no part of the API
}

// registry names every function. No binary links it.
var registry = map[string]entry{
	"issue-token":  route(issuetoken.New),
	"get-health":   route(gethealth.New),
	"put-product":  route(putproduct.New),
	"get-product":  route(getproduct.New),
	"adjust-stock": route(adjuststock.New),
	"place-order":  route(placeorder.New),
	"get-order":    route(getorder.New),

	"reserve-stock":     other(reservestock.New),
	"authorize-payment": other(authorizepayment.New),
	"advance-order":     other(advanceorder.New),
	"relay-facts":       other(relayfacts.New),
	"wake-overdue":      other(wakeoverdue.New),
	"sandbox-payments":  other(sandboxpayments.New),
}

func route[S any](build func(function.Runtime, S) api.Operation) entry {
	return entry{reflect.TypeFor[S](), func(rt function.Runtime) api.Operation {
		var none S
		return build(rt, none)
	}}
}

func other[S, H any](func(function.Runtime, S) H) entry { return entry{settings: reflect.TypeFor[S]()} }

var update = flag.Bool("update", false, "write docs/openapi.yaml instead of comparing it")

const document = "../docs/openapi.yaml"

func TestOpenAPIDocumentIsWhatTheFunctionsServe(t *testing.T) {
	var operations []api.Operation
	for _, name := range folders(t) {
		if operation := registry[name].operation; operation != nil {
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
