package audit

const awsKey = "encrypted with AWS's key; a customer managed key costs 1 USD a month and its calls, and the same " +
	"roles would use it"

// Waivers are the checks of checkov that the template fails, each with its reason. Some name the rule of
// localstack/policy that checks the same more exactly.
var Waivers = []Waiver{
	{Check: "CKV_AWS_27",
		Reason: "queues have SqsManagedSseEnabled, which the check does not know; the policy's rule encryption " +
			"checks it"},
	{Check: "CKV_AWS_28", Only: []string{"Circuits", "Mailbox", "Sandbox"},
		Reason: "their rows are computed again or expire; the policy's rule recovery gives the reason for each table"},
	{Check: "CKV_AWS_73", Only: []string{"SandboxApisandboxStage"},
		Reason: "the sandbox stands in for an external provider, which is not traced"},
	{Check: "CKV_AWS_76",
		Reason: "each request has one line in its function's log; an access log would add a second one, with IP " +
			"addresses"},
	{Check: "CKV_AWS_115", Only: []string{
		"ReserveStock", "CommitStock", "ReleaseStock", "AuthorizePayment", "CapturePayment", "ReturnPayment",
		"AdvanceOrder", "SendNotification", "SandboxCallbacks",
	}, Reason: "their queues' event source mappings have MaximumConcurrency (the policy's rule concurrency)"},
	{Check: "CKV_AWS_115", Only: []string{"RelayFacts", "WakeOverdue"},
		Reason: "a stream calls once per shard, and a schedule once a minute"},
	{Check: "CKV_AWS_115", Only: []string{"SandboxPayments"},
		Reason: "its stage is throttled, and it is not deployed in prod"},
	{Check: "CKV_AWS_116",
		Reason: "the check is about asynchronous calls; queues and streams have dead-letter queues (the policy's " +
			"rule dead-letters)"},
	{Check: "CKV_AWS_117", Reason: "functions call AWS and the payment provider over TLS, and nothing in a VPC"},
	{Check: "CKV_AWS_119", Reason: "tables: " + awsKey},
	{Check: "CKV_AWS_120",
		Reason: "a gateway cache does not separate the answers of different callers; ETag and Cache-Control let " +
			"clients cache"},
	{Check: "CKV_AWS_149", Reason: "secrets: " + awsKey},
	{Check: "CKV_AWS_158", Reason: "logs, which hold no personal data: " + awsKey},
	{Check: "CKV_AWS_173", Reason: "environments hold names and no secrets: " + awsKey},
}
