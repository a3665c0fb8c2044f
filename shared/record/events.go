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

// Events returns the events of one version of a row: one for each of its facts that has a consumer,
// in the order of the history. An event carries the data that saga.Routes names, taken from this
// image, so that an old record gives the same events when it is read again. Events returns an error
// for an image that is not a row of ours, or that lacks data of a fact.
func Events(image map[string]events.DynamoDBAttributeValue) ([]saga.Event, error) {
	r, err := parse(plainMap(image))
	if err != nil {
		return nil, err
	}
	published, unrecoverable := r.events(func(l line) bool { return l.Version == r.Version })
	if len(unrecoverable) > 0 {
		return nil, unrecoverable[0]
	}
	return published, nil
}

// EventsSince returns the events of a row at or after a moment, in all versions that its history
// has. The events keep the ids that they had at first, so that consumers recognise the ones they
// handled. They keep their version, too; all other data is what the row holds now. EventsSince also
// returns each fact that cannot be published again: the row no longer holds the fact's data, or the
// history is full and the fact's id is lost with the dropped entries.
func EventsSince(image map[string]types.AttributeValue, since time.Time) ([]saga.Event, []Unrecoverable) {
	r, err := parse(plainItem(image))
	if err != nil {
		return nil, []Unrecoverable{{Row: r.PK, Why: err}}
	}
	return r.events(func(l line) bool { return l.At >= since.UnixMilli() })
}

// Unrecoverable is a fact that cannot be published again from its row.
type Unrecoverable struct {
	Row  string    // its key
	Fact saga.Fact // empty if the row is not one of ours
	Why  error
}

// Error names the row, the fact and why.
func (u Unrecoverable) Error() string {
	return fmt.Sprintf("record: %s cannot publish %s: %v", u.Row, u.Fact, u.Why)
}

// row is the part of an image that its events need.
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
		return r, fmt.Errorf("record: image of %q, version %d, order %q, shop %q is not a row of ours",
			r.PK, r.Version, r.Order, r.Shop)
	}
	return r, nil
}

// events returns the events of the selected facts that have a consumer, and the selected facts that
// cannot be published.
func (r row) events(selected func(line) bool) (published []saga.Event, unrecoverable []Unrecoverable) {
	index := map[int]int{} // of the next fact, by version
	for _, l := range r.History {
		at := index[l.Version]
		index[l.Version]++
		if !selected(l) {
			continue
		}
		e, err := r.event(l, at)
		switch {
		case err != nil:
			unrecoverable = append(unrecoverable, Unrecoverable{r.PK, l.Fact, err})
		case l.Fact.HasConsumers():
			published = append(published, e)
		}
	}
	return published, unrecoverable
}

// event returns the event of a fact, which is the index-th of its version in the history.
func (r row) event(l line, index int) (saga.Event, error) {
	route, known := saga.Routes[l.Fact]
	switch {
	case !known:
		return saga.Event{}, errors.New("a fact without a route")
	case !l.Fact.HasConsumers():
		return saga.Event{}, nil
	case r.begunBefore(l):
		return saga.Event{}, errors.New("the history is full, and the beginning of that version is not in it")
	}
	data, err := r.project(l.Version, route.Data)
	return saga.Event{
		SpecVersion: saga.SpecVersion,
		ID:          saga.EventID(route.Source, r.PK, l.Version, index, r.Nonce),
		Source:      route.Source, Type: l.Fact, Subject: r.Order, Shop: r.Shop,
		Time: time.UnixMilli(l.At).UTC(), CausationID: l.Cause, Data: data,
	}, err
}

// begunBefore reports whether the history may have dropped earlier facts of the line's version. A
// full history drops entries between its first and its second line.
func (r row) begunBefore(l line) bool {
	return len(r.History) >= HistoryLimit && l.Version == r.History[1].Version && l != r.History[0]
}

// project returns the data of a fact of a version. The version is the fact's own and not the row's
// current one, because a consumer decides by it which of two contradicting facts is later.
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

// plain returns an attribute in its JSON form; numbers keep every digit.
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
	return nil // NULL; rows have no binary attributes
}

func plainItem(image map[string]types.AttributeValue) map[string]any {
	m := make(map[string]any, len(image))
	for name, value := range image {
		m[name] = plainValue(value)
	}
	return m
}

// plainValue is plain for an attribute from the table instead of its stream.
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
