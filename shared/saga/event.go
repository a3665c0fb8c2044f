package saga

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"backroom/shared/fault"
)

// SpecVersion is the version of the envelope that this code writes and reads: CloudEvents 1.0.
const SpecVersion = "1.0"

// Errors of a message that a step cannot consume. Both are permanent, so the message goes to the
// dead-letter queue.
var (
	ErrUnreadable  = fault.New(fault.Malformed, "event-unreadable", "The message is not an event of this saga.")
	ErrNotConsumed = fault.New(fault.Malformed, "event-not-consumed", "This step does not consume that fact.")
)

// Event is the body of a queue message: one fact as a CloudEvents 1.0 document in the JSON format,
// with the extension attributes shop and causationid (https://github.com/cloudevents/spec, v1.0.2).
// It carries no personal data.
type Event struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`     // see EventID; it is the same however often the fact is sent
	Source      Source          `json:"source"` // the kind of row that recorded the fact
	Type        Fact            `json:"type"`
	Subject     string          `json:"subject"` // the order
	Time        time.Time       `json:"time"`
	Shop        Shop            `json:"shop"`
	CausationID string          `json:"causationid,omitempty"` // the event or request that led to the fact
	Data        json.RawMessage `json:"data"`                  // the fields of Route.Data

	consumer Step
}

// Message is one event on its way to one step.
type Message struct {
	To    Step
	Event Event
}

// EventID returns the id of the index-th fact that a version of a row recorded. The nonce
// distinguishes a row from an earlier, deleted row with the same key.
func EventID(by Source, key string, version, index int, nonce string) string {
	return fmt.Sprintf("%s:%s@%d.%d~%s", by, key, version, index, nonce)
}

// Cause names, in a row's history, what led to a change and the actor that made it.
type Cause struct {
	ID    string // of the event, or of the request
	Actor string // the step, or the caller's subject
}

// Cause returns the cause of every change that the consuming step makes because of e.
func (e Event) Cause() Cause { return Cause{ID: e.ID, Actor: string(e.consumer)} }

// Decode reads the body of a message that arrived at step. It returns ErrUnreadable if the body is
// not an event in a version that this code knows, and ErrNotConsumed if Routes does not send the
// fact to step.
func Decode(step Step, body string) (Event, error) {
	var e Event
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return Event{}, ErrUnreadable.Because(err)
	}
	switch {
	case e.SpecVersion != SpecVersion:
		return Event{}, ErrUnreadable.Because(fmt.Errorf("specversion %q, not %q", e.SpecVersion, SpecVersion))
	case e.ID == "" || e.Subject == "" || e.Shop == "":
		return Event{},
			ErrUnreadable.Because(fmt.Errorf("id %q, subject %q, shop %q: none may be empty", e.ID, e.Subject, e.Shop))
	case !slices.Contains(Routes[e.Type].To, step):
		return Event{}, ErrNotConsumed.Because(fmt.Errorf("%s does not consume %q", step, e.Type))
	}
	e.consumer = step
	return e, nil
}

// As decodes the data of e. It returns ErrUnreadable if the data is not a T, if it lacks a member
// of T, or if it names another order or shop than the envelope.
func As[T any](e Event) (T, error) {
	var body T
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &members); err != nil {
		return body, ErrUnreadable.Because(err)
	}
	for _, name := range Members(body) {
		if raw, ok := members[name]; !ok || bytes.Equal(raw, []byte("null")) {
			return body, ErrUnreadable.Because(fmt.Errorf("%s %s lacks %q", e.Type, e.ID, name))
		}
	}
	if err := json.Unmarshal(e.Data, &body); err != nil {
		return body, ErrUnreadable.Because(err)
	}
	ref := OrderRef{}
	if err := json.Unmarshal(e.Data, &ref); err != nil || ref != (OrderRef{e.Subject, e.Shop}) {
		return body,
			ErrUnreadable.Because(fmt.Errorf("%s %s names another order or shop than the envelope", e.Type, e.ID))
	}
	return body, nil
}

// Members returns the JSON names of the fields of a fact's data. The row's attributes have the same
// names.
func Members(body any) []string {
	t := reflect.TypeOf(body)
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
