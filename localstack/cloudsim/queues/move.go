package queues

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// move is a finished message move task.
type move struct {
	Source, Target string
	Started        time.Time
	Moved          int
}

type whichMove struct {
	SourceArn      string
	DestinationArn string
}

// startMessageMoveTask moves the visible messages of a dead-letter queue to the destination, or
// each to its source queue if the request names no destination. All are moved before it answers. A
// moved message has a new id, a new age and no receives.
func (s *Service) startMessageMoveTask(in whichMove) (any, load, error) {
	from, ok := s.named(in.SourceArn)
	if !ok {
		return nil, load{},
			refuse("ResourceNotFoundException",
				"The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	if len(s.sources(from)) == 0 {
		return nil, load{}, invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	if _, ok := s.named(in.DestinationArn); !ok && in.DestinationArn != "" {
		return nil, load{},
			refuse("ResourceNotFoundException",
				"The resource that you specified for the DestinationArn parameter doesn't exist.")
	}
	if in.DestinationArn == in.SourceArn {
		return nil, load{}, invalid("Source queue arn and destination queue arn cannot be the same.")
	}
	now := s.settings.Now()
	from.forget(now)
	task := move{Source: in.SourceArn, Target: in.DestinationArn, Started: now}
	from.Messages = slices.DeleteFunc(from.Messages, func(m message) bool {
		to, ok := s.named(cmp.Or(in.DestinationArn, m.Source))
		if !ok || m.Shown.After(now) {
			return false // its source is unknown, or it is in flight
		}
		number := s.number(to)
		to.put(
			message{ID: messageID(to.ARN, number), Body: m.Body, Properties: m.Properties, Trace: m.Trace,
				Group: m.Group, Sent: now, Shown: now}, number)
		task.Moved++
		return true
	})
	s.moves = append(s.moves, task)
	handle := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", in.SourceArn, len(s.moves)))
	return struct{ TaskHandle string }{handle}, load{from.Name, task.Moved, 0}, nil
}

type whoseMoves struct {
	SourceArn  string
	MaxResults int
}

// moved is a move task in the answer of listMessageMoveTasks.
type moved struct {
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	StartedTimestamp                  int64 // in milliseconds
}

// listMessageMoveTasks lists the move tasks of a dead-letter queue, the newest first.
func (s *Service) listMessageMoveTasks(in whoseMoves) (any, load, error) {
	from, ok := s.named(in.SourceArn)
	if !ok {
		return nil, load{},
			refuse("ResourceNotFoundException",
				"The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	tasks := []moved{}
	for _, m := range slices.Backward(s.moves) {
		if m.Source == in.SourceArn && len(tasks) < max(1, in.MaxResults) {
			tasks = append(tasks, moved{"COMPLETED", m.Source, m.Target, m.Moved, m.Moved, m.Started.UnixMilli()})
		}
	}
	return struct{ Results []moved }{tasks}, load{queue: from.Name}, nil
}
