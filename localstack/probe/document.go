package probe

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Operations returns who may do each operation of the document, by what its security says: the customers what needs no scope that a
// customer's token cannot grant, and only the staff the rest.
func Operations(document string) (map[string][]string, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		return nil, err
	}
	may := map[string][]string{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			who := Customers
			if operation.Security != nil {
				for _, requirement := range *operation.Security {
					for _, scope := range requirement["bearer"] {
						if !slices.Contains(customerScopes, scope) {
							who = []string{Staff}
						}
					}
				}
			}
			may[strings.ToUpper(method)+" "+path] = who
		}
	}
	return may, nil
}

// customerScopes are what a token that speaks for a customer grants at most.
var customerScopes = []string{"orders:write", "orders:read"}
