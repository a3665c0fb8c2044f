package queues

import (
	"slices"
	"strconv"
	"time"
)

type howMany struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

// received is a message in the answer to a receive.
type received struct {
	MessageID   string `json:"MessageId"`
	Receipt     string `json:"ReceiptHandle"`
	MD5         string `json:"MD5OfBody"`
	Body        string
	Attributes  map[string]string   `json:",omitempty"`
	MD5OfOthers string              `json:"MD5OfMessageAttributes,omitempty"`
	Properties  map[string]property `json:"MessageAttributes,omitempty"`
}

// receiveMessage takes visible messages into flight. It never waits: the caller repeats the request
// instead.
func (s *Service) receiveMessage(in howMany) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	most, hidden := 1, q.Visibility
	if in.MaxNumberOfMessages != nil {
		most = *in.MaxNumberOfMessages
	}
	if in.VisibilityTimeout != nil {
		hidden = *in.VisibilityTimeout
	}
	switch {
	case most < 1 || most > 10:
		return nil, load{},
			invalid(
				"Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
				most)
	case hidden < 0 || hidden > longestHidden:
		return nil, load{}, errHiddenTooLong(hidden)
	case in.WaitTimeSeconds != nil && (*in.WaitTimeSeconds < 0 || *in.WaitTimeSeconds > 20):
		return nil, load{},
			invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
				*in.WaitTimeSeconds)
	}
	now := s.settings.Now()
	q.forget(now)
	s.deadLetter(q, now)

	var answer struct {
		Messages []received `json:",omitempty"`
	}
	used := load{queue: q.Name}
	visible := q.visible(now)
	for len(answer.Messages) < most && len(visible) > 0 {
		chosen := s.settings.Pick(len(visible))
		m := &q.Messages[visible[chosen]]
		visible = slices.Delete(visible, chosen, chosen+1)
		m.Receives++
		m.Taken, m.Shown = now, now.Add(time.Duration(hidden)*time.Second)
		if m.First.IsZero() {
			m.First = now
		}
		answer.Messages = append(answer.Messages, s.show(q, *m, in))
		used.items++
		used.bytes += m.size()
	}
	return answer, used, nil
}

// visible returns the indexes of the messages that can be received.
func (q *queue) visible(now time.Time) []int {
	var visible []int
	for i, m := range q.Messages {
		if !m.Shown.After(now) {
			visible = append(visible, i)
		}
	}
	return visible
}

// deadLetter moves visible messages that were received maxReceiveCount times to the dead-letter
// queue. They keep the time at which they were sent and their receive count. Without a dead-letter
// queue they stay.
func (s *Service) deadLetter(q *queue, now time.Time) {
	target, ok := s.named(q.Redrive.Target)
	if !ok || target == q {
		return
	}
	exhausted := func(m message) bool { return m.Receives >= q.Redrive.Limit && !m.Shown.After(now) }
	for _, m := range q.Messages {
		if exhausted(m) {
			m.Source, m.Taken, m.Shown = q.ARN, time.Time{}, now
			target.put(m, s.number(target))
		}
	}
	q.Messages = slices.DeleteFunc(q.Messages, exhausted)
}

// show returns a message with the attributes that the receive asks for.
func (s *Service) show(q *queue, m message, in howMany) received {
	shown := received{
		MessageID: m.ID, Receipt: q.receipt(m), MD5: md5Of([]byte(m.Body)), Body: m.Body,
		Properties: choose(m.Properties, in.MessageAttributeNames), Attributes: map[string]string{},
	}
	shown.MD5OfOthers = sum(shown.Properties)
	asked := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for name, value := range map[string]string{
		"SenderId": s.settings.Account, "SentTimestamp": millis(m.Sent),
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": millis(m.First), "DeadLetterQueueSourceArn": m.Source,
		"AWSTraceHeader": m.Trace,
		"MessageGroupId": m.Group,
	} {
		if value != "" && (slices.Contains(asked, "All") || slices.Contains(asked, name)) {
			shown.Attributes[name] = value
		}
	}
	return shown
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
