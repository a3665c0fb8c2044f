package queues

import (
	"fmt"
	"net/http"
	"strings"

	"backroom/localstack/cloudsim/wire"
)

const modeled, general = "com.amazonaws.sqs#", "com.amazon.coral.service#"

// older are the error codes of the query protocol that differ from the error's name.
var older = map[string]string{
	"BatchEntryIdsNotDistinct":          "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":               "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":                 "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":               "AWS.SimpleQueueService.InvalidBatchEntryId",
	"MessageNotInflight":                "AWS.SimpleQueueService.MessageNotInflight",
	"PurgeQueueInProgress":              "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":              "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":                 "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":                   "QueueAlreadyExists",
	"TooManyEntriesInBatchRequest":      "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":              "AWS.SimpleQueueService.UnsupportedOperation",
	"InvalidParameterValueException":    "InvalidParameterValue",
	"MissingRequiredParameterException": "MissingParameter",
}

// statuses are the HTTP statuses of errors that do not have status 400.
var statuses = map[string]int{
	"InvalidAddress": http.StatusNotFound, "ReceiptHandleIsInvalid": http.StatusNotFound,
	"ResourceNotFoundException": http.StatusNotFound, "PurgeQueueInProgress": http.StatusForbidden,
}

// refuse returns an error that SQS's model names.
func refuse(name, message string) *wire.Error {
	e := wire.Refuse(modeled+name, message)
	if status, ok := statuses[name]; ok {
		e.Status = status
	}
	return e
}

// invalid returns an InvalidParameterValueException.
func invalid(format string, args ...any) *wire.Error {
	return wire.Refuse(general+"InvalidParameterValueException", fmt.Sprintf(format, args...))
}

// missing returns the error for a request without a required parameter.
func missing(name string) *wire.Error {
	return wire.Refuse(general+"MissingRequiredParameterException", "The request must contain the parameter "+name+".")
}

// errNoQueue refuses a request for an unknown queue.
var errNoQueue = refuse("QueueDoesNotExist", "The specified queue does not exist.")

// code returns the code that a refusal has in the query protocol, and in the answer to a batch.
func code(e *wire.Error) string {
	name := e.Type[strings.Index(e.Type, "#")+1:]
	if old, ok := older[name]; ok {
		return old
	}
	return name
}
