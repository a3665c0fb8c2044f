package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/api"
	"backroom/shared/identity"
)

func TestDerivedID_BelongsToTheSubjectOfTheToken(t *testing.T) {
	t.Parallel()
	web := identity.Caller{Shop: "main", Subject: "ada", Client: "web"}
	id := api.DerivedID("ord", web, "key")
	for what, row := range map[string]struct {
		caller identity.Caller
		same   bool
	}{
		"another client for the same customer": {identity.Caller{Shop: "main", Subject: "ada", Client: "app"}, true},
		"another customer":                     {identity.Caller{Shop: "main", Subject: "bob", Client: "web"}, false},
		"another shop":                         {identity.Caller{Shop: "other", Subject: "ada", Client: "web"}, false},
		"the client for itself": {
			identity.Caller{Shop: "main", Subject: "client:web", Client: "web"}, false,
		},
	} {
		assert.Equal(t, row.same, id == api.DerivedID("ord", row.caller, "key"), what)
	}
}
