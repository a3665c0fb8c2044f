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

// queue is a standard queue. Its fields are exported only for Digest.
type queue struct {
	Name, ARN string
	Created   time.Time
	Changed   time.Time
	Attributes
	Tags     map[string]string
	Messages []message // by number
	Gone     []deleted // the messages deleted in the last five minutes, oldest first
	Purged   time.Time
}

// message is one copy of a message.
type message struct {
	Number     int // in its queue
	ID, Body   string
	Properties map[string]property `json:",omitempty"` // the message attributes
	Trace      string              `json:",omitempty"` // the system attribute AWSTraceHeader
	Group      string              `json:",omitempty"`
	Source     string              `json:",omitempty"` // in a dead-letter queue: the ARN of the source queue
	Sent       time.Time           // starts the retention period, also in a dead-letter queue
	Shown      time.Time           // when it becomes visible
	Taken      time.Time           // when it was last received
	First      time.Time           // when it was first received
	Receives   int
}

// deleted is a deleted message with the time of its deletion.
type deleted struct {
	At      time.Time
	Message message
}

// remembered is how long after its deletion a message can be delivered again as a duplicate.
const remembered = 5 * time.Minute

// put adds a message. Its number must be higher than all earlier ones.
func (q *queue) put(m message, number int) {
	m.Number = number
	q.Messages = append(q.Messages, m)
}

// forget drops messages past their retention period, and deleted messages that can no longer be
// duplicated.
func (q *queue) forget(now time.Time) {
	kept := time.Duration(q.Retention) * time.Second
	q.Messages = slices.DeleteFunc(q.Messages, func(m message) bool { return now.Sub(m.Sent) >= kept })
	old := 0 // Gone is in the order of deletion
	for old < len(q.Gone) && now.Sub(q.Gone[old].At) > remembered {
		old++
	}
	q.Gone = q.Gone[old:]
}

// find returns a copy of the message with the id, if the queue has it or remembers that it was
// deleted.
func (q *queue) find(id string) (message, bool) {
	if i := slices.IndexFunc(q.Messages, func(m message) bool { return m.ID == id }); i >= 0 {
		return q.Messages[i], true
	}
	if i := slices.IndexFunc(q.Gone, func(d deleted) bool { return d.Message.ID == id }); i >= 0 {
		return q.Gone[i].Message, true
	}
	return message{}, false
}

// at returns the index of the message with the number, or where it would be inserted, and whether
// it exists.
func (q *queue) at(number int) (int, bool) {
	return slices.BinarySearchFunc(q.Messages, number, func(m message, n int) int { return m.Number - n })
}

// remove takes a message out of the queue and returns it.
func (q *queue) remove(i int) message {
	m := q.Messages[i]
	q.Messages = slices.Delete(q.Messages, i, i+1)
	return m
}

// next returns when the next hidden or delayed message becomes visible.
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

// count returns how many messages are visible, in flight and delayed.
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

// size returns the size of the body and the message attributes in bytes.
func (m message) size() int { return len(m.Body) + sizeOf(m.Properties) }

// messageID returns the id of a queue's nth message, formatted as a UUID.
func messageID(arn string, number int) string {
	sum := sha256.Sum256([]byte(arn + " " + strconv.Itoa(number)))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, as in SQS
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// receipt returns the receipt handle of a message's latest receive.
func (q *queue) receipt(m message) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", q.ARN, m.Number, m.Receives))
}

// number returns the number of the message that a receipt handle belongs to. The handle of an
// earlier receive is accepted too.
func (q *queue) number(receipt string) (int, error) {
	text, err := base64.StdEncoding.DecodeString(receipt)
	parts := strings.Split(string(text), " ")
	if err == nil && len(parts) == 3 && parts[0] == q.ARN {
		if number, err := strconv.Atoi(parts[1]); err == nil {
			return number, nil
		}
	}
	return 0,
		refuse("ReceiptHandleIsInvalid",
			fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", receipt))
}
