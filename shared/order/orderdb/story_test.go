package orderdb_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/order/ordertest"
	"backroom/shared/record"
	"backroom/shared/saga"
)

func TestStories_ReadThePayment(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	rt := c.Runtime()
	stories := orderdb.Stories{Orders: rt.Table(c.Table("Orders")), Sources: []orderdb.Source{
		{By: saga.Reservations, Table: rt.Table(c.Table("Reservations")), Key: record.Key},
		{By: saga.Charges, Table: rt.Table(c.Table("Charges")), Key: record.Key},
	}}
	o := ordertest.New("main")
	_, err := orderdb.Store{Table: stories.Orders}.Create(t.Context(), o, saga.Cause{ID: "request"}, saga.OrderPlaced)
	require.NoError(t, err)
	c.Put("Reservations", `{"pk":"main#`+o.ID+`","version":1,"nonce":"h","observed":"reserved","history":[]}`)

	story, err := stories.Read(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Zero(t, story.Payment, "it has not begun")

	c.Put("Charges", `{"pk":"main#`+o.ID+
		`","version":1,"nonce":"c","observed":"action_needed","client_secret":"pi_1_secret_2","history":[]}`)
	story, err = stories.Read(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Equal(t, order.Payment{Status: order.ActionNeeded, ClientSecret: "pi_1_secret_2"}, story.Payment)
}
