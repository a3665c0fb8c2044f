package queues

import (
	"fmt"
	"time"
)

// outgoing is a message to send, alone or as an entry of a batch.
type outgoing struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]property
	MessageSystemAttributes map[string]property
	MessageGroupId          string
	MessageDeduplicationId  string
}

// sent is the answer to an accepted message.
type sent struct {
	ID           string `json:"Id,omitempty"` // of the entry
	MessageID    string `json:"MessageId"`
	MD5          string `json:"MD5OfMessageBody"`
	MD5OfOthers  string `json:"MD5OfMessageAttributes,omitempty"`
	MD5OfSystems string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

// size returns the size that SQS limits, in bytes. System attributes do not count.
func (m outgoing) size() int { return len(m.MessageBody) + sizeOf(m.MessageAttributes) }

// check refuses a message that the queue does not accept.
func (m outgoing) check(q *queue) error {
	switch {
	case m.MessageBody == "":
		return missing("MessageBody")
	case m.MessageDeduplicationId != "":
		return invalid(
			"Value %s for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter "+
				"that is not valid for this queue type.", m.MessageDeduplicationId)
	case m.DelaySeconds != nil && (*m.DelaySeconds < 0 || *m.DelaySeconds > 900):
		return invalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
			*m.DelaySeconds)
	case !validText(m.MessageBody):
		return refuse("InvalidMessageContents", invalidText)
	}
	for name := range m.MessageSystemAttributes {
		if name != "AWSTraceHeader" {
			return invalid("Message system attribute name '%s' is invalid.", name)
		}
	}
	if err := check(m.MessageAttributes); err != nil {
		return err
	}
	if m.size() > q.Size {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.Size)
	}
	return nil
}

// send adds a message to a queue.
func (s *Service) send(q *queue, in outgoing) (sent, error) {
	if err := in.check(q); err != nil {
		return sent{}, err
	}
	now, number := s.settings.Now(), s.number(q)
	delay := q.Delay
	if in.DelaySeconds != nil {
		delay = *in.DelaySeconds
	}
	m := message{
		ID: messageID(q.ARN, number), Body: in.MessageBody, Properties: in.MessageAttributes, Group: in.MessageGroupId,
		Trace: string(in.MessageSystemAttributes["AWSTraceHeader"].value()),
		Sent:  now, Shown: now.Add(time.Duration(delay) * time.Second),
	}
	q.put(m, number)
	return sent{MessageID: m.ID, MD5: md5Of([]byte(m.Body)), MD5OfOthers: sum(in.MessageAttributes),
		MD5OfSystems: sum(in.MessageSystemAttributes)}, nil
}

type oneOutgoing struct {
	QueueURL string `json:"QueueUrl"`
	outgoing
}

func (s *Service) sendMessage(in oneOutgoing) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	out, err := s.send(q, in.outgoing)
	return out, load{q.Name, 1, in.size()}, err
}

type outgoingEntry struct {
	ID string `json:"Id"`
	outgoing
}

type outgoingBatch struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []outgoingEntry
}

// sendMessageBatch sends each entry by itself. It refuses all of them if together they are larger
// than 1 MiB.
func (s *Service) sendMessageBatch(in outgoingBatch) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	size := 0
	for _, e := range in.Entries {
		size += e.size()
	}
	if len(in.Entries) <= mostEntries && size > mostBytes {
		return nil, load{},
			refuse("BatchRequestTooLong",
				fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", mostBytes, size))
	}
	answer,
		err := run("SendMessageBatchRequestEntry", in.Entries, func(e outgoingEntry) string { return e.ID },
		func(e outgoingEntry) (any, error) {
			out, err := s.send(q, e.outgoing)
			out.ID = e.ID
			return out, err
		})
	return answer, load{q.Name, len(answer.Successful), size}, err
}
