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

// Rules are the rules that a deployment must keep.
var Rules = []Rule{
	{"exact-grants", "a role allows exact actions on exact resources, so that a reviewer sees all of them",
		exactGrants},
	{"used-grants", "a permission that no test uses is not needed, or not tested", usedGrants},
	{"visibility",
		"a message must not be delivered again while it is handled: AWS recommends six times the function's timeout",
		visibility},
	{"partial-batch", "without it, one bad message returns its whole batch to the queue", partialBatch},
	{"dead-letters", "a message that cannot be handled is kept for 14 days for a person, and is not retried endlessly",
		deadLetters},
	{"alarms", "failures and delays raise an alarm", alarms},
	{"runbook", "every alarm names its section of the runbook", runbook},
	{"logs", "a log that is never deleted costs more each month", logs},
	{"concurrency", "functions share the account's concurrency, and one queue must not use all of it", concurrency},
	{"secrets",
		"a secret that Secrets Manager cannot generate stops the first deployment, and local clouds do not detect it",
		secrets},
	{"encryption", "stored data is encrypted", encryption},
	{"recovery", "deleted data can be restored, and a table of production cannot be deleted by mistake", recovery},
	{"public-routes", "a public route is on the list", publicRoutes},
	{"size", "CloudFormation allows 500 resources in a stack, and more functions will be added", size},
}

// action matches an exact action, such as dynamodb:GetItem.
var action = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)

func exactGrants(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		if f.Properties["Role"] != (template.Call{Function: "GetAtt", Argument: f.ID + "Role.Arn"}) ||
			f.Properties["Policies"] != nil {
			found(f.ID, "must have its own role, and none of SAM's policies")
		}
		role := d.Template.Resources[f.ID+"Role"]
		if role.Properties["ManagedPolicyArns"] != nil {
			found(role.ID, "has managed policies, which allow unlisted actions")
		}
		for _, s := range d.Template.Statements(f.name) {
			for _, allowed := range s.Actions {
				if !action.MatchString(allowed) {
					found(role.ID, "allows %s, which is not an exact action", allowed)
				}
			}
			for _, resource := range s.Resources {
				if text, ok := resource.(string); ok && !(text == "*" && slices.Equal(s.Actions, withoutARN)) {
					found(role.ID, "allows %v on %q: an ARN must refer to a resource of the template", s.Actions, text)
				}
			}
		}
	}
}

// withoutARN are the actions of X-Ray, which has no resource ARNs.
var withoutARN = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

// lambdas are the actions that Lambda uses with a function's role: it writes the log and traces,
// and reads the queue and the streams. No test can observe them.
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
			found(template.LogicalID(g.Function)+"Role", "does not allow %s on %s, which the function uses", g.Action,
				g.Resource)
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
				found(q.ID, "has a visibility timeout of %d s; %s may take %d s, so %d s are needed", hidden, f.ID,
					d.timeout(f), 6*d.timeout(f)+window)
			}
		}
	}
}

func partialBatch(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if !slices.Contains(template.List(source["FunctionResponseTypes"]), any("ReportBatchItemFailures")) {
				found(f.ID, "consumes %s without ReportBatchItemFailures", d.queue(source).ID)
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
			found(q.ID,
				"moves a message to the dead-letter queue after %d receives: Lambda may receive and return messages "+
					"that it throttles", receives)
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
			found(q.ID, "has no alarm for messages in it")
		}
	}
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if q := d.queue(source); !d.rings("ApproximateAgeOfOldestMessage", q.ID) {
				found(q.ID, "has no alarm for its growth")
			}
		}
		switch {
		case len(f.sources("DynamoDB")) > 0 && !d.rings("IteratorAge", f.ID):
			found(f.ID, "has no alarm for its delay behind the streams")
		case len(f.sources("DynamoDB"))+len(f.sources("SQS")) == 0 && !d.rings("Errors", f.ID) && !d.ringsAtGateway(f):
			found(f.ID, "has no alarm for its failures")
		}
	}
	topic := template.Call{Function: "If", Argument: []any{
		"HasAlarmTopic", []any{template.Call{Function: "Ref", Argument: "AlarmTopicArn"}},
		template.Call{Function: "Ref", Argument: "AWS::NoValue"},
	}}
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		if text(alarm.Properties["AlarmActions"]) != text(topic) || text(alarm.Properties["OKActions"]) != text(topic) {
			found(alarm.ID, "does not notify the topic of both ALARM and OK")
		}
		switch counted := slices.Contains(heartbeats, text(alarm.Properties["MetricName"])); {
		case counted && alarm.Properties["TreatMissingData"] != "breaching":
			found(alarm.ID, "does not treat missing data as breaching, although its metric is counted every minute")
		case !counted && alarm.Properties["TreatMissingData"] != "notBreaching",
			alarm.Properties["InsufficientDataActions"] != nil:
			found(alarm.ID, "rings without data, which a shop at night does not have")
		}
	}
}

// heartbeats are the metrics that are published every minute, even if they are 0.
var heartbeats = []string{"OrdersLate"}

// parts are the parts of each section of the runbook, in order.
var parts = []string{"**What it means.**", "**Who is affected.**", "**First look.**", "**What to do.**",
	"**It is over**"}

const look = 2 // the index of the first look in parts

func runbook(d Deployment, found func(string, string, ...any)) {
	pages := map[string]string{}
	for _, section := range strings.Split("\n"+d.Runbook, "\n## ")[1:] {
		heading, says, _ := strings.Cut(section, "\n")
		pages[anchor(heading)] = says
	}
	led := map[string]bool{}
	for _, alarm := range d.of("AWS::CloudWatch::Alarm") {
		said, _ := alarm.Properties["AlarmDescription"].(template.Call)
		_, page, named := strings.Cut(text(said.Argument), " - see ${Runbook}#")
		says, there := pages[page]
		if !named || !there {
			found(alarm.ID, "refers to docs/operations.md#%s, which does not exist", page)
			continue
		}
		led[page] = true
		at := -1
		for i, part := range parts {
			begins := strings.Index(says, "\n"+part)
			if begins <= at {
				found(alarm.ID,
					"refers to docs/operations.md#%s, which lacks this part, or has it in the wrong place: %s", page,
					part)
				break
			}
			if at = begins; i == look &&
				!strings.Contains(strings.Split(says[begins:], "\n"+parts[look+1])[0], "```sh\n") {
				found(alarm.ID, "refers to docs/operations.md#%s, whose first look has no command to paste", page)
			}
		}
	}
	for page, says := range pages {
		if !led[page] && strings.Contains(says, "\n"+parts[0]) {
			found("docs/operations.md#"+page, "is a runbook section that no alarm refers to")
		}
	}
}

var marks = regexp.MustCompile(`[^\w\- ]`)

// anchor returns the anchor of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

func logs(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		log := d.mentioned(mapping(f.Properties["LoggingConfig"])["LogGroup"])
		if log.Type != logGroup {
			found(f.ID, "does not use a log group of the template: Lambda creates one that is never deleted")
			continue
		}
		for _, s := range d.Template.Statements(f.name) {
			if slices.Contains(s.Actions, "logs:PutLogEvents") &&
				!slices.Equal(template.Mentions(s.Resources), []string{log.ID}) {
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
			found(log.ID, "is never deleted")
		}
	}
}

const logGroup = "AWS::Logs::LogGroup"

func concurrency(d Deployment, found func(string, string, ...any)) {
	for _, f := range d.functions() {
		for _, source := range f.sources("SQS") {
			if most, _ := mapping(source["ScalingConfig"])["MaximumConcurrency"].(int); most < 2 {
				found(f.ID, "consumes %s without MaximumConcurrency", d.queue(source).ID)
			}
		}
	}
}

// kinds are the kinds of characters in a generated secret, by the property that excludes the kind.
var kinds = map[string]string{
	"ExcludeLowercase":   "abcdefghijklmnopqrstuvwxyz",
	"ExcludeUppercase":   "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"ExcludeNumbers":     "0123456789",
	"ExcludePunctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}

// secrets follows
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html. By
// default, a secret has a character of each kind, and a kind whose characters are all excluded is
// refused.
func secrets(d Deployment, found func(string, string, ...any)) {
	for _, secret := range d.of("AWS::SecretsManager::Secret") {
		made := mapping(secret.Properties["GenerateSecretString"])
		excluded, _ := made["ExcludeCharacters"].(string)
		for leaveOut, characters := range kinds {
			if made["RequireEachIncludedType"] != false && made[leaveOut] != true &&
				strings.Trim(characters, excluded) == "" {
				found(secret.ID, "excludes all characters of a kind that it requires: %s is missing", leaveOut)
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
			found(table.ID, "is not encrypted with a key that can be audited")
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

// public are the functions with public routes.
var public = []string{
	"get-health", "get-keys", "issue-token", // needed to get or check a token
	"get-product", "list-products", // the public catalog
	"get-docs",              // public documentation
	"get-problems",          // the same
	"receive-payment-event", // signed by the provider
	"sandbox-payments",      // stands in for the provider; it checks its own key
}

func publicRoutes(d Deployment, found func(string, string, ...any)) {
	for _, name := range d.Public {
		if !slices.Contains(public, name) {
			found(template.LogicalID(name), "is public and is not on the list")
		}
	}
	for _, name := range public {
		if !slices.Contains(d.Public, name) {
			found(template.LogicalID(name), "is on the list of public functions, and is not public")
		}
	}
}
