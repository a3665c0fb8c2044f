// Package functions lists every function, for the tests of all functions and for the simulation. No
// binary links it.
package functions

import (
	"net/http"
	"reflect"

	adjuststock "backroom/functions/adjust-stock/wire"
	advanceorder "backroom/functions/advance-order/wire"
	authorizepayment "backroom/functions/authorize-payment/wire"
	cancelorder "backroom/functions/cancel-order/wire"
	capturepayment "backroom/functions/capture-payment/wire"
	commitstock "backroom/functions/commit-stock/wire"
	deleteproduct "backroom/functions/delete-product/wire"
	getdocs "backroom/functions/get-docs/wire"
	gethealth "backroom/functions/get-health/wire"
	getkeys "backroom/functions/get-keys/wire"
	getorder "backroom/functions/get-order/wire"
	getproblems "backroom/functions/get-problems/wire"
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
	"backroom/shared/saga"
)

// Entry is one function.
type Entry struct {
	Settings     reflect.Type // what it reads from its environment
	Called       Caller
	Operation    func(function.Runtime) api.Operation // nil unless the function serves a route of the API
	Undocumented bool                                 // the API's document does not name the operation
	Build        function.Builder                     // as in its main
}

// Caller is what calls a function: the type of its event in the template.
type Caller string

// The callers. A function has one.
const (
	Gateway Caller = "Api"
	Queue   Caller = "SQS"
	Stream  Caller = "DynamoDB"
	Clock   Caller = "Schedule"
)

// All are the functions, by the name of their folder.
var All = map[string]Entry{
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

	"reserve-stock":     step(saga.ReserveStock, reservestock.New),
	"commit-stock":      step(saga.CommitStock, commitstock.New),
	"release-stock":     step(saga.ReleaseStock, releasestock.New),
	"authorize-payment": step(saga.AuthorizePayment, authorizepayment.New),
	"capture-payment":   step(saga.CapturePayment, capturepayment.New),
	"return-payment":    step(saga.ReturnPayment, returnpayment.New),
	"advance-order":     step(saga.AdvanceOrder, advanceorder.New),
	"send-notification": step(saga.SendNotification, sendnotification.New),

	"get-docs":     undocumented(getdocs.New),
	"get-problems": undocumented(getproblems.New),

	"relay-facts":  reader(relayfacts.New),
	"wake-overdue": job(wakeoverdue.New),

	"sandbox-payments":  server(sandboxpayments.New),
	"sandbox-callbacks": worker(sandboxcallbacks.New),
}

func route[S any](build func(function.Runtime, S) api.Operation) Entry {
	e := server(build)
	e.Operation = func(rt function.Runtime) api.Operation {
		var none S
		return build(rt, none)
	}
	return e
}

// undocumented returns the entry of a route that the API's document does not contain, because it
// shows the document.
func undocumented[S any](build func(function.Runtime, S) api.Operation) Entry {
	e := route(build)
	e.Undocumented = true
	return e
}

func server[S any, H http.Handler](build func(function.Runtime, S) H) Entry {
	return Entry{Settings: reflect.TypeFor[S](), Called: Gateway, Build: function.Serving(build)}
}

func step[S any, H function.Step](of saga.Step, build func(function.Runtime, S) H) Entry {
	return Entry{Settings: reflect.TypeFor[S](), Called: Queue, Build: function.Consuming(of, build)}
}

func worker[S any, H function.Worker](build func(function.Runtime, S) H) Entry {
	return Entry{Settings: reflect.TypeFor[S](), Called: Queue, Build: function.Working(build)}
}

func reader[S any, H function.StreamReader](build func(function.Runtime, S) H) Entry {
	return Entry{Settings: reflect.TypeFor[S](), Called: Stream, Build: function.Relaying(build)}
}

func job[S any, H function.Job](build func(function.Runtime, S) H) Entry {
	return Entry{Settings: reflect.TypeFor[S](), Called: Clock, Build: function.Running(build)}
}
