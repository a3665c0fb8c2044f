package stockdb_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
	"backroom/shared/stock/stocktest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	stocktest.Exercise(t, func(t *testing.T) stocktest.Store {
		c := cloudtest.New(t)
		rt := c.Runtime()
		levels := stockdb.Levels{DB: rt.DynamoDB(), Name: c.Table("Levels")}
		return stocktest.Store{
			Store:  stockdb.Store{Reservations: rt.Table(c.Table("Reservations")), Levels: levels},
			Adjust: levels.Adjust,
			Level: func(t *testing.T, shop saga.Shop, sku string) stock.Level {
				level := stock.Level{Shop: shop, SKU: sku}
				if row := c.Row("Levels", record.Key(shop, "sku#"+sku)); row != "" {
					require.NoError(t, json.Unmarshal([]byte(row), &level))
				}
				return level
			},
			Load: levels.Load,
		}
	})
}
