package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/observe"
)

// line runs do with a line, and returns the fields that were written.
func line(t *testing.T, do func(context.Context), err error, permanently bool) map[string]any {
	t.Helper()
	var out bytes.Buffer
	ctx,
		l := observe.Begin(t.Context(), observe.Logger(&out, slog.LevelDebug, "place-order"),
		slog.String("requestId", "r1"))
	do(ctx)
	l.Done(ctx, "done", err, permanently)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &fields), "one line: %s", out.String())
	return fields
}

func TestLine_HasTheFieldsOfARequest(t *testing.T) {
	fields := line(t, func(ctx context.Context) { observe.Note(ctx, slog.String("order", "ord_1")) }, nil, false)
	assert.Equal(t, []any{"INFO", "handled", "place-order", "r1", "ord_1", "done"}, []any{
		fields["level"], fields["message"], fields["function"], fields["requestId"], fields["order"], fields["outcome"],
	})
	assert.Contains(t, fields, "ms")
	assert.NotContains(t, fields, "error")
	_, err := time.Parse(time.RFC3339, fields["timestamp"].(string))
	assert.NoError(t, err, "named as in Lambda's own log")
}

func TestLine_LevelFollowsTheKind(t *testing.T) {
	for sentence, c := range map[string]struct {
		err         error
		permanently bool
		level       string
	}{
		"success":                             {nil, true, "INFO"},
		"a conflict is usual":                 {fault.Conflict, true, "INFO"},
		"a duplicate is usual":                {fault.Duplicate, true, "INFO"},
		"a client's fault":                    {fault.Invalid, false, "INFO"},
		"a client's fault in a queue is ours": {fault.Invalid, true, "ERROR"},
		"a retry is a warning":                {fault.Unavailable, true, "WARN"},
		"an unexpected error":                 {errors.New("dial tcp"), false, "ERROR"},
	} {
		assert.Equal(t, c.level, line(t, func(context.Context) {}, c.err, c.permanently)["level"], sentence)
	}
}

func TestCount_AddsMetricsToTheLine(t *testing.T) {
	fields := line(t, func(ctx context.Context) {
		observe.Count(ctx, "OrdersLate", observe.Number, 3)
		observe.Count(ctx, "OrderToOutcome", observe.Milliseconds, 120)
		observe.Count(ctx, "OrderToOutcome", observe.Milliseconds, 80)
	}, nil, false)
	assert.Equal(t, []any{3.0}, fields["OrdersLate"])
	assert.Equal(t, []any{120.0, 80.0}, fields["OrderToOutcome"])
	format := fields["_aws"].(map[string]any)
	assert.IsType(t, 0.0, format["Timestamp"])
	text, err := json.Marshal(format["CloudWatchMetrics"])
	require.NoError(t, err)
	assert.JSONEq(t,
		`[{"Namespace":"Backroom","Dimensions":[["function"]],"Metrics":[{"Name":"OrdersLate","Unit":"Count"},{"Name":"OrderToOutcome","Unit":"Milliseconds"}]}]`, string(text))
	assert.NotContains(t, line(t, func(context.Context) {}, nil, false), "_aws")
}

func TestNote_DoesNothingWithoutALine(t *testing.T) {
	assert.NotPanics(t, func() {
		observe.Note(t.Context(), slog.String("order", "ord_1"))
		observe.Count(t.Context(), "OrdersLate", observe.Number, 1)
	})
}
