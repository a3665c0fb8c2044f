package orderdb_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/order/ordertest"
	"backroom/shared/record"
	"backroom/shared/saga"
)

func TestStore_Lists(t *testing.T) {
	t.Parallel()
	ordertest.ExerciseLists(t, func(t *testing.T) ordertest.Lister {
		c := cloudtest.New(t)
		return orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}
	})
}

func TestStore_ListsFromIndexPagesOfOne(t *testing.T) {
	t.Parallel()
	ordertest.ExerciseLists(t, func(t *testing.T) ordertest.Lister {
		c := cloudtest.New(t)
		rows := c.Runtime().Table(c.Table("Orders"))
		cfg := c.Runtime().AWS
		cfg.HTTPClient = pagesOfOne{cfg.HTTPClient.(*http.Client)}
		rows.DB = dynamodb.NewFromConfig(cfg)
		return orderdb.Store{Table: rows}
	})
}

// interruption is a connection that does something before the first request for an operation.
type interruption struct {
	*http.Client
	operation string
	do        func()
}

func (b *interruption) Do(r *http.Request) (*http.Response, error) {
	if b.do != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+b.operation) {
		b.do()
		b.do = nil
	}
	return b.Client.Do(r)
}

func TestList_LeavesOutOrdersThatChangedSinceTheIndexWasRead(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	rows := cloud.Runtime().Table(cloud.Table("Orders"))
	store := orderdb.Store{Table: rows}
	create := func(change func(*order.Order)) order.Order {
		o := ordertest.New("main")
		change(&o)
		_, err := store.Create(t.Context(), o, saga.Cause{ID: "request"}, saga.OrderPlaced)
		require.NoError(t, err)
		o, err = store.Load(t.Context(), "main", o.ID)
		require.NoError(t, err)
		return o
	}
	needAttention := func(o *order.Order) {
		o.Outcome, o.Awaits, o.Attention = order.Confirmed, []order.Awaited{order.AwaitsCapture}, order.CaptureFailed
	}
	for sentence, c := range map[string]struct {
		filter order.Filter
		given  func(*order.Order)
		change func(order.Order)
	}{
		"an order that was deleted": {order.Filter{Customer: "anna"}, func(*order.Order) {}, func(o order.Order) {
			_, err := store.Table.DB.DeleteItem(
				t.Context(),
				&dynamodb.DeleteItemInput{TableName: &rows.Name, Key: record.PrimaryKey(record.Key("main", o.ID))},
			)
			assert.NoError(t, err)
		}},
		"an order that was erased": {order.Filter{Customer: "anna"},
			func(o *order.Order) { o.Awaits, o.Due = nil, time.Time{} }, func(o order.Order) {
				o, facts, err := order.Erase(o)
				assert.NoError(t, err)
				assert.NoError(t, store.Save(t.Context(), o, saga.Cause{ID: "event"}, facts...))
			}},
		"an order that was resolved": {order.Filter{Attention: true}, needAttention, func(o order.Order) {
			o, facts, err := order.Resolve(
				o, order.Resolution{ID: "res_1", Action: order.Retry}, ordertest.Noon, time.Minute,
			)
			assert.NoError(t, err)
			assert.NoError(t, store.Save(t.Context(), o, saga.Cause{ID: "event"}, facts...))
		}},
	} {
		changes, stays := create(c.given), create(c.given)
		cfg := cloud.Runtime().AWS
		cfg.HTTPClient = &interruption{cfg.HTTPClient.(*http.Client), "BatchGetItem", func() { c.change(changes) }}
		late := rows
		late.DB = dynamodb.NewFromConfig(cfg)
		listed, _, err := orderdb.Store{Table: late}.List(t.Context(), "main", c.filter, 20, nil)
		require.NoError(t, err)
		var ids []string
		for _, o := range listed {
			ids = append(ids, o.ID)
		}
		assert.NotContains(t, ids, changes.ID, sentence)
		assert.Contains(t, ids, stays.ID)
	}
}

func TestList_ReturnsAnErrorForWhatItCannotRead(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	store := orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}
	_, _, err := store.List(t.Context(), "main", order.Filter{Day: "yesterday"}, 20, nil)
	require.Error(t, err)
	_, _, err = store.List(t.Context(), "main", order.Filter{Attention: true}, 20, map[string]string{"at": "long ago"})
	require.Error(t, err)
	c.Put("Orders",
		`{"pk":"main#ord_1","customer":"main#anna","placed_at":1,"order":"ord_1","shop":"main","lines":"none"}`)
	_, _, err = store.List(t.Context(), "main", order.Filter{Customer: "anna"}, 20, nil)
	require.Error(t, err, "an order that cannot be decoded is an error, not left out")
}
