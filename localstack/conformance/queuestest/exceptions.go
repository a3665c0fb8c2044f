package queuestest

// exceptions are the cases that a cloud is known to fail, with the reasons. The simulator passes
// every case.
var exceptions = map[string]map[string]string{
	"localstack": {
		"a deleted queue's name stays taken for a minute": "it has no delay unless it is started with " +
			"SQS_DELAY_RECENTLY_DELETED=1",
		"a second purge within a minute is refused": "it has no delay unless it is started with " +
			"SQS_DELAY_PURGE_RETRY=1",
		"attributes have limits":                            "it accepts any value",
		"a redrive policy's target must exist":              "it accepts any target",
		"a redrive policy must be JSON":                     "it answers 500",
		"a message has at most ten attributes":              "it accepts any number of them",
		"message attributes must have a value":              "it accepts an empty binary value",
		"a Number attribute must be a number":               "it accepts any text as a number",
		"a delay is at most 15 minutes":                     "it accepts any delay",
		"a receive hides messages for at most twelve hours": "it accepts any visibility timeout",
		"a visibility timeout is at most twelve hours":      "it accepts any visibility timeout",
		"an invalid entry has SenderFault true": "it answers SenderFault false for errors that SQS's " +
			"model names",
		"a moved dead letter is a new message": "it keeps the receive count",
	},
	"ministack": {
		"a deleted queue's name stays taken for a minute":                "it has no delay",
		"a second purge within a minute is refused":                      "it has no delay",
		"a name has at most 80 letters, digits, hyphens and underscores": "it accepts any name",
		"a queue has default attributes": "it omits the encryption of a queue that " +
			"did not request it",
		"no attributes are returned if none are requested": "it returns all",
		"an unknown attribute is refused":                  "it accepts it",
		"a redrive policy has a target and a limit from 1 to 1000": "it refuses a wrong one with " +
			"InvalidAttributeValue",
		"a redrive policy must be JSON":                               "it refuses it with InvalidAttributeValue",
		"a redrive policy's target must exist":                        "it refuses it with InvalidAttributeValue",
		"message attributes must have a valid name and type":          "it accepts any",
		"message attributes must have a value":                        "it accepts empty ones",
		"a message has at most ten attributes":                        "it accepts any number of them",
		"a Number attribute must be a number":                         "it accepts any text as a number",
		"names, types and values of message attributes count as size": "it counts only the body",
		"a delay is at most 15 minutes":                               "it accepts any delay",
		"a standard queue refuses deduplication ids":                  "it accepts the id",
		"a receive hides messages for at most twelve hours":           "it accepts any visibility timeout",
		"a receive waits for at most 20 seconds":                      "it waits for any requested time",
		"a visibility timeout is at most twelve hours":                "it accepts any visibility timeout",
		"a receipt cannot hide a message after its timeout": "it hides the message, so a late " +
			"invocation delays the next one",
		"a deleted message cannot be hidden": "it drops a receipt with its message, and " +
			"answers ReceiptHandleIsInvalid",
		"a message can be deleted twice": "it drops a receipt with its message, and " +
			"answers ReceiptHandleIsInvalid",
		"a dead-letter queue lists its source queues":         "it has no ListDeadLetterSourceQueues",
		"a move task moves dead letters back to their source": "it has no StartMessageMoveTask",
		"a moved dead letter is a new message":                "it has no StartMessageMoveTask",
		"a move task moves dead letters to another queue":     "it has no StartMessageMoveTask",
		"a move task needs a dead-letter queue as its source": "it has no StartMessageMoveTask",
	},
}
