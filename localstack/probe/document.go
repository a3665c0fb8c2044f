package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Operations returns which identities may call each operation of the document. By its security, an operation
// is for the customers if a customer's token can have all its scopes, and for the staff only otherwise.
func Operations(document string) (map[string][]string, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		return nil, err
	}
	may := map[string][]string{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			allowed := Customers
			scopes, _ := operation.Extensions["x-scopes"].([]any)
			for _, scope := range scopes {
				if !slices.Contains(customerScopes, fmt.Sprint(scope)) {
					allowed = []string{Staff}
				}
			}
			may[strings.ToUpper(method)+" "+path] = allowed
		}
	}
	return may, nil
}

// customerScopes are all scopes that a customer's token can have.
var customerScopes = []string{"orders:write", "orders:read"}
