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

// Step handles one event of the saga. The kind of the returned fault decides what happens to the
// message: see package fault.
type Step interface {
	Handle(ctx context.Context, e saga.Event) error
}

// Consume starts the function that consumes the queue of step.
func Consume[S any, H Step](step saga.Step, build func(Runtime, S) H) { start(Consuming(step, build)) }

// Consuming returns the builder that Consume starts.
func Consuming[S any, H Step](step saga.Step, build func(Runtime, S) H) Builder {
	return Working(func(rt Runtime, s S) stepWorker { return stepWorker{step, build(rt, s)} })
}

// stepWorker makes a Worker of a Step: it decodes the event in each message.
type stepWorker struct {
	step    saga.Step
	handler Step
}

// Handle passes the message's event to the step.
func (h stepWorker) Handle(ctx context.Context, body string) error {
	e, err := saga.Decode(h.step, body)
	if err != nil {
		return err
	}
	observe.Note(ctx, slog.String("fact", string(e.Type)), slog.String("order", e.Subject), slog.String("event", e.ID))
	return h.handler.Handle(ctx, e)
}

// retriedByOrder reports whether the order asks again later for what the message asks.
func (h stepWorker) retriedByOrder(body string) bool {
	e, err := saga.Decode(h.step, body)
	return err == nil && e.Type.Retried(h.step)
}

// Worker handles one message of a queue that does not belong to a step of the saga. The kind of the
// returned fault decides what happens to the message, as for a Step.
type Worker interface {
	Handle(ctx context.Context, body string) error
}

// Work starts the function that consumes such a queue.
func Work[S any, H Worker](build func(Runtime, S) H) { start(Working(build)) }

// Working returns the builder that Work starts.
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
	// LastReceive is the queue's maxReceiveCount: a message that fails then goes to the dead-letter
	// queue.
	LastReceive int `env:"LAST_RECEIVE"`
}

// reserve is the time that must be left to begin another message.
const reserve = 2 * time.Second

// consumer handles a batch, one message after the other; a bad message fails alone.
type consumer struct {
	worker      Worker
	log         *slog.Logger
	sqs         *sqs.Client
	endpoint    string
	lastReceive int
}

var errNoTime = fault.New(fault.Unavailable, "deadline-near", "The batch took too long; the message comes again.")

// consume returns the messages of the batch that must be received again. The list is never null:
// AWS takes null for success, a local cloud takes it for an error. consume never returns an error,
// because an error would bring back the whole batch.
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
			answer.BatchItemFailures = append(answer.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			c.delayRetry(mctx, m, outcome)
		}
		line.Done(mctx, outcome, err, true)
	}
	return answer, nil
}

// The outcomes of a message.
const (
	done        = "done"
	retried     = "retried"       // hidden for some time, then received again
	failed      = "failed"        // received again at once, up to maxReceiveCount, then in the dead-letter queue
	leftToOrder = "left-to-order" // acknowledged; its order asks again when it is due
)

// outcome decides what happens to a message. Dead-letter queues are for bugs. So a message that
// failed only because a service was unavailable or throttled, or because of concurrent changes, is
// acknowledged at its last receive if its order asks again for the same. (An order that needs
// attention does not ask: decision 0016.) Any other failed message goes to the dead-letter queue.
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

// delayRetry sets when a failed message can be received again. If SQS refuses that, the queue's own
// visibility timeout applies.
func (c consumer) delayRetry(ctx context.Context, m events.SQSMessage, outcome string) {
	delay := time.Duration(0)
	if outcome == retried {
		delay = queue.RetryDelay(ctx, receives(m))
	}
	url, err := queue.URL(m.EventSourceARN, c.endpoint)
	if err == nil {
		err = queue.HideFor(ctx, c.sqs, url, m.ReceiptHandle, delay)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		observe.Note(ctx, slog.String("hideError", err.Error()))
	}
}

// receives returns how often the message was received, this time included.
func receives(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return n
}
