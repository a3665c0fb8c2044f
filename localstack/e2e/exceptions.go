package e2e

const (
	ownRefusals = "its gateway ignores AWS::ApiGateway::GatewayResponse and refuses with a document of its own"
	replaced    = "its gateway puts U+FFFD in the place of bytes that are not UTF-8: the function never sees them"
	lasting     = "its processes are not ours to stop and to kill"
)

// ExceptionsFile is this file.
const ExceptionsFile = "localstack/e2e/exceptions.go"

// Exceptions are the known deviations of the clouds: cloud → case → reason. An excepted case still runs, and must fail.
var Exceptions = map[string]map[string]string{
	"ministack": {
		"TestAnUnknownPathIsAProblemToo":               ownRefusals,
		"TestAMethodThatAPathDoesNotKnowIsAProblemToo": ownRefusals,
		"TestABodyMustBeUTF8":                          replaced,
	},
	"localstack": {
		"TestAnUnknownPathIsAProblemToo":               ownRefusals,
		"TestAMethodThatAPathDoesNotKnowIsAProblemToo": ownRefusals,
	},
}

// CrashExceptions are the same for package crash.
var CrashExceptions = map[string]map[string]string{
	"localstack": {
		"TestOrdersOutliveARestart":                  lasting,
		"TestOrdersOutliveTheLossOfWhatStreamsHeld":  lasting,
		"TestOrdersOutliveTheDeathOfEveryFunction":   lasting,
		"TestAKilledCloudGoesBackToItsLastCleanStop": lasting,
	},
	"aws": {
		"TestOrdersOutliveARestart":                  lasting,
		"TestOrdersOutliveTheLossOfWhatStreamsHeld":  lasting,
		"TestOrdersOutliveTheDeathOfEveryFunction":   lasting,
		"TestAKilledCloudGoesBackToItsLastCleanStop": lasting,
	},
}
