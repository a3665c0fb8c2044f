package record

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"backroom/shared/saga"
)

// Told returns what one version of a row announces: an event for each of its facts that somebody hears, in the order of
// the log. Each carries what saga.Routes says, projected from this very image, so an old record that is read again tells
// what it told at first. It returns an error for an image that is no row of ours, or that lacks what a fact should carry.
func Told(image map[string]events.DynamoDBAttributeValue) ([]saga.Event, error) {
	document, err := json.Marshal(plainMap(image))
	if err != nil {
		return nil, fmt.Errorf("record: image: %w", err)
	}
	var row struct {
		PK      string `json:"pk"`
		Version int    `json:"version"`
		Nonce   string `json:"nonce"`
		Order   string `json:"order"`
		Shop    string `json:"shop"`
		Log     []struct {
			Version int       `json:"v"`
			Fact    saga.Fact `json:"fact"`
			At      int64     `json:"at"`
			Cause   string    `json:"cause"`
		} `json:"log"`
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(document, &row); err != nil {
		return nil, fmt.Errorf("record: image: %w", err)
	}
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, fmt.Errorf("record: image: %w", err)
	}
	if row.PK == "" || row.Version < 1 || row.Order == "" || row.Shop == "" {
		return nil, fmt.Errorf("record: image of %q, version %d, order %q, shop %q is no row of ours", row.PK, row.Version, row.Order, row.Shop)
	}
	var told []saga.Event
	index := 0
	for _, l := range row.Log {
		if l.Version != row.Version {
			continue
		}
		route, known := saga.Routes[l.Fact]
		if !known {
			return nil, fmt.Errorf("record: %s tells %q, a fact without a route", row.PK, l.Fact)
		}
		if l.Fact.Heard() {
			data, err := project(members, route.Carries)
			if err != nil {
				return nil, fmt.Errorf("record: %s tells %s: %w", row.PK, l.Fact, err)
			}
			told = append(told, saga.Event{
				SpecVersion: saga.SpecVersion,
				ID:          saga.EventID(route.By, row.PK, row.Version, index, row.Nonce),
				Source:      route.By, Type: l.Fact, Subject: row.Order, Shop: row.Shop,
				Time: time.UnixMilli(l.At).UTC(), CausationID: l.Cause, Data: data,
			})
		}
		index++
	}
	return told, nil
}

func project(members map[string]json.RawMessage, body any) (json.RawMessage, error) {
	data := map[string]json.RawMessage{}
	for _, name := range saga.Members(body) {
		value, ok := members[name]
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
