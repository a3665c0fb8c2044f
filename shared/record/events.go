package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/saga"
)

// Told returns what one version of a row announces: an event for each of its facts that somebody hears, in the order of
// the log. Each carries what saga.Routes says, projected from this very image, so an old record that is read again tells
// what it told at first. It returns an error for an image that is no row of ours, or that lacks what a fact should carry.
func Events(image map[string]events.DynamoDBAttributeValue) ([]saga.Event, error) {
	r, err := parse(plainMap(image))
	if err != nil {
		return nil, err
	}
	told, untold := r.events(func(l line) bool { return l.Version == r.Version })
	if len(untold) > 0 {
		return nil, untold[0]
	}
	return told, nil
}

// EventsSince returns what a row announced at or after a moment, in all versions that its log knows, as far as the row as it
// stands can still tell it: under the ids that the facts had at first, so that whoever heard them knows them again, and
// carrying what the row holds now, but for the version, which is the one that told. It names each fact that cannot be told any
// more: the row no longer holds what the fact should carry, or the log is full and the fact's id is lost with what came before it.
func EventsSince(image map[string]types.AttributeValue, since time.Time) ([]saga.Event, []Unrecoverable) {
	r, err := parse(plainItem(image))
	if err != nil {
		return nil, []Unrecoverable{{Row: r.PK, Why: err}}
	}
	return r.events(func(l line) bool { return l.At >= since.UnixMilli() })
}

// Untold is a fact that its row cannot tell.
type Unrecoverable struct {
	Row  string    // its key
	Fact saga.Fact // none, if the row is none of ours
	Why  error
}

// Error names the row, the fact and why.
func (u Unrecoverable) Error() string {
	return fmt.Sprintf("record: %s tells %s: %v", u.Row, u.Fact, u.Why)
}

// row is what an image says about the facts of its row.
type row struct {
	PK      string                     `json:"pk"`
	Version int                        `json:"version"`
	Nonce   string                     `json:"nonce"`
	Order   string                     `json:"order"`
	Shop    saga.Shop                  `json:"shop"`
	History []line                     `json:"history"`
	members map[string]json.RawMessage // all attributes
}

type line struct {
	Version int       `json:"v"`
	Fact    saga.Fact `json:"fact"`
	At      int64     `json:"at"` // milliseconds since 1970
	Cause   string    `json:"cause"`
}

func parse(image map[string]any) (r row, err error) {
	document, err := json.Marshal(image)
	if err != nil {
		return r, fmt.Errorf("record: image: %w", err)
	}
	if err := json.Unmarshal(document, &r); err != nil {
		return r, fmt.Errorf("record: image: %w", err)
	}
	if err := json.Unmarshal(document, &r.members); err != nil {
		return r, fmt.Errorf("record: image: %w", err)
	}
	if r.PK == "" || r.Version < 1 || r.Order == "" || r.Shop == "" {
		return r, fmt.Errorf("record: image of %q, version %d, order %q, shop %q is no row of ours", r.PK, r.Version, r.Order, r.Shop)
	}
	return r, nil
}

// tell returns the events of the facts that are meant and that somebody hears, and those that cannot be told.
func (r row) events(meant func(line) bool) (told []saga.Event, untold []Unrecoverable) {
	index := map[int]int{} // of the next fact, by version
	for _, l := range r.History {
		at := index[l.Version]
		index[l.Version]++
		if !meant(l) {
			continue
		}
		e, err := r.event(l, at)
		switch {
		case err != nil:
			untold = append(untold, Unrecoverable{r.PK, l.Fact, err})
		case l.Fact.HasConsumers():
			told = append(told, e)
		}
	}
	return told, untold
}

// event returns the event of a fact that is the index-th which the log has of its version.
func (r row) event(l line, index int) (saga.Event, error) {
	route, known := saga.Routes[l.Fact]
	switch {
	case !known:
		return saga.Event{}, errors.New("a fact without a route")
	case !l.Fact.HasConsumers():
		return saga.Event{}, nil
	case r.begunBefore(l):
		return saga.Event{}, errors.New("the log is full, and the beginning of that version is not in it")
	}
	data, err := r.project(l.Version, route.Data)
	return saga.Event{
		SpecVersion: saga.SpecVersion,
		ID:          saga.EventID(route.Source, r.PK, l.Version, index, r.Nonce),
		Source:      route.Source, Type: l.Fact, Subject: r.Order, Shop: r.Shop,
		Time: time.UnixMilli(l.At).UTC(), CausationID: l.Cause, Data: data,
	}, err
}

// begunBefore reports whether the log may have dropped other facts of the line's version that were told before it. What a full
// log dropped lies between its first line and its second.
func (r row) begunBefore(l line) bool {
	return len(r.History) >= HistoryLimit && l.Version == r.History[1].Version && l != r.History[0]
}

// project returns what a fact of a version carries. The version is the fact's own, and not what the row has by now: who hears facts
// that contradict each other goes by it.
func (r row) project(version int, body any) (json.RawMessage, error) {
	data := map[string]json.RawMessage{}
	for _, name := range saga.Members(body) {
		if name == "version" {
			data[name] = json.RawMessage(strconv.Itoa(version))
			continue
		}
		value, ok := r.members[name]
		if !ok || string(value) == "null" {
			return nil, fmt.Errorf("the row has no attribute %q", name)
		}
		data[name] = value
	}
	return json.Marshal(data)
}

func plainMap(image map[string]events.DynamoDBAttributeValue) map[string]any {
	m := make(map[string]any, len(image))
	for name, value := range image {
		m[name] = plain(value)
	}
	return m
}

// plain returns an attribute as JSON shows it; numbers keep every digit.
func plain(v events.DynamoDBAttributeValue) any {
	switch v.DataType() {
	case events.DataTypeString:
		return v.String()
	case events.DataTypeNumber:
		return json.Number(v.Number())
	case events.DataTypeBoolean:
		return v.Boolean()
	case events.DataTypeStringSet:
		return v.StringSet()
	case events.DataTypeMap:
		return plainMap(v.Map())
	case events.DataTypeList:
		list := make([]any, len(v.List()))
		for i, e := range v.List() {
			list[i] = plain(e)
		}
		return list
	}
	return nil // NULL; rows hold no binaries
}

func plainItem(image map[string]types.AttributeValue) map[string]any {
	m := make(map[string]any, len(image))
	for name, value := range image {
		m[name] = plainValue(value)
	}
	return m
}

// plainValue is plain for an attribute that was read from the table and not from its stream.
func plainValue(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return json.Number(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberM:
		return plainItem(v.Value)
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = plainValue(e)
		}
		return list
	}
	return nil
}
