package orderdb

import (
	"context"

	"backroom/shared/order"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Teller is a table in which an order's story goes on, beside its own.
type Source struct {
	By    saga.Source
	Table record.Table
	Key   func(shop saga.Shop, order string) string
}

// payment is what an order's readers want to know of its charge.
type payment struct {
	Status       string `dynamodbav:"observed"`
	ClientSecret string `dynamodbav:"client_secret"`
}

// Stories reads an order and the diaries of the rows that other domains keep about it.
type Stories struct {
	Orders  record.Table
	Sources []Source
}

// Read reads all rows in one consistent call; the rows are no snapshot of one moment. It returns fault.NotFound if the shop
// has no such order.
func (s Stories) Read(ctx context.Context, shop saga.Shop, id string) (order.Story, error) {
	key := record.Key(shop, id)
	keys := map[string]string{s.Orders.Name: key}
	for _, t := range s.Sources {
		keys[t.Table.Name] = t.Key(shop, id)
	}
	images, err := record.LoadEach(ctx, s.Orders.DB, keys)
	if err != nil {
		return order.Story{}, err
	}
	if images[s.Orders.Name] == nil {
		return order.Story{}, record.ErrNotFound
	}
	var i item
	d, err := record.Decode(images[s.Orders.Name], &i)
	if err != nil {
		return order.Story{}, err
	}
	story := order.Story{Order: fromItem(i, d), Entries: entries(saga.Orders, key, d), Versions: []int64{int64(d.Version)}}
	for _, t := range s.Sources {
		var told payment
		d, err := record.Decode(images[t.Table.Name], &told)
		if err != nil {
			return order.Story{}, err
		}
		if t.By == saga.Charges {
			story.Payment = order.Payment(told)
		}
		story.Entries = append(story.Entries, entries(t.By, keys[t.Table.Name], d)...)
		story.Versions = append(story.Versions, int64(d.Version))
	}
	return story, nil
}

func entries(by saga.Source, key string, d saga.History) []order.StoryEntry {
	var all []order.StoryEntry
	index := map[int]int{} // of the next fact, by version
	for _, e := range d.Entries {
		all = append(all, order.StoryEntry{ID: saga.EventID(by, key, e.Version, index[e.Version], d.Nonce), Entry: e})
		index[e.Version]++
	}
	return all
}
