package saga_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// sample returns the message in testdata, with some text of it replaced.
func sample(t *testing.T, fact saga.Fact, replacements ...string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", string(fact)+".json"))
	require.NoError(t, err)
	changed := strings.NewReplacer(replacements...).Replace(string(body))
	require.True(t, len(replacements) == 0 || changed != string(body), "nothing was replaced: %v", replacements)
	return changed
}

func TestDecode_AcceptsOnlyTheFactsThatRoutesSendsToTheStep(t *testing.T) {
	for fact, route := range saga.Routes {
		if !fact.HasConsumers() {
			continue
		}
		for _, step := range saga.Steps {
			e, err := saga.Decode(step, sample(t, fact))
			if !slices.Contains(route.To, step) {
				assert.ErrorIs(t, err, saga.ErrNotConsumed, "%s of %s", step, fact)
				continue
			}
			require.NoError(t, err, "%s of %s", step, fact)
			assert.Equal(t, saga.Cause{ID: e.ID, Actor: string(step)}, e.Cause())
			assert.Equal(t, fact, e.Type)
		}
	}
}

func TestRoutes_GoldenMessagesCarryExactlyTheDeclaredData(t *testing.T) {
	for fact, route := range saga.Routes {
		if !fact.HasConsumers() {
			continue
		}
		var e saga.Event
		require.NoError(t, json.Unmarshal([]byte(sample(t, fact)), &e))
		var carried map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(e.Data, &carried))
		var names []string
		for name := range carried {
			names = append(names, name)
		}
		assert.ElementsMatch(t, saga.Members(route.Data), names, fact)
		assert.Contains(t, names, "order", fact)
		assert.Contains(t, names, "shop", fact)
		assert.NotContains(t, sample(t, fact), "anna", "%s carries personal data", fact)

		body := reflect.New(reflect.TypeOf(route.Data))
		require.NoError(t, json.Unmarshal(e.Data, body.Interface()))
		again, err := json.Marshal(body.Elem().Interface())
		require.NoError(t, err)
		assert.JSONEq(t, string(e.Data), string(again), "decoding and encoding %s loses nothing", fact)
	}
}

func TestDecode_RefusesWhatIsNotAnEventOfThisSaga(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		err  error
	}{
		"an empty body":       {"", saga.ErrUnreadable},
		"not JSON":            {"{", saga.ErrUnreadable},
		"a list":              {"[]", saga.ErrUnreadable},
		"two documents":       {sample(t, saga.OrderPlaced) + "{}", saga.ErrUnreadable},
		"a later specversion": {sample(t, saga.OrderPlaced, `"1.0"`, `"2.0"`), saga.ErrUnreadable},
		"an event without id": {sample(t, saga.OrderPlaced, `"orders:main#ord_1@1.0~nonce"`, `""`),
			saga.ErrUnreadable},
		"an event without shop": {sample(t, saga.OrderPlaced, `"main"`, `""`), saga.ErrUnreadable},
		"an event without subject": {sample(t, saga.OrderPlaced, `"subject": "ord_1"`, `"subject": ""`),
			saga.ErrUnreadable},
		"an unknown fact":         {sample(t, saga.OrderPlaced, `"OrderPlaced"`, `"OrderEaten"`), saga.ErrNotConsumed},
		"a fact for another step": {sample(t, saga.StockReserved), saga.ErrNotConsumed},
		"a fact without consumers": {sample(t, saga.OrderPlaced, `"OrderPlaced"`, `"OrderSettled"`),
			saga.ErrNotConsumed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := saga.Decode(saga.ReserveStock, c.body)
			assert.ErrorIs(t, err, c.err)
			assert.True(t, fault.KindOf(err).Permanent(), "it belongs in the dead-letter queue: %v", err)
		})
	}
}

func TestAs_RefusesDataThatDoesNotMatchTheFact(t *testing.T) {
	for name, replacements := range map[string][]string{
		"a member is missing":              {`"total": 9007199254740992`, `"totals": 1`},
		"a member is null":                 {`"total": 9007199254740992`, `"total": null`},
		"a member has another type":        {`"total": 9007199254740992`, `"total": "1"`},
		"an amount is not an integer":      {`"total": 9007199254740992`, `"total": 0.5`},
		"the data names another order":     {`"order": "ord_1"`, `"order": "ord_2"`},
		"the envelope names another order": {`"subject": "ord_1"`, `"subject": "ord_2"`},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := saga.Decode(saga.ReserveStock, sample(t, saga.OrderPlaced, replacements...))
			require.NoError(t, err)
			_, err = saga.As[saga.OrderContents](e)
			assert.ErrorIs(t, err, saga.ErrUnreadable)
		})
	}
	t.Run("members that a later version adds are ignored", func(t *testing.T) {
		e, err := saga.Decode(saga.ReserveStock, sample(t, saga.OrderPlaced, `"total":`, `"gift": true, "total":`))
		require.NoError(t, err)
		contents, err := saga.As[saga.OrderContents](e)
		require.NoError(t, err)
		assert.EqualValues(t, 1<<53, contents.Total, "no digit is lost")
	})
}
