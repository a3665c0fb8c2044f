package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/queue"
	"backroom/shared/saga"
)

// Step handles one event of the saga. A returned fault decides what becomes of the message: see package fault.
type Step interface {
	Handle(ctx context.Context, e saga.Event) error
}

// Consume starts the function that works off the queue of step.
func Consume[S any, H Step](step saga.Step, build func(Runtime, S) H) { start(Consuming(step, build)) }

// Consuming builds what Consume starts.
func Consuming[S any, H Step](step saga.Step, build func(Runtime, S) H) Builder {
	return Working(func(rt Runtime, s S) stepWorker { return stepWorker{step, build(rt, s)} })
}

// hearing is a step as a worker: it reads events in the messages.
type stepWorker struct {
	step    saga.Step
	handler Step
}

// Handle has the step handle the event that the message carries.
func (h stepWorker) Handle(ctx context.Context, body string) error {
	e, err := saga.Decode(h.step, body)
	if err != nil {
		return err
	}
	observe.Note(ctx, slog.String("fact", string(e.Type)), slog.String("order", e.Subject), slog.String("event", e.ID))
	return h.handler.Handle(ctx, e)
}

// watched reports whether an order asks again for what the message asks.
func (h stepWorker) retriedByOrder(body string) bool {
	e, err := saga.Decode(h.step, body)
	return err == nil && e.Type.Retried(h.step)
}

// Worker handles one message of a queue that is no step of the saga. A returned fault decides what becomes of the message, as
// it does for a Step.
type Worker interface {
	Handle(ctx context.Context, body string) error
}

// Work starts the function that works off such a queue.
func Work[S any, H Worker](build func(Runtime, S) H) { start(Working(build)) }

// Working builds what Work starts.
func Working[S any, H Worker](build func(Runtime, S) H) Builder {
	return func(rt Runtime, environ map[string]string) (lambda.Handler, error) {
		s, err := settings[S](environ)
		if err != nil {
			return nil, err
		}
		inbox, err := settings[inboxSettings](environ)
		if err != nil {
			return nil, err
		}
		c := consumer{worker: build(rt, s), log: rt.Log, sqs: sqs.NewFromConfig(rt.AWS), lastReceive: inbox.LastReceive}
		c.endpoint = aws.ToString(rt.AWS.BaseEndpoint)
		return lambda.NewHandler(c.consume), nil
	}
}

// inboxSettings describe the function's own queue.
type inboxSettings struct {
	// LastReceive is the queue's maxReceiveCount: who fails then goes to the dead-letter queue.
	LastReceive int `env:"LAST_RECEIVE"`
}

const reserve = 2 * time.Second // with less time left than this, no further message is begun

// consumer works off a batch, one message after the other; a bad one fails alone.
type consumer struct {
	worker      Worker
	log         *slog.Logger
	sqs         *sqs.Client
	endpoint    string
	lastReceive int
}

var errNoTime = fault.New(fault.Unavailable, "deadline-near", "The batch took too long; the message comes again.")

// consume answers which messages of the batch must come again. The list is never null: AWS takes null for success, a local
// cloud takes it for an error. An error instead of an answer would bring back the whole batch; there is none.
func (c consumer) consume(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	deadline, limited := ctx.Deadline()
	for _, m := range batch.Records {
		var err error
		mctx, line := observe.Begin(ctx, c.log, slog.String("messageId", m.MessageId), slog.Int("attempt", receives(m)))
		if limited && time.Until(deadline) < reserve {
			err = errNoTime
		} else {
			err = c.handle(mctx, m)
		}
		outcome := c.outcome(err, m)
		if outcome != done && outcome != leftToOrder {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			c.delayRetry(mctx, m, outcome)
		}
		line.Done(mctx, outcome, err, true)
	}
	return answer, nil
}

// What becomes of a message.
const (
	done        = "done"
	retried     = "retried"       // hidden for a while, then received again
	failed      = "failed"        // comes again at once, as often as its queue says, and ends in the dead-letter queue
	leftToOrder = "left-to-order" // sound work whose time has not come: its order asks again when it is due
)

// outcome decides what becomes of a message. Dead-letter queues are for bugs: a message whose time never came – it met
// "later", or others who kept changing the same rows – is acknowledged at its last receive if an order asks again for what it
// is owed. (An order that needs attention asks no more: decision 0016.) A message that nobody would replace is kept there.
func (c consumer) outcome(err error, m events.SQSMessage) string {
	kind := fault.KindOf(err)
	switch {
	case err == nil || kind == fault.Duplicate:
		return done
	case kind.Permanent():
		return failed
	case (kind.Later() || kind == fault.Conflict) && receives(m) >= c.lastReceive && c.retriedByOrder(m.Body):
		return leftToOrder
	}
	return retried
}

func (c consumer) retriedByOrder(body string) bool {
	step, ok := c.worker.(stepWorker)
	return ok && step.retriedByOrder(body)
}

func (c consumer) handle(ctx context.Context, m events.SQSMessage) (err error) {
	ctx, cancel := withDeadlineMargin(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.worker.Handle(ctx, m.Body)
}

// hide decides when a failed message comes back. If that cannot be said, the queue's own visibility timeout holds.
func (c consumer) delayRetry(ctx context.Context, m events.SQSMessage, outcome string) {
	patience := time.Duration(0)
	if outcome == retried {
		patience = queue.RetryDelay(ctx, receives(m))
	}
	url, err := queue.URL(m.EventSourceARN, c.endpoint)
	if err == nil {
		err = queue.HideFor(ctx, c.sqs, url, m.ReceiptHandle, patience)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		observe.Note(ctx, slog.String("hideError", err.Error()))
	}
}

func receives(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return n
}
