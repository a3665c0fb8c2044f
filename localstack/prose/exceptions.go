package prose

// Exceptions are wordings that stay.
var Exceptions = []Exception{
	{"localstack/cloudsim/dynamo/expression/parser.go", "The expression can not be empty;",
		"DynamoDB's own error text"},
	{"localstack/cloudsim/dynamo/expression/expression_test.go", "The expression can not be empty;",
		"DynamoDB's own error text"},
}
