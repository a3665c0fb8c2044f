package audit

const awsKey = "encrypted with AWS's key; a key of one's own costs 1 USD a month and its calls, and the same roles would use it"

// Waivers are the checks of checkov that the template does not keep, each with its reason. What a rule of localstack/policy
// asks more exactly is waived for that.
var Waivers = []Waiver{
	{Check: "CKV_AWS_27", Reason: "queues have SqsManagedSseEnabled, which the check does not know; the policy's rule encryption does"},
	{Check: "CKV_AWS_28", Only: []string{"Circuits", "Mailbox", "Sandbox"}, Reason: "what is in them is learned again or expires; the policy's rule recovery says so of each"},
	{Check: "CKV_AWS_73", Only: []string{"SandboxApisandboxStage"}, Reason: "the sandbox stands for a foreign provider, whose inside nobody traces"},
	{Check: "CKV_AWS_76", Reason: "each request has one line in its function's log; an access log would be a second one, with addresses in it"},
	{Check: "CKV_AWS_115", Only: []string{
		"ReserveStock", "CommitStock", "ReleaseStock", "AuthorizePayment", "CapturePayment", "ReturnPayment", "AdvanceOrder", "SendNotification", "SandboxCallbacks",
	}, Reason: "what a queue calls has MaximumConcurrency (the policy's rule concurrency)"},
	{Check: "CKV_AWS_115", Only: []string{"RelayFacts", "WakeOverdue"}, Reason: "a stream calls once per shard, and a clock once a minute"},
	{Check: "CKV_AWS_115", Only: []string{"SandboxPayments"}, Reason: "behind a stage that is throttled, and not there in prod"},
	{Check: "CKV_AWS_116", Reason: "that is for asynchronous calls; queues and streams have dead-letter queues (the policy's rule dead-letters)"},
	{Check: "CKV_AWS_117", Reason: "functions call AWS and the payment provider over TLS, and nothing that is in a VPC"},
	{Check: "CKV_AWS_119", Reason: "tables: " + awsKey},
	{Check: "CKV_AWS_120", Reason: "a gateway's cache does not know whose answer it keeps; ETag and Cache-Control let clients keep their own"},
	{Check: "CKV_AWS_149", Reason: "secrets: " + awsKey},
	{Check: "CKV_AWS_158", Reason: "logs, which hold no personal data: " + awsKey},
	{Check: "CKV_AWS_173", Reason: "environments hold names and no secrets: " + awsKey},
}
