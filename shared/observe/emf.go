package observe

import (
	"context"
	"log/slog"
	"time"
)

// Namespace is the CloudWatch namespace of the metrics.
const Namespace = "Backroom"

// Unit is a CloudWatch unit.
type Unit string

// The units in use.
const (
	Number       Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

type meter struct {
	name  string
	unit  Unit
	value float64
}

// Count adds a metric to the line of ctx. CloudWatch reads it from the log, in the embedded metric
// format, so it needs no call
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
// The only dimension is the function's name. Count does nothing if ctx has no line.
func Count(ctx context.Context, name string, unit Unit, value float64) {
	if l, ok := ctx.Value(lineKey{}).(*Line); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.meters = append(l.meters, meter{name, unit, value})
	}
}

// emf returns the fields with which a log line carries the metrics.
func emf(at time.Time, meters []meter) []slog.Attr {
	if len(meters) == 0 {
		return nil
	}
	type definition struct {
		Name string
		Unit Unit
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{"function"}}}
	values := map[string][]float64{}
	for _, m := range meters {
		if values[m.name] == nil {
			d.Metrics = append(d.Metrics, definition{m.name, m.unit})
		}
		values[m.name] = append(values[m.name], m.value)
	}
	attrs := []slog.Attr{slog.Any("_aws",
		map[string]any{"Timestamp": at.UnixMilli(), "CloudWatchMetrics": []directive{d}})}
	for _, def := range d.Metrics {
		attrs = append(attrs, slog.Any(def.Name, values[def.Name]))
	}
	return attrs
}
