package queues

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is a standard queue. Its fields are exported for Digest alone.
type queue struct {
	Name, ARN string
	Created   time.Time
	Changed   time.Time
	Attributes
	Tags     map[string]string
	Messages []message // by number
	Gone     []deleted // the last five minutes', oldest first
	Purged   time.Time
}

// message is one copy of a message.
type message struct {
	Number     int // in its queue
	ID, Body   string
	Properties map[string]property `json:",omitempty"` // what the API calls message attributes
	Trace      string              `json:",omitempty"` // what the API calls the system attribute AWSTraceHeader
	Group      string              `json:",omitempty"`
	Source     string              `json:",omitempty"` // the ARN of the queue that gave it up
	Sent       time.Time           // its retention is counted from here, in the dead-letter queue too
	Shown      time.Time           // it can be received from here on
	Taken      time.Time           // it was received last
	First      time.Time           // it was received first
	Receives   int
}

// deleted is a message that was deleted, and when.
type deleted struct {
	At      time.Time
	Message message
}

// remembered is how long a deleted message can come back as a duplicate.
const remembered = 5 * time.Minute

// put adds a message under a number that is higher than any before.
func (q *queue) put(m message, number int) {
	m.Number = number
	q.Messages = append(q.Messages, m)
}

// forget drops what is older than the queue keeps.
func (q *queue) forget(now time.Time) {
	kept := time.Duration(q.Retention) * time.Second
	q.Messages = slices.DeleteFunc(q.Messages, func(m message) bool { return now.Sub(m.Sent) >= kept })
	old := 0 // they are in the order in which they were deleted
	for old < len(q.Gone) && now.Sub(q.Gone[old].At) > remembered {
		old++
	}
	q.Gone = q.Gone[old:]
}

// find returns a copy of a message with the id: one that is there, or one that was deleted.
func (q *queue) find(id string) (message, bool) {
	if i := slices.IndexFunc(q.Messages, func(m message) bool { return m.ID == id }); i >= 0 {
		return q.Messages[i], true
	}
	if i := slices.IndexFunc(q.Gone, func(d deleted) bool { return d.Message.ID == id }); i >= 0 {
		return q.Gone[i].Message, true
	}
	return message{}, false
}

// at returns where the message with the number is, or would be, and whether it is there.
func (q *queue) at(number int) (int, bool) {
	return slices.BinarySearchFunc(q.Messages, number, func(m message, n int) int { return m.Number - n })
}

// remove takes a message out; whether that is for good, or to the dead-letter queue, is the caller's business.
func (q *queue) remove(i int) message {
	m := q.Messages[i]
	q.Messages = slices.Delete(q.Messages, i, i+1)
	return m
}

// next returns when the first message that is not visible becomes so.
func (q *queue) next(now time.Time) (time.Time, bool) {
	q.forget(now)
	var first time.Time
	for _, m := range q.Messages {
		if m.Shown.After(now) && (first.IsZero() || m.Shown.Before(first)) {
			first = m.Shown
		}
	}
	return first, !first.IsZero()
}

// count counts messages by what holds them back.
func (q *queue) count(now time.Time) (visible, inFlight, delayed int) {
	q.forget(now)
	for _, m := range q.Messages {
		switch {
		case !m.Shown.After(now):
			visible++
		case m.Taken.IsZero():
			delayed++
		default:
			inFlight++
		}
	}
	return visible, inFlight, delayed
}

// size is what of a message is weighed: its body and its attributes.
func (m message) size() int { return len(m.Body) + sizeOf(m.Properties) }

// messageID returns the id of a queue's nth message, in the shape of a UUID.
func messageID(arn string, number int) string {
	sum := sha256.Sum256([]byte(arn + " " + strconv.Itoa(number)))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, as SQS has it
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// receipt returns the handle of a message's receive.
func (q *queue) receipt(m message) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", q.ARN, m.Number, m.Receives))
}

// number returns which message a handle is about. A handle of an earlier receive is as good as the last.
func (q *queue) number(receipt string) (int, error) {
	text, err := base64.StdEncoding.DecodeString(receipt)
	parts := strings.Split(string(text), " ")
	if err == nil && len(parts) == 3 && parts[0] == q.ARN {
		if number, err := strconv.Atoi(parts[1]); err == nil {
			return number, nil
		}
	}
	return 0, refuse("ReceiptHandleIsInvalid", fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", receipt))
}
