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

// Errors of an event that cannot be taken in. Both are permanent: the dead-letter queue's business.
var (
	ErrUnreadable  = fault.New(fault.Malformed, "event-unreadable", "The message is not an event of this saga.")
	ErrNotConsumed = fault.New(fault.Malformed, "event-not-consumed", "This step does not hear that fact.")
)

// Event is a fact on its way: the body of a queue message, a CloudEvents 1.0 document in the JSON format with two
// extension attributes, shop and causationid (https://github.com/cloudevents/spec, v1.0.2). It carries no personal data.
type Event struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`     // row + version + index + the row's birth nonce: the same however often it is sent
	Source      Source          `json:"source"` // the kind of row that tells it
	Type        Fact            `json:"type"`
	Subject     string          `json:"subject"` // the order
	Time        time.Time       `json:"time"`
	Shop        Shop            `json:"shop"`
	CausationID string          `json:"causationid,omitempty"` // the event or request that led to it
	Data        json.RawMessage `json:"data"`                  // what Routes says that the fact carries

	consumer Step
}

// Letter is one event on its way to one step.
type Message struct {
	To    Step
	Event Event
}

// EventID returns the id of the index-th fact that a version of a row tells. The nonce tells a row from one that stood
// under the same key before it.
func EventID(by Source, key string, version, index int, nonce string) string {
	return fmt.Sprintf("%s:%s@%d.%d~%s", by, key, version, index, nonce)
}

// Cause says, in the log of a row, who changed it and because of what.
type Cause struct {
	ID    string // of the event, or of the request
	Actor string // the step, or the caller's subject
}

// Cause returns the cause of whatever a step does because of e.
func (e Event) Cause() Cause { return Cause{ID: e.ID, Actor: string(e.consumer)} }

// Hear decodes the body of a message that arrived at step. It returns ErrUnreadable for what is no event in a version
// that this code knows, and ErrNotHeard for a fact that Routes does not send to step.
func Decode(step Step, body string) (Event, error) {
	var e Event
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return Event{}, ErrUnreadable.Because(err)
	}
	switch {
	case e.SpecVersion != SpecVersion:
		return Event{}, ErrUnreadable.Because(fmt.Errorf("specversion %q, not %q", e.SpecVersion, SpecVersion))
	case e.ID == "" || e.Subject == "" || e.Shop == "":
		return Event{}, ErrUnreadable.Because(fmt.Errorf("id %q, subject %q, shop %q: none may be empty", e.ID, e.Subject, e.Shop))
	case !slices.Contains(Routes[e.Type].To, step):
		return Event{}, ErrNotConsumed.Because(fmt.Errorf("%s does not hear %q", step, e.Type))
	}
	e.consumer = step
	return e, nil
}

// As decodes what e carries. It returns ErrUnreadable if the data is no T or lacks one of T's members, or if its order or
// shop is not the envelope's.
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
	about := OrderRef{}
	if err := json.Unmarshal(e.Data, &about); err != nil || about != (OrderRef{e.Subject, e.Shop}) {
		return body, ErrUnreadable.Because(fmt.Errorf("%s %s is not about its subject", e.Type, e.ID))
	}
	return body, nil
}

// Members returns the names that a fact's body has in JSON, which are those of the attributes it is projected from.
func Members(body any) []string {
	t := reflect.TypeOf(body)
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
