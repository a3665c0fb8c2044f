package policy

import (
	"regexp"
	"slices"
	"strings"

	"backroom/localstack/cloudtest"
	"backroom/localstack/template"
)

const (
	day            = 24 * 60 * 60 // seconds
	fewestReceives = 5
)

// Rules are what a deployment is held to.
var Rules = []Rule{
	{"exact-grants", "a role that allows more than it lists is one nobody has read", exactGrants},
	{"used-grants", "what no test uses nobody needs, or nobody tests", usedGrants},
	{"visibility", "a message must not come back while it is worked on: AWS asks for six times the function's timeout", visibility},
	{"partial-batch", "without it one bad message brings back all the others of its batch", partialBatch},
	{"dead-letters", "what cannot be done waits for a person, for 14 days, and is not tried for ever", deadLetters},
	{"alarms", "what fails or waits tells somebody", alarms},
	{"runbook", "who is woken reads what to do", runbook},
	{"logs", "a log that is never deleted costs more each month", logs},
	{"concurrency", "functions share the account's concurrency: one queue must not take it all", concurrency},
	{"secrets", "a secret that Secrets Manager cannot make stops the first deployment, and no local cloud says so", secrets},
	{"encryption", "what is stored is encrypted", encryption},
	{"recovery", "what was deleted by mistake comes back, and a table of production is not deleted by mistake", recovery},
	{"public-routes", "a route that lets everybody in is on the list", publicRoutes},
	{"size", "CloudFormation takes 500 resources in one stack, and functions are to come", size},
}

// action is one that names what it allows, as in dynamodb:GetItem.
var action = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)

func exactGrants(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		if f.Properties["Role"] != (template.Call{Function: "GetAtt", Argument: f.ID + "Role.Arn"}) || f.Properties["Policies"] != nil {
			found(f.ID, "has no role of its own, or has SAM's policies beside it")
		}
		role := d.Template.Resources[f.ID+"Role"]
		if role.Properties["ManagedPolicyArns"] != nil {
			found(role.ID, "has managed policies, which allow more than they say")
		}
		for _, s := range d.Template.Statements(f.name) {
			for _, allowed := range s.Actions {
				if !action.MatchString(allowed) {
					found(role.ID, "allows %s, which is no exact action", allowed)
				}
			}
			for _, resource := range s.Resources {
				if text, ok := resource.(string); ok && !(text == "*" && slices.Equal(s.Actions, withoutARN)) {
					found(role.ID, "allows %v on %q: an ARN is made of the template's names", s.Actions, text)
				}
			}
		}
	}
}

// withoutARN are the actions of X-Ray, which knows no ARNs.
var withoutARN = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

// lambdas are the actions that Lambda uses in a function's name: to write its log and traces, to read its queue and its streams.
// No test can see them.
var lambdas = append([]string{
	"logs:CreateLogStream", "logs:PutLogEvents",
	"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
	"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
}, withoutARN...)

func usedGrants(d Deployment, found func(string, string, ...any)) {
	allowed := map[cloudtest.Grant]bool{}
	for _, f := range d.functions() {
		for _, s := range d.Template.Statements(f.name) {
			for _, a := range s.Actions {
				for _, resource := range s.Resources {
					allowed[cloudtest.Grant{Function: f.name, Action: a, Resource: text(resource)}] = true
				}
			}
		}
	}
	used := map[cloudtest.Grant]bool{}
	for _, g := range d.Used {
		used[g] = true
		if !allowed[g] {
			found(template.LogicalID(g.Function)+"Role", "does not allow %s on %s, which the function uses", g.Action, g.Resource)
		}
	}
	for g := range allowed {
		if !used[g] && !slices.Contains(lambdas, g.Action) {
			found(template.LogicalID(g.Function)+"Role", "allows %s on %s, which no test uses", g.Action, g.Resource)
		}
	}
}

func visibility(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			q := d.queue(source)
			window, _ := source["MaximumBatchingWindowInSeconds"].(int)
			if hidden, _ := q.Properties["VisibilityTimeout"].(int); hidden < 6*d.timeout(f)+window {
				found(q.ID, "hides a message for %d s; %s may take %d s, so %d s are needed", hidden, f.ID, d.timeout(f), 6*d.timeout(f)+window)
			}
		}
	}
}

func partialBatch(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if !slices.Contains(template.List(source["FunctionResponseTypes"]), any("ReportBatchItemFailures")) {
				found(f.ID, "hears %s without ReportBatchItemFailures", d.queue(source).ID)
			}
		}
	}
}

func deadLetters(d Deployment, found func(string, string, ...any)) {
	dead := map[string]bool{}
	for _, q := range d.deadLetters() {
		dead[q.ID] = true
		if kept, _ := q.Properties["MessageRetentionPeriod"].(int); kept != 14*day {
			found(q.ID, "keeps messages for %d s, not for 14 days", kept)
		}
	}
	for _, q := range d.of("AWS::SQS::Queue") {
		if dead[q.ID] {
			continue
		}
		redrive := mapping(q.Properties["RedrivePolicy"])
		if !dead[d.mentioned(redrive["deadLetterTargetArn"]).ID] {
			found(q.ID, "has no dead-letter queue")
		}
		if receives, _ := redrive["maxReceiveCount"].(int); receives < fewestReceives {
			found(q.ID, "gives a message up after %d receives: Lambda may receive and give back what it has no room for", receives)
		}
		if kept, _ := q.Properties["MessageRetentionPeriod"].(int); kept <= 0 || kept >= 14*day {
			found(q.ID, "keeps messages for %d s: a dead letter keeps its age, and must have time left", kept)
		}
	}
	for _, f := range d.functions() {
		if len(f.sources("DynamoDB")) > 0 && !dead[f.ID+"DeadLetters"] {
			found(f.ID, "reads streams and has no dead-letter queue")
		}
	}
}

func alarms(d Deployment, found func(string, string, ...any)) {
	for _, q := range d.deadLetters() {
		if !d.rings("ApproximateNumberOfMessagesVisible", q.ID) {
			found(q.ID, "holds messages and no alarm rings")
		}
	}
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if q := d.queue(source); !d.rings("ApproximateAgeOfOldestMessage", q.ID) {
				found(q.ID, "grows and no alarm rings")
			}
		}
		switch {
		case len(f.sources("DynamoDB")) > 0 && !d.rings("IteratorAge", f.ID):
			found(f.ID, "does not keep up with its streams and no alarm rings")
		case len(f.sources("DynamoDB"))+len(f.sources("SQS")) == 0 && !d.rings("Errors", f.ID) && !d.ringsAtGateway(f):
			found(f.ID, "fails and no alarm rings")
		}
	}
	topic := template.Call{Function: "If", Argument: []any{
		"HasAlarmTopic", []any{template.Call{Function: "Ref", Argument: "AlarmTopicArn"}}, template.Call{Function: "Ref", Argument: "AWS::NoValue"},
	}}
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		if text(alarm.Properties["AlarmActions"]) != text(topic) || text(alarm.Properties["OKActions"]) != text(topic) {
			found(alarm.ID, "does not tell the topic that it rings and that it is over")
		}
		switch counted := slices.Contains(heartbeats, text(alarm.Properties["MetricName"])); {
		case counted && alarm.Properties["TreatMissingData"] != "breaching":
			found(alarm.ID, "stays silent when nobody counts")
		case !counted && alarm.Properties["TreatMissingData"] != "notBreaching", alarm.Properties["InsufficientDataActions"] != nil:
			found(alarm.ID, "rings for want of data: a shop at night has none")
		}
	}
}

// heartbeats are the metrics that are counted every minute, also when they are 0.
var heartbeats = []string{"OrdersLate"}

// parts are what whom an alarm wakes wants to read, in this order.
var parts = []string{"**What it means.**", "**Who is affected.**", "**First look.**", "**What to do.**", "**It is over**"}

const look = 2 // of parts

func runbook(d Deployment, found func(string, string, ...any)) {
	pages := map[string]string{}
	for _, section := range strings.Split("\n"+d.Runbook, "\n## ")[1:] {
		heading, says, _ := strings.Cut(section, "\n")
		pages[anchor(heading)] = says
	}
	led := map[string]bool{}
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		said, _ := alarm.Properties["AlarmDescription"].(template.Call)
		_, page, told := strings.Cut(text(said.Argument), " - see ${Runbook}#")
		says, there := pages[page]
		if !told || !there {
			found(alarm.ID, "sends its reader to docs/operations.md#%s, which is not there", page)
			continue
		}
		led[page] = true
		at := -1
		for i, part := range parts {
			begins := strings.Index(says, "\n"+part)
			if begins <= at {
				found(alarm.ID, "sends its reader to docs/operations.md#%s, which does not say, or not in its place: %s", page, part)
				break
			}
			if at = begins; i == look && !strings.Contains(strings.Split(says[begins:], "\n"+parts[look+1])[0], "```sh\n") {
				found(alarm.ID, "sends its reader to docs/operations.md#%s, whose first look is no command that can be pasted", page)
			}
		}
	}
	for page, says := range pages {
		if !led[page] && strings.Contains(says, "\n"+parts[0]) {
			found("docs/operations.md#"+page, "is a runbook to which no alarm leads")
		}
	}
}

var marks = regexp.MustCompile(`[^\w\- ]`)

// anchor is what a heading is linked by.
func anchor(heading string) string {
	return strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

func logs(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		log := d.mentioned(mapping(f.Properties["LoggingConfig"])["LogGroup"])
		if log.Type != logGroup {
			found(f.ID, "writes into no log group of the template: Lambda makes one that is kept for ever")
			continue
		}
		for _, s := range d.Template.Statements(f.name) {
			if slices.Contains(s.Actions, "logs:PutLogEvents") && !slices.Equal(template.Mentions(s.Resources), []string{log.ID}) {
				found(f.ID+"Role", "does not allow logs:PutLogEvents on %s, or on more than that", log.ID)
			}
		}
		if !slices.ContainsFunc(d.Template.Statements(f.name), func(s template.Statement) bool {
			return slices.Contains(s.Actions, "logs:PutLogEvents") && slices.Contains(s.Actions, "logs:CreateLogStream")
		}) {
			found(f.ID+"Role", "does not allow the function to write its log")
		}
	}
	for _, log := range d.of(logGroup) {
		if log.Properties["RetentionInDays"] == nil {
			found(log.ID, "is kept for ever")
		}
	}
}

const logGroup = "AWS::Logs::LogGroup"

func concurrency(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if most, _ := mapping(source["ScalingConfig"])["MaximumConcurrency"].(int); most < 2 {
				found(f.ID, "hears %s without MaximumConcurrency", d.queue(source).ID)
			}
		}
	}
}

// kinds are the kinds of characters that Secrets Manager makes a secret of, each with what leaves it out.
var kinds = map[string]string{
	"ExcludeLowercase":   "abcdefghijklmnopqrstuvwxyz",
	"ExcludeUppercase":   "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"ExcludeNumbers":     "0123456789",
	"ExcludePunctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}

// secrets follows https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html: if nothing else is said,
// there must be a character of each kind, and a kind whose characters are all excluded is refused.
func secrets(d Deployment, found func(string, string, ...any)) {
	for _, secret := range d.of("AWS::SecretsManager::Secret") {
		made := mapping(secret.Properties["GenerateSecretString"])
		excluded, _ := made["ExcludeCharacters"].(string)
		for leaveOut, characters := range kinds {
			if made["RequireEachIncludedType"] != false && made[leaveOut] != true && strings.Trim(characters, excluded) == "" {
				found(secret.ID, "needs a character of a kind of which it excludes all, and cannot be made: %s is missing", leaveOut)
			}
		}
	}
}

func encryption(d Deployment, found func(string, string, ...any)) {
	for _, q := range d.of("AWS::SQS::Queue") {
		if q.Properties["SqsManagedSseEnabled"] != true {
			found(q.ID, "is not encrypted")
		}
	}
	for _, table := range d.of("AWS::DynamoDB::Table") {
		if mapping(table.Properties["SSESpecification"])["SSEEnabled"] != true {
			found(table.ID, "is encrypted with a key that nobody can look at")
		}
	}
}

func recovery(d Deployment, found func(string, string, ...any)) {
	protected := template.Call{Function: "If", Argument: []any{"IsProd", true, false}}
	for _, table := range d.of("AWS::DynamoDB::Table") {
		if mapping(table.Properties["PointInTimeRecoverySpecification"])["PointInTimeRecoveryEnabled"] != true ||
			text(table.Properties["DeletionProtectionEnabled"]) != text(protected) {
			found(table.ID, "has no point-in-time recovery, or can be deleted in prod")
		}
	}
}

// public are the functions whose routes let everybody in.
var public = []string{
	"get-health", "get-keys", "issue-token", // before there is a token
	"get-product", "list-products", // the shop window
	"get-docs",              // says what everybody may know
	"receive-payment-event", // signed by the provider
	"sandbox-payments",      // the provider itself, where there is no real one; it takes its own key
}

func publicRoutes(d Deployment, found func(string, string, ...any)) {
	for _, name := range d.Public {
		if !slices.Contains(public, name) {
			found(template.LogicalID(name), "lets everybody in and is not on the list")
		}
	}
	for _, name := range public {
		if !slices.Contains(d.Public, name) {
			found(template.LogicalID(name), "is on the list of those that let everybody in, and does not")
		}
	}
}
