package simulation

import (
	"encoding/json"
	"net/http"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudsim/wire"
)

// writes are the requests that can conflict with a transaction.
var writes = map[string]bool{"PutItem": true, "UpdateItem": true, "DeleteItem": true, "TransactWriteItems": true}

const dynamoErrors = "com.amazonaws.dynamodb.v20120810#"

// refusal returns the answer of a service to a request that is throttled or that conflicts with another.
func refusal(c *call) cloudsim.Answer {
	switch {
	case c.request.Operation == "TransactWriteItems" && c.fault == Conflict:
		return canceled(c.request.Body, "TransactionConflict", "Transaction is ongoing for the item")
	case c.request.Operation == "TransactWriteItems":
		return canceled(c.request.Body, "ThrottlingError",
			"Throughput exceeds the current capacity of your table or index.")
	case c.fault == Conflict:
		return cloudsim.Refusal(
			wire.Refuse(dynamoErrors+"TransactionConflictException", "Transaction is ongoing for the item"))
	case c.request.Service == cloudsim.DynamoDB:
		return cloudsim.Refusal(
			wire.Refuse(dynamoErrors+"ThrottlingException",
				"Throughput exceeds the current capacity of your table or index."))
	case c.request.Service == cloudsim.SQS:
		return cloudsim.Refusal(wire.Refuse("com.amazonaws.sqs#RequestThrottled", "Request is throttled."))
	case c.request.Service == "":
		return cloudsim.Answer{Status: http.StatusTooManyRequests,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"message":"Too Many Requests"}`)}
	}
	return cloudsim.Refusal(wire.Refuse("ThrottlingException", "Rate exceeded"))
}

// canceled returns the answer to a transaction whose first action failed with a code.
func canceled(body []byte, code, message string) cloudsim.Answer {
	var asked struct{ TransactItems []json.RawMessage }
	reasons := []map[string]string{{"Code": code, "Message": message}}
	if json.Unmarshal(body, &asked) == nil {
		for range len(asked.TransactItems) - 1 {
			reasons = append(reasons, map[string]string{"Code": "None"})
		}
	}
	e := wire.Refuse(dynamoErrors+"TransactionCanceledException",
		"Transaction canceled, please refer cancellation reasons for specific reasons ["+code+"]")
	e.Members = map[string]any{"CancellationReasons": reasons}
	return cloudsim.Refusal(e)
}

// divisible reports whether a service may do only a part of a request.
func divisible(r cloudsim.Request) bool {
	switch r.Operation {
	case "SendMessageBatch":
		return true
	case "BatchGetItem":
		var asked struct{ RequestItems map[string]json.RawMessage }
		return json.Unmarshal(r.Body, &asked) == nil && len(asked.RequestItems) > 1
	}
	return false
}

// part returns the half of a request that is done, and a function that adds the other half to the answer as not
// done.
func part(r cloudsim.Request) (cloudsim.Request, func(cloudsim.Answer) cloudsim.Answer) {
	var asked map[string]any
	if json.Unmarshal(r.Body, &asked) != nil {
		return r, func(a cloudsim.Answer) cloudsim.Answer { return a }
	}
	member, rest := "", any(nil)
	if entries, ok := asked["Entries"].([]any); ok {
		half := len(entries) / 2
		var failed []any
		for _, e := range entries[half:] {
			failed = append(failed,
				map[string]any{"Id": e.(map[string]any)["Id"], "Code": "InternalError", "SenderFault": false,
					"Message": "simulated"})
		}
		asked["Entries"], member, rest = entries[:half], "Failed", failed
		if half == 0 {
			return r, func(cloudsim.Answer) cloudsim.Answer { return document(map[string]any{"Failed": failed}) }
		}
	} else if tables, ok := asked["RequestItems"].(map[string]any); ok {
		held := map[string]any{}
		last := sorted(tables)[len(tables)-1]
		held[last] = tables[last]
		delete(tables, last)
		member, rest = "UnprocessedKeys", held
	}
	done := r
	done.Body = document(asked).Body
	return done, func(a cloudsim.Answer) cloudsim.Answer {
		var said map[string]any
		if a.Status != http.StatusOK || json.Unmarshal(a.Body, &said) != nil {
			return a
		}
		said[member] = rest
		return document(said)
	}
}

func document(of map[string]any) cloudsim.Answer {
	body, err := json.Marshal(of)
	if err != nil {
		panic(err) // it contains only what JSON can express
	}
	return cloudsim.Answer{Status: http.StatusOK, Body: body}
}
