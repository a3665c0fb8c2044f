// Package wire is what the simulated services have in common: how AWS's JSON protocols say that a request is refused
// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), and what a request used.
package wire

import (
	"encoding/json"
	"maps"
	"net/http"
)

// Error is a refusal, as it goes over the wire.
type Error struct {
	Status  int            // of HTTP
	Type    string         // as in com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException
	Message string         // in AWS's words as far as anybody reads them
	Members map[string]any // what the document says beside its type and message, as CancellationReasons
}

// Refuse returns an error of the caller: status 400.
func Refuse(kind, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: kind, Message: message}
}

// Error returns the type and the message.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Document returns the body of the answer.
func (e *Error) Document() []byte {
	document := map[string]any{"__type": e.Type, "message": e.Message}
	maps.Copy(document, e.Members)
	body, err := json.Marshal(document)
	if err != nil {
		panic(err) // members are made of what JSON can say
	}
	return body
}

// Use is what a request used of one table, one index or one queue.
type Use struct {
	Resource string  // the name of the table or queue
	Index    string  // the name of the index; empty: the table itself, or a queue
	Writes   float64 // DynamoDB's write request units, doubled already in transactions
	Reads    float64 // DynamoDB's read request units: halves, where reads are eventually consistent
	Requests float64 // SQS's requests as they are billed: one for each 64 KiB begun
	Items    int     // items or messages that were read or written
	Bytes    int     // their size
}
