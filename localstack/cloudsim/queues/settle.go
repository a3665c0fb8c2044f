package queues

import (
	"time"

	"backroom/localstack/cloudsim/wire"
)

// longestHidden is the longest time that a received message can stay hidden, in seconds.
const longestHidden = 12 * 3600

func errHiddenTooLong(seconds int) *wire.Error {
	return invalid(
		"Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between "+
			"0 and %d.", seconds, longestHidden)
}

// done is the answer to an entry of a batch that succeeded.
type done struct {
	ID string `json:"Id"`
}

// remove deletes the message of a receipt handle. Deleting it twice succeeds.
func (s *Service) remove(q *queue, receipt string) error {
	number, err := q.number(receipt)
	if err != nil {
		return err
	}
	if i, ok := q.at(number); ok {
		q.Gone = append(q.Gone, deleted{s.settings.Now(), q.remove(i)})
	}
	return nil
}

type oneReceipt struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

func (s *Service) deleteMessage(in oneReceipt) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	q.forget(s.settings.Now())
	return struct{}{}, load{queue: q.Name, items: 1}, s.remove(q, in.ReceiptHandle)
}

type receiptEntry struct {
	ID            string `json:"Id"`
	ReceiptHandle string
}

type receipts struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []receiptEntry
}

func (s *Service) deleteMessageBatch(in receipts) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	q.forget(s.settings.Now())
	answer,
		err := run("DeleteMessageBatchRequestEntry", in.Entries, func(e receiptEntry) string { return e.ID },
		func(e receiptEntry) (any, error) {
			return done{e.ID}, s.remove(q, e.ReceiptHandle)
		})
	return answer, load{queue: q.Name, items: len(answer.Successful)}, err
}

// hide changes how long a message in flight stays hidden, counted from now. 0 makes it visible.
func (s *Service) hide(q *queue, receipt string, seconds *int) error {
	if seconds == nil {
		return missing("VisibilityTimeout")
	}
	if *seconds < 0 || *seconds > longestHidden {
		return errHiddenTooLong(*seconds)
	}
	number, err := q.number(receipt)
	if err != nil {
		return err
	}
	i, ok := q.at(number)
	if !ok {
		return invalid(
			"Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available "+
				"for visibility timeout change.", receipt)
	}
	m, now := &q.Messages[i], s.settings.Now()
	if !m.Shown.After(now) {
		return refuse("MessageNotInflight", "The specified message isn't in flight.")
	}
	until := now.Add(time.Duration(*seconds) * time.Second)
	if until.Sub(m.Taken) > longestHidden*time.Second {
		return invalid(
			"Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message "+
				"is beyond the limit [%d seconds].", *seconds, longestHidden)
	}
	m.Shown = until
	return nil
}

type newVisibility struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (s *Service) changeMessageVisibility(in newVisibility) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	q.forget(s.settings.Now())
	return struct{}{}, load{queue: q.Name, items: 1}, s.hide(q, in.ReceiptHandle, in.VisibilityTimeout)
}

type visibilityEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

type visibilities struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []visibilityEntry
}

func (s *Service) changeMessageVisibilityBatch(in visibilities) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	q.forget(s.settings.Now())
	answer,
		err := run("ChangeMessageVisibilityBatchRequestEntry", in.Entries,
		func(e visibilityEntry) string { return e.ID }, func(e visibilityEntry) (any, error) {
			return done{e.ID}, s.hide(q, e.ReceiptHandle, e.VisibilityTimeout)
		})
	return answer, load{queue: q.Name, items: len(answer.Successful)}, err
}
