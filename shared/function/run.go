package function

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"backroom/shared/observe"
)

// Job is scheduled work.
type Job interface {
	Run(ctx context.Context) error
}

// Run starts the function of a scheduled job.
func Run[S any, H Job](build func(Runtime, S) H) { start(Running(build)) }

// Running returns the builder that Run starts.
func Running[S any, H Job](build func(Runtime, S) H) Builder {
	return func(rt Runtime, environ map[string]string) (lambda.Handler, error) {
		s, err := settings[S](environ)
		if err != nil {
			return nil, err
		}
		job := build(rt, s)
		return lambda.NewHandler(func(ctx context.Context, _ json.RawMessage) error {
			return logged(ctx, rt, job.Run)
		}), nil
	}
}

// StreamReader reads the records of tables' streams.
type StreamReader interface {
	// Read handles all records. After an error the whole batch is read again.
	Read(ctx context.Context, records []events.DynamoDBEventRecord) error
}

// Relay starts the function that reads tables' streams.
func Relay[S any, H StreamReader](build func(Runtime, S) H) { start(Relaying(build)) }

// Relaying returns the builder that Relay starts.
func Relaying[S any, H StreamReader](build func(Runtime, S) H) Builder {
	return func(rt Runtime, environ map[string]string) (lambda.Handler, error) {
		s, err := settings[S](environ)
		if err != nil {
			return nil, err
		}
		reader := build(rt, s)
		return lambda.NewHandler(func(ctx context.Context, e events.DynamoDBEvent) error {
			return logged(ctx, rt, func(ctx context.Context) error { return reader.Read(ctx, e.Records) })
		}), nil
	}
}

// logged runs do and writes one log line about it.
func logged(ctx context.Context, rt Runtime, do func(context.Context) error) error {
	ctx, line := observe.Begin(ctx, rt.Log)
	err := do(ctx)
	if err != nil {
		line.Done(ctx, retried, err, true)
		return err
	}
	line.Done(ctx, done, nil, true)
	return nil
}
