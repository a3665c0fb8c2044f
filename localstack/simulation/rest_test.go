package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/simulation"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// release is a newer release that writes rows, too. It adds attributes that this release does not
// know: to each row of each table of the template, to each map in it, and to each element of a list.
type release struct {
	*store
	added map[string]bool // by table, key and path
}

// data are the maps whose members are data, and not attributes.
var data = []string{"prices", "metadata", "refund_ids"}

// visit calls do for a map and for all maps in it. An element of a list is named by its natural key.
func visit(path string, value map[string]any, do func(path string, value map[string]any)) {
	do(path, value)
	for _, name := range slices.Sorted(maps.Keys(value)) {
		switch member := value[name].(type) {
		case map[string]any:
			if !slices.Contains(data, name) {
				visit(path+"/"+name, member, do)
			}
		case []any:
			for _, element := range member {
				if m, ok := element.(map[string]any); ok {
					key := fmt.Sprint(m["id"], m["sku"], m["name"], m["v"], m["fact"])
					visit(fmt.Sprintf("%s/%s/%s", path, name, key), m, do)
				}
			}
		}
	}
}

// each calls do for all maps of all rows of all tables, and then done for their row.
func (r release) each(do func(path string, value map[string]any), done func(table string, row map[string]any)) {
	for table, rows := range r.Stack.State() {
		for _, document := range rows {
			var row map[string]any
			require.NoError(r.t, json.Unmarshal([]byte(document), &row))
			visit(fmt.Sprintf("%s/%s", table, row["pk"]), row, do)
			done(table, row)
		}
	}
}

// write adds attributes wherever there are none yet. As each writer of a row does, it raises the
// row's version, if it has one.
func (r release) write() {
	changed := false
	r.each(func(path string, value map[string]any) {
		if !r.added[path] {
			value["extra"], r.added[path], changed = path, true, true
		}
	}, func(table string, row map[string]any) {
		if !changed {
			return
		}
		changed = false
		if version, ok := row["version"].(float64); ok {
			row["version"] = version + 1
		}
		document, err := json.Marshal(row)
		require.NoError(r.t, err)
		r.Stack.Put(table, string(document))
	})
}

// lost returns which attributes are no longer where they were added.
func (r release) lost() []string {
	lost := maps.Clone(r.added)
	r.each(func(path string, value map[string]any) {
		if value["extra"] == path {
			delete(lost, path)
		}
	}, func(string, map[string]any) {})
	return slices.Sorted(maps.Keys(lost))
}

// Two releases run at the same time in a deployment, and a rollback lets an older one write what a
// newer one wrote. All tables are in this test by themselves.
func TestRelease_KeepsWhatANewerOneAdds(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, simulation.Settings{Seed: seed}, 10)
				newer := release{store: s, added: map[string]bool{}}
				product := func(sku string, price int64) {
					s.Meanwhile(time.Hour, func(connection *http.Client) {
						api := s.api(connection)
						_, err := api.AddProduct(context.Background(), s.token(api, ""), sku, client.ProductContent{
							Title: "A thing", Prices: shop.Euro(price), Variants: []client.ProductVariantRequest{
								{SKU: sku + "-XL", Title: "Large", Options: map[string]string{"size": "XL"}},
								{SKU: sku + "-S", Title: "Small", Prices: shop.Euro(price - 1)},
							},
						})
						assert.NoError(t, err)
					})
				}
				product("MUG", 500)
				s.buyer("ada").place(basket("pm_card_visa", 3))
				s.buyer("bob").place(basket("pm_card_visa_chargeDeclined", 3))
				canceled := s.buyer("eve").place(basket("pm_sandbox_slow_3000", 3))
				steps := 0
				meanwhile := func(done func() bool) func() bool {
					return func() bool {
						if steps++; steps%7 == 0 {
							newer.write()
						}
						return done()
					}
				}
				require.True(t, s.Run(time.Hour, meanwhile(func() bool { return canceled.row("Charges").PK != "" })))
				canceled.cancel()
				require.True(t, s.Run(24*time.Hour, meanwhile(s.over)), "an order never ends")
				newer.write()
				product("MUG", 400)
				require.True(t, s.Run(24*time.Hour, s.over))
				assert.Empty(t, newer.lost(), "of %d", len(newer.added))
				for table, rows := range s.Stack.State() {
					// no circuit opens here: shared/circuit tests its row
					assert.True(t, len(rows) > 0 || table == "Circuits", "the test writes no row of %s", table)
				}
				s.audit(harm{})
			})
		})
	}
}
