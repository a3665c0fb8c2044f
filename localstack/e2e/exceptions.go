package e2e

const (
	ownRefusals  = "its gateway ignores AWS::ApiGateway::GatewayResponse and answers with a document of its own"
	replaced     = "its gateway replaces bytes that are not UTF-8 by U+FFFD, so the function never gets them"
	notStoppable = "the tests cannot stop or kill its processes"
)

// ExceptionsFile is this file.
const ExceptionsFile = "localstack/e2e/exceptions.go"

// Exceptions are the known deviations of the clouds: cloud → case → reason. An excepted case runs, and must fail.
var Exceptions = map[string]map[string]string{
	"ministack": {
		"TestGateway_AnswersUnknownPathWithAProblem":   ownRefusals,
		"TestGateway_AnswersUnknownMethodWithAProblem": ownRefusals,
		"TestPlaceOrder_RefusesInvalidUTF8":            replaced,
	},
	"localstack": {
		"TestGateway_AnswersUnknownPathWithAProblem":   ownRefusals,
		"TestGateway_AnswersUnknownMethodWithAProblem": ownRefusals,
	},
}

// CrashExceptions are the same for package crash.
var CrashExceptions = map[string]map[string]string{
	"localstack": {
		"TestRestart_LosesNoOrder":                     notStoppable,
		"TestRestart_WithoutStreamRecordsLosesNoOrder": notStoppable,
		"TestKill_OfEveryFunctionLosesNoOrder":         notStoppable,
		"TestKill_OfTheCloudRestoresItsLastCleanStop":  notStoppable,
	},
	"aws": {
		"TestRestart_LosesNoOrder":                     notStoppable,
		"TestRestart_WithoutStreamRecordsLosesNoOrder": notStoppable,
		"TestKill_OfEveryFunctionLosesNoOrder":         notStoppable,
		"TestKill_OfTheCloudRestoresItsLastCleanStop":  notStoppable,
	},
}
