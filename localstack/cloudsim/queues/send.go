package queues

import (
	"fmt"
	"time"
)

// letter is a message as it is sent, alone or as an entry of a batch.
type letter struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]property
	MessageSystemAttributes map[string]property
	MessageGroupId          string
	MessageDeduplicationId  string
}

// sent is the answer about a message that was taken.
type sent struct {
	ID           string `json:"Id,omitempty"` // of the entry
	MessageID    string `json:"MessageId"`
	MD5          string `json:"MD5OfMessageBody"`
	MD5OfOthers  string `json:"MD5OfMessageAttributes,omitempty"`
	MD5OfSystems string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

// size is what a letter weighs. System attributes weigh nothing.
func (l letter) size() int { return len(l.MessageBody) + sizeOf(l.MessageAttributes) }

// check says why a queue does not take a letter.
func (l letter) check(q *queue) error {
	switch {
	case l.MessageBody == "":
		return missing("MessageBody")
	case l.MessageDeduplicationId != "":
		return invalid("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.", l.MessageDeduplicationId)
	case l.DelaySeconds != nil && (*l.DelaySeconds < 0 || *l.DelaySeconds > 900):
		return invalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *l.DelaySeconds)
	case !sayable(l.MessageBody):
		return refuse("InvalidMessageContents", unsayable)
	}
	for name := range l.MessageSystemAttributes {
		if name != "AWSTraceHeader" {
			return invalid("Message system attribute name '%s' is invalid.", name)
		}
	}
	if err := check(l.MessageAttributes); err != nil {
		return err
	}
	if l.size() > q.Size {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.Size)
	}
	return nil
}

// send takes a letter into a queue.
func (s *Service) send(q *queue, l letter) (sent, error) {
	if err := l.check(q); err != nil {
		return sent{}, err
	}
	now, number := s.settings.Now(), s.number(q)
	delay := q.Delay
	if l.DelaySeconds != nil {
		delay = *l.DelaySeconds
	}
	m := message{
		ID: messageID(q.ARN, number), Body: l.MessageBody, Properties: l.MessageAttributes, Group: l.MessageGroupId,
		Trace: string(l.MessageSystemAttributes["AWSTraceHeader"].value()),
		Sent:  now, Shown: now.Add(time.Duration(delay) * time.Second),
	}
	q.put(m, number)
	return sent{MessageID: m.ID, MD5: md5Of([]byte(m.Body)), MD5OfOthers: sum(l.MessageAttributes), MD5OfSystems: sum(l.MessageSystemAttributes)}, nil
}

type oneLetter struct {
	QueueURL string `json:"QueueUrl"`
	letter
}

func (s *Service) sendMessage(in oneLetter) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	out, err := s.send(q, in.letter)
	return out, load{q.Name, 1, in.size()}, err
}

type letterEntry struct {
	ID string `json:"Id"`
	letter
}

type letters struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []letterEntry
}

// sendMessageBatch takes each entry alone, if they are not too much together.
func (s *Service) sendMessageBatch(in letters) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	size := 0
	for _, e := range in.Entries {
		size += e.size()
	}
	if len(in.Entries) <= mostEntries && size > mostBytes {
		return nil, load{}, refuse("BatchRequestTooLong", fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", mostBytes, size))
	}
	answer, err := run("SendMessageBatchRequestEntry", in.Entries, func(e letterEntry) string { return e.ID }, func(e letterEntry) (any, error) {
		out, err := s.send(q, e.letter)
		out.ID = e.ID
		return out, err
	})
	return answer, load{q.Name, len(answer.Successful), size}, err
}
