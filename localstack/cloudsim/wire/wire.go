// Package wire is what the simulated services share: the errors of AWS's JSON protocols
// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), and the usage of a request.
package wire

import (
	"encoding/json"
	"maps"
	"net/http"
)

// Error is an error response of a service.
type Error struct {
	Status  int            // HTTP status
	Type    string         // as in com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException
	Message string         // AWS's text wherever a client reads it
	Members map[string]any // further members of the document, as CancellationReasons
}

// Refuse returns a client error, with status 400.
func Refuse(kind, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: kind, Message: message}
}

// Error returns the type and the message, with a colon between them.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Document returns the body of the error response.
func (e *Error) Document() []byte {
	document := map[string]any{"__type": e.Type, "message": e.Message}
	maps.Copy(document, e.Members)
	body, err := json.Marshal(document)
	if err != nil {
		panic(err) // members hold only values that JSON has
	}
	return body
}

// Use is what one request used of one table, index or queue.
type Use struct {
	Resource string  // the name of the table or queue
	Index    string  // the name of the index; empty: the table itself, or a queue
	Writes   float64 // DynamoDB's write request units; a transaction's are already doubled
	Reads    float64 // DynamoDB's read request units; an eventually consistent read counts half
	Requests float64 // SQS's billed requests: one per 64 KiB or part of it
	Items    int     // items or messages read or written
	Bytes    int     // the size of those items or messages
}
