package policy

const (
	firstToFind = "shared/circuit tests the write; which function finds a service down first is chance, and one row is for all"
	noSES       = "no local cloud has SES v2; shared/notify/sender tests what is sent to it"
)

// Waivers are all exceptions, each with its reason. One that waives nothing is an error.
var Waivers = []Waiver{
	{"recovery", "Circuits", "", "which foreign services rest is learned again within a minute"},
	{"recovery", "Mailbox", "", "mails that were not delivered expire after 7 days; in prod there should be none"},
	{"recovery", "Sandbox", "", "a provider for tests; it is not there in prod"},
	{"used-grants", "AuthorizePaymentRole", "dynamodb:PutItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "CapturePaymentRole", "dynamodb:PutItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "ReturnPaymentRole", "dynamodb:PutItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "ReceivePaymentEventRole", "dynamodb:PutItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "SendNotificationRole", "dynamodb:PutItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "SendNotificationRole", "ses:SendEmail", noSES},
}
