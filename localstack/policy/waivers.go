package policy

const (
	firstToFind = "shared/circuit tests the write; which function opens the shared circuit first is chance"
	noSES       = "no local cloud has SES v2; shared/notify/sender tests what is sent to it"
)

// Waivers are all exceptions to the rules, with their reasons. A waiver that covers nothing is an
// error.
var Waivers = []Waiver{
	{"recovery", "Circuits", "", "an open circuit is detected again within a minute"},
	{"recovery", "Mailbox", "", "undelivered mails expire after 7 days, and prod should have none"},
	{"recovery", "Sandbox", "", "a payment provider for tests, which prod does not have"},
	{"used-grants", "ReturnPaymentRole", "dynamodb:UpdateItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "SendNotificationRole", "dynamodb:UpdateItem on !GetAtt Circuits.Arn", firstToFind},
	{"used-grants", "SendNotificationRole", "ses:SendEmail", noSES},
}
