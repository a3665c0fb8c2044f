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
	cancelorder "backroom/functions/cancel-order/wire"
	capturepayment "backroom/functions/capture-payment/wire"
	commitstock "backroom/functions/commit-stock/wire"
	deleteproduct "backroom/functions/delete-product/wire"
	gethealth "backroom/functions/get-health/wire"
	getkeys "backroom/functions/get-keys/wire"
	getorder "backroom/functions/get-order/wire"
	getproduct "backroom/functions/get-product/wire"
	getstock "backroom/functions/get-stock/wire"
	issuetoken "backroom/functions/issue-token/wire"
	listorders "backroom/functions/list-orders/wire"
	listproducts "backroom/functions/list-products/wire"
	placeorder "backroom/functions/place-order/wire"
	putproduct "backroom/functions/put-product/wire"
	receivepaymentevent "backroom/functions/receive-payment-event/wire"
	refundorder "backroom/functions/refund-order/wire"
	relayfacts "backroom/functions/relay-facts/wire"
	releasestock "backroom/functions/release-stock/wire"
	reservestock "backroom/functions/reserve-stock/wire"
	resolveorder "backroom/functions/resolve-order/wire"
	returnpayment "backroom/functions/return-payment/wire"
	sandboxcallbacks "backroom/functions/sandbox-callbacks/wire"
	sandboxpayments "backroom/functions/sandbox-payments/wire"
	sendnotification "backroom/functions/send-notification/wire"
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
	"issue-token":    route(issuetoken.New),
	"get-health":     route(gethealth.New),
	"put-product":    route(putproduct.New),
	"get-product":    route(getproduct.New),
	"list-products":  route(listproducts.New),
	"delete-product": route(deleteproduct.New),
	"get-keys":       route(getkeys.New),
	"get-stock":      route(getstock.New),
	"adjust-stock":   route(adjuststock.New),
	"place-order":    route(placeorder.New),
	"get-order":      route(getorder.New),
	"list-orders":    route(listorders.New),
	"cancel-order":   route(cancelorder.New),
	"refund-order":   route(refundorder.New),
	"resolve-order":  route(resolveorder.New),

	"receive-payment-event": route(receivepaymentevent.New),

	"reserve-stock":     other(reservestock.New),
	"commit-stock":      other(commitstock.New),
	"release-stock":     other(releasestock.New),
	"authorize-payment": other(authorizepayment.New),
	"capture-payment":   other(capturepayment.New),
	"return-payment":    other(returnpayment.New),
	"advance-order":     other(advanceorder.New),
	"send-notification": other(sendnotification.New),
	"relay-facts":       other(relayfacts.New),
	"wake-overdue":      other(wakeoverdue.New),
	"sandbox-payments":  other(sandboxpayments.New),
	"sandbox-callbacks": other(sandboxcallbacks.New),
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
