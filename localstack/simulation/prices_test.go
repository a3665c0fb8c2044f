package simulation_test

// Prices are AWS's in us-east-1, in dollars, without any free tier, as of November 2026: dynamodb/pricing/on-demand,
// sqs/pricing, lambda/pricing (arm64), api-gateway/pricing (REST), cloudwatch/pricing (logs).
const (
	perWrite      = 0.625 / 1e6
	perRead       = 0.125 / 1e6
	perSQS        = 0.40 / 1e6
	perInvocation = 0.20 / 1e6
	perGBSecond   = 13.3334 / 1e6
	perAPICall    = 3.50 / 1e6
	perLogByte    = 0.50 / 1e9
)

// A simulation does not show the time that Lambda bills. It is assumed to be 5 ms for a call of AWS, 300 ms for a
// call of the payment provider and 2 ms for an invocation, at the template's memory size.
const (
	msPerCall         = 5
	msPerProviderCall = 300
	msPerInvocation   = 2
)

// bill is what something costs.
type bill struct {
	writes, reads, requests, invocations, calls, providerCalls, apiCalls, logBytes, gbSeconds float64
}

func (b *bill) add(o bill) {
	b.writes += o.writes
	b.reads += o.reads
	b.requests += o.requests
	b.invocations += o.invocations
	b.calls += o.calls
	b.providerCalls += o.providerCalls
	b.apiCalls += o.apiCalls
	b.logBytes += o.logBytes
	b.gbSeconds += o.gbSeconds
}

func (b bill) dollars() float64 {
	return b.writes*perWrite + b.reads*perRead + b.requests*perSQS + b.invocations*perInvocation +
		b.gbSeconds*perGBSecond +
		b.apiCalls*perAPICall + b.logBytes*perLogByte
}

// mailbox is the table that stores mails instead of sending them. With SES there are no such writes.
const mailbox = "Mailbox"

// billOf returns what a function cost per order.
func billOf(s *store, function string, memory int, orders float64) bill {
	l := s.Ledger
	b := bill{invocations: float64(l.Invocations[function]), logBytes: float64(l.LogBytes[function])}
	for _, e := range l.Entries() {
		sum := l.Sum(e)
		switch {
		case e.Function != function || e.Resource == mailbox:
			continue
		case e.Resource == "sandboxapi":
			b.providerCalls += float64(sum.Calls)
			continue
		// calls of the mapping take no time of the function
		case e.Operation == "ReceiveMessage" || e.Operation == "DeleteMessageBatch":
		default:
			b.calls += float64(sum.Calls)
		}
		b.writes += sum.Writes
		b.reads += sum.Reads
		b.requests += sum.Requests
	}
	ms := b.calls*msPerCall + b.providerCalls*msPerProviderCall + b.invocations*msPerInvocation
	b.gbSeconds = ms / 1000 * float64(memory) / 1024
	for _, part := range []*float64{
		&b.writes, &b.reads, &b.requests, &b.invocations, &b.calls, &b.providerCalls, &b.logBytes, &b.gbSeconds,
	} {
		*part /= orders
	}
	return b
}

// The functions that an order needs, and those of the provider's callbacks, which report what is known already.
var (
	ofOrder = []string{"place-order", "relay-facts", "reserve-stock", "authorize-payment", "advance-order",
		"commit-stock", "capture-payment", "send-notification"}
	ofCallbacks = []string{"receive-payment-event"}
)
