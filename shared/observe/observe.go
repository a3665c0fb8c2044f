// Package observe writes a function's log: one JSON line per request or message, with its metrics
// inside.
package observe

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"backroom/shared/fault"
)

// Logger returns a logger that writes JSON lines with the names that Lambda's own JSON log format
// uses (timestamp, level, message), so that one query reads both. function names the Lambda.
func Logger(w io.Writer, level slog.Level, function string) *slog.Logger {
	h := slog.NewJSONHandler(w,
		&slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				a.Key = "timestamp"
			case slog.MessageKey:
				a.Key = "message"
			}
			return a
		}})
	return slog.New(h).With("function", function)
}

// Line collects the fields and metrics of one request or message; Done writes them.
type Line struct {
	logger *slog.Logger
	start  time.Time
	mu     sync.Mutex
	attrs  []slog.Attr
	meters []meter
}

type lineKey struct{}

// Begin returns a context in which Note and Count add to a new line.
func Begin(ctx context.Context, logger *slog.Logger, attrs ...slog.Attr) (context.Context, *Line) {
	l := &Line{logger: logger, start: time.Now(), attrs: attrs}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		l.attrs = append(l.attrs, slog.String("lambdaRequestId", lc.AwsRequestID))
	}
	return context.WithValue(ctx, lineKey{}, l), l
}

// Note adds fields to the line of ctx. Never add personal data, tokens or bodies. Note does nothing
// if ctx has no line.
func Note(ctx context.Context, attrs ...slog.Attr) {
	if l, ok := ctx.Value(lineKey{}).(*Line); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.attrs = append(l.attrs, attrs...)
	}
}

// Done writes the line, with the outcome, the kind of err and the duration. The level follows from
// the kind. With permanently, a fault of a client's kind is an ERROR, because it is our own, as in
// a queue step.
func (l *Line) Done(ctx context.Context, outcome string, err error, permanently bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	attrs := append(l.attrs, slog.String("outcome", outcome),
		slog.Float64("ms", float64(time.Since(l.start).Microseconds())/1000))
	kind := fault.KindOf(err)
	if err != nil {
		attrs = append(attrs, slog.String("kind", string(kind)), slog.String("error", err.Error()))
	}
	attrs = append(attrs, emf(l.start, l.meters)...)
	l.logger.LogAttrs(ctx, level(kind, permanently), "handled", attrs...)
}

func level(kind fault.Kind, permanently bool) slog.Level {
	switch {
	case kind == "" || kind == fault.Duplicate || kind == fault.Conflict:
		return slog.LevelInfo
	case kind.Later():
		return slog.LevelWarn
	case kind.Permanent() && !permanently:
		return slog.LevelInfo
	}
	return slog.LevelError
}
