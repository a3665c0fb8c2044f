package orderdb_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/order/ordertest"
	"backroom/shared/record"
	"backroom/shared/saga"
)

func TestStore(t *testing.T) {
	t.Parallel()
	ordertest.Exercise(t, func(t *testing.T) ordertest.Store {
		c := cloudtest.New(t)
		return orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}
	})
}

// A page of an index holds a megabyte. Pages of one order test that the store reads all pages.
func TestStore_InPagesOfOne(t *testing.T) {
	t.Parallel()
	ordertest.Exercise(t, func(t *testing.T) ordertest.Store {
		c := cloudtest.New(t)
		rows := c.Runtime().Table(c.Table("Orders"))
		cfg := c.Runtime().AWS
		cfg.HTTPClient = pagesOfOne{cfg.HTTPClient.(*http.Client)}
		rows.DB = dynamodb.NewFromConfig(cfg)
		return orderdb.Store{Table: rows}
	})
}

// pagesOfOne is a connection that limits the pages of every query to one item.
type pagesOfOne struct{ *http.Client }

func (p pagesOfOne) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.Replace(body, []byte(`{`), []byte(`{"Limit":1,`), 1)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
	}
	return p.Client.Do(r)
}

func TestStories_ReadHistoriesOfAllRows(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	rows := func(name string) record.Table {
		r := c.Runtime().Table(c.Table(name))
		r.Nonce = func() string { return "nonce" }
		return r
	}
	stories := orderdb.Stories{Orders: rows("Orders"), Sources: []orderdb.Source{
		{By: saga.Reservations, Table: rows("Reservations"), Key: record.Key},
		{
			By: saga.Charges, Table: rows("Charges"),
			Key: func(shop saga.Shop, id string) string { return record.Key(shop, id+"#1") },
		},
	}}
	o := ordertest.New("main")

	_, err := stories.Read(t.Context(), o.Shop, o.ID)
	require.ErrorIs(t, err, fault.NotFound)

	store := orderdb.Store{Table: rows("Orders")}
	_, err = store.Create(t.Context(), o, saga.Cause{ID: "request", Actor: "anna"}, saga.OrderPlaced)
	require.NoError(t, err)
	story, err := stories.Read(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 0, 0}, story.Versions, "no step has answered yet")
	assert.Equal(t, []string{"orders:main#" + o.ID + "@1.0~nonce"}, ids(story))

	c.Put("Reservations", `{"pk":"main#`+o.ID+`","version":4,"nonce":"h","history":[
		{"v":3,"fact":"StockReserved","at":1,"cause":"c","actor":"a"},{"v":4,"fact":"StockReserved","at":2,"cause":"d","actor":"a"},{"v":4,"fact":"StockShort","at":2,"cause":"d","actor":"a"}]}`)
	c.Put("Charges", `{"pk":"main#`+o.ID+
		`#1","version":2,"nonce":"c","history":[{"v":2,"fact":"PaymentAuthorized","at":3,"cause":"e","actor":"b"}]}`)
	story, err = stories.Read(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 4, 2}, story.Versions)
	assert.Equal(t, []string{
		"orders:main#" + o.ID + "@1.0~nonce", "reservations:main#" + o.ID + "@3.0~h", "reservations:main#" + o.ID +
			"@4.0~h", "reservations:main#" + o.ID + "@4.1~h", "charges:main#" + o.ID + "#1@2.0~c",
	}, ids(story), "the facts were sent with these ids")
	assert.Equal(t, o.ID, story.Order.ID)
}

func ids(s order.Story) []string {
	var list []string
	for _, e := range s.Entries {
		list = append(list, e.ID)
	}
	return list
}
