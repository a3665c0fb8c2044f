package prose

// Exceptions are wordings that stay.
var Exceptions = []Exception{
	{"localstack/cloudsim/dynamo/expression/parser.go", "The expression can not be empty;", "DynamoDB's own error text"},
	{"localstack/cloudsim/dynamo/expression/expression_test.go", "The expression can not be empty;", "DynamoDB's own error text"},
}

// Left is how many hits each pattern may have until they are reworded. A number only falls; a
// pattern that is not here has none.
var Left = map[string]int{
	"noun-who":      46,
	"subject-who":   15,
	"whoever":       76,
	"anew":          27,
	"is-none":       54,
	"is-no":         142,
	"had-had":       2,
	"for-ever":      11,
	"any-more":      100,
	"can-not":       28,
	"in-vain":       15,
	"at-odds":       1,
	"spoken-for":    7,
	"befall":        21,
	"but-for":       9,
	"that-there-is": 1,
	"comes-to-end":  8,
	"stands":        110,
	"hears":         112,
	"tells":         289,
}
