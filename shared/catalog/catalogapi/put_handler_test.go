package catalogapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/catalog"
	"backroom/shared/money"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func TestPutHandler_EqualContentsChangeNothing(t *testing.T) {
	t.Parallel()
	one := productContent{Title: "Mug",
		Prices: []money.Money{{Amount: 2, Currency: "JPY"}, {Amount: 1, Currency: "EUR"}}}
	other := productContent{
		Title: "Mug", Prices: []money.Money{{Amount: 1, Currency: "EUR"}, {Amount: 2, Currency: "JPY"}},
		Variants: []ProductVariant{},
	}
	assert.Equal(t, one.content(), other.content())
	assert.Equal(t,
		productContent{Variants: []ProductVariant{{SKU: "A"}}}.content(),
		productContent{Variants: []ProductVariant{{SKU: "A", Prices: []money.Money{},
			Options: map[string]string{}}}}.content())
	assert.Equal(t, "JPY", one.Prices[0].Currency, "what was sent stays as it was sent")
}

func TestPutHandler_ChecksPreconditions(t *testing.T) {
	t.Parallel()
	none := catalog.Product{}
	first := none.Rewritten(catalog.Content{Title: "Mug"}, noon)
	third := first.Rewritten(catalog.Content{Title: "Cup"}, noon).Rewritten(catalog.Content{Title: "Mug"}, noon)
	deleted := third.Deleted(noon)
	back := deleted.Rewritten(catalog.Content{Title: "Mug"}, noon)
	for what, c := range map[string]struct {
		stored           catalog.Product
		match, noneMatch string
		applies, repeats bool // repeats: of a request with the content that is stored
	}{
		"creating what is not there":                      {stored: none, noneMatch: "*", applies: true},
		"creating what is there":                          {stored: first, noneMatch: "*", repeats: true},
		"creating what was changed since":                 {stored: third, noneMatch: "*"},
		"creating what was deleted":                       {stored: deleted, noneMatch: "*", applies: true},
		"creating again what came back":                   {stored: back, noneMatch: "*", repeats: true},
		"changing what is not there":                      {stored: none, match: `"v1"`},
		"changing whatever is there, but nothing is":      {stored: none, match: `*`},
		"changing whatever is there":                      {stored: third, match: `*`, applies: true, repeats: true},
		"changing whatever is there, but it is deleted":   {stored: deleted, match: `*`},
		"changing what was read":                          {stored: third, match: `"v3"`, applies: true, repeats: true},
		"changing what was read, and the answer was lost": {stored: third, match: `"v2"`, repeats: true},
		"changing what was changed since":                 {stored: third, match: `"v1"`},
		"changing one of several versions": {stored: third, match: `"v1", "v3"`, applies: true,
			repeats: true},
		"a weak tag":                                    {stored: third, match: `W/"v3"`},
		"changing what was deleted since":               {stored: deleted, match: `"v3"`},
		"bringing back what one deleted":                {stored: deleted, match: `"v4"`, applies: true},
		"bringing back, and the answer was lost":        {stored: back, match: `"v4"`, repeats: true},
		"writing unless one knows it, and one does":     {stored: third, noneMatch: `"v3"`},
		"writing unless one knows it, and one does not": {stored: third, noneMatch: `"v2"`, applies: true},
		"both, and both hold": {stored: third, match: `"v3"`, noneMatch: `"v2"`,
			applies: true, repeats: true},
		"both, and one does not": {stored: third, match: `"v3"`, noneMatch: `*`},
	} {
		in := &putInput{}
		require.NoError(t, in.IfMatch.UnmarshalText([]byte(c.match)))
		require.NoError(t, in.IfNoneMatch.UnmarshalText([]byte(c.noneMatch)))
		assert.Equal(t, c.applies, applies(in, c.stored), what)
		assert.Equal(t, c.repeats, c.stored.Says(c.stored.Content) && repeats(in, c.stored), what)
	}
}
