package orderdb

import (
	"context"

	"backroom/shared/order"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Source is a table, other than the orders' own, with a row about each order.
type Source struct {
	By    saga.Source
	Table record.Table
	Key   func(shop saga.Shop, order string) string
}

// payment is the part of a charge's row that the readers of an order see.
type payment struct {
	Status       string `dynamodbav:"observed"`
	ClientSecret string `dynamodbav:"client_secret"`
	Refunds      []struct {
		ID     string            `dynamodbav:"id" record:"key"`
		Amount int64             `dynamodbav:"amount"`
		Status saga.RefundStatus `dynamodbav:"status"`
	} `dynamodbav:"external_refunds"`
	Disputes []struct {
		ID     string `dynamodbav:"id" record:"key"`
		Amount int64  `dynamodbav:"amount"`
		Status string `dynamodbav:"status"`
	} `dynamodbav:"disputes"`
}

func fromPayment(p payment) order.Payment {
	read := order.Payment{Status: p.Status, ClientSecret: p.ClientSecret}
	for _, r := range p.Refunds {
		read.Refunds = append(read.Refunds, order.ExternalRefund(r))
	}
	for _, d := range p.Disputes {
		read.Disputes = append(read.Disputes, order.Dispute(d))
	}
	return read
}

// Stories reads an order together with the histories of its rows in other domains.
type Stories struct {
	Orders  record.Table
	Sources []Source
}

// Read reads each row consistently, all in one call. The rows may be from different moments. It
// returns fault.NotFound if the shop has no such order.
func (s Stories) Read(ctx context.Context, shop saga.Shop, id string) (order.Story, error) {
	key := record.Key(shop, id)
	keys := map[string]string{s.Orders.Name: key}
	for _, source := range s.Sources {
		keys[source.Table.Name] = source.Key(shop, id)
	}
	images, err := record.LoadEach(ctx, s.Orders.DB, keys)
	if err != nil {
		return order.Story{}, err
	}
	if images[s.Orders.Name] == nil {
		return order.Story{}, record.ErrNotFound
	}
	var i item
	h, err := record.Decode(images[s.Orders.Name], &i)
	if err != nil {
		return order.Story{}, err
	}
	story := order.Story{
		Order: fromItem(i, h), Entries: entries(saga.Orders, key, h), Versions: []int64{int64(h.Version)},
	}
	for _, source := range s.Sources {
		var p payment
		h, err := record.Decode(images[source.Table.Name], &p)
		if err != nil {
			return order.Story{}, err
		}
		if source.By == saga.Charges {
			story.Payment = fromPayment(p)
		}
		story.Entries = append(story.Entries, entries(source.By, keys[source.Table.Name], h)...)
		story.Versions = append(story.Versions, int64(h.Version))
	}
	return story, nil
}

func entries(by saga.Source, key string, h saga.History) []order.StoryEntry {
	var all []order.StoryEntry
	index := map[int]int{} // of the next fact, by version
	for _, e := range h.Entries {
		all = append(all, order.StoryEntry{ID: saga.EventID(by, key, e.Version, index[e.Version], h.Nonce), Entry: e})
		index[e.Version]++
	}
	return all
}
