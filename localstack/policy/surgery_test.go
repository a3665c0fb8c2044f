package policy_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/policy"
	"backroom/localstack/template"
)

// mutation breaks a deployment in one place: in the text of the template, or in the facts about its
// functions.
type mutation struct {
	after   string // the resource: the first match of from after this text is replaced
	from    string // the text to replace
	to      string
	mutate  func(*policy.Deployment)
	rule    string // the rule that is broken
	finds   string // the resource in the finding
	because string // a part of the finding's text
}

func TestJudge_EveryMutationIsFound(t *testing.T) {
	t.Parallel()
	whole := deployment(t)
	require.Empty(t, whole.Judge(), "the original breaks no rule")
	source := text(t)
	for name, s := range map[string]mutation{
		"a grant is removed": {
			after: "PlaceOrderRole:", from: "dynamodb:PutItem", to: "dynamodb:GetItem",
			rule: "used-grants", finds: "PlaceOrderRole",
			because: "does not allow dynamodb:PutItem on !GetAtt Orders.Arn, which the function uses",
		},
		"a grant that nobody uses is added": {
			after: "GetOrderRole:", from: "Action: dynamodb:GetItem",
			to:   "Action: [dynamodb:GetItem, dynamodb:DeleteItem]",
			rule: "used-grants", finds: "GetOrderRole", because: "allows dynamodb:DeleteItem on",
		},
		"a grant on all resources is added": {
			after: "GetProductRole:", from: "Resource: !GetAtt Catalog.Arn", to: "Resource: '*'",
			rule: "exact-grants", finds: "GetProductRole", because: `on "*"`,
		},
		"a grant of all actions is added": {
			after: "GetProductRole:", from: "Action: dynamodb:GetItem", to: "Action: dynamodb:*",
			rule: "exact-grants", finds: "GetProductRole", because: "allows dynamodb:*, which is not an exact action",
		},
		"ReportBatchItemFailures is removed": {
			after: "\n  ReserveStock:", from: "FunctionResponseTypes: [ReportBatchItemFailures]", to: "Enabled: true",
			rule: "partial-batch", finds: "ReserveStock", because: "without ReportBatchItemFailures",
		},
		"a visibility is halved": {
			after: "AuthorizePaymentQueue:", from: "VisibilityTimeout: 90", to: "VisibilityTimeout: 45",
			rule: "visibility", finds: "AuthorizePaymentQueue", because: "90 s are needed",
		},
		"a function's timeout is raised": {
			after: "\n  AuthorizePayment:", from: "Timeout: 15", to: "Timeout: 30",
			rule: "visibility", finds: "AuthorizePaymentQueue", because: "180 s are needed",
		},
		"a dead-letter queue is removed": {
			after: "CommitStockQueue:", from: "deadLetterTargetArn: !GetAtt CommitStockDeadLetters.Arn",
			to:   "nowhere: true",
			rule: "dead-letters", finds: "CommitStockQueue", because: "has no dead-letter queue",
		},
		"dead letters are kept for a day": {
			after: "CommitStockDeadLetters:", from: "MessageRetentionPeriod: 1209600",
			to:   "MessageRetentionPeriod: 86400",
			rule: "dead-letters", finds: "CommitStockDeadLetters", because: "not for 14 days",
		},
		"the alarm of a dead-letter queue is removed": {
			mutate: without("AdvanceOrderAlarm"), rule: "alarms", finds: "AdvanceOrderDeadLetters",
			because: "has no alarm for",
		},
		"the alarm of a queue that grows is removed": {
			mutate: without("AdvanceOrderLateAlarm"), rule: "alarms", finds: "AdvanceOrderQueue",
			because: "has no alarm for",
		},
		"the alarm of a route is removed": {
			mutate: without("ApiAlarm"), rule: "alarms", finds: "PlaceOrder", because: "has no alarm for",
		},
		"the alarm of routes is about another API": {
			after: "\n  ApiAlarm:", from: "Value: !Ref AWS::StackName", to: "Value: !Sub '${AWS::StackName}-sandbox'",
			rule: "alarms", finds: "PlaceOrder", because: "has no alarm for",
		},
		"a route is also called by a schedule, which has no gateway": {
			after: "\n  PlaceOrder:", from: "      Events:\n",
			to:   "      Events:\n        Clock: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}\n",
			rule: "alarms", finds: "PlaceOrder", because: "has no alarm for",
		},
		"the alarm of a job is removed": {
			mutate: without("WakeOverdueAlarm"), rule: "alarms", finds: "WakeOverdue", because: "has no alarm for",
		},
		"a route has many resources": {
			after: "\n  PlaceOrder:", from: "      Events:\n",
			to:   "      Events:\n        A: {Type: Schedule}\n        B: {Type: Schedule}\n",
			rule: "size", finds: "PlaceOrder", because: "7 resources, of 5",
		},
		"a step has many resources": {
			after: "\n  ReserveStock:", from: "      Events:\n", to: "      Events:\n        A: {Type: SQS}\n",
			rule: "size", finds: "ReserveStock", because: "8 resources, of 7",
		},
		"something unknown calls a function": {
			after: "\n  ReserveStock:", from: "      Events:\n", to: "      Events:\n        A: {Type: Kinesis}\n",
			rule: "size", finds: "template.yaml", because: "called by a Kinesis",
		},
		"there are too many resources": {
			mutate: func(d *policy.Deployment) {
				for i := range policy.MostResources {
					id := fmt.Sprint("Extra", i)
					d.Template.Resources[id] = template.Resource{ID: id, Type: "AWS::SNS::Topic"}
				}
			},
			rule: "size", finds: "template.yaml", because: "of 450",
		},
		"an alarm notifies nobody": {
			after: "WakeOverdueAlarm:",
			from:  "AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]",
			to:    "ActionsEnabled: true",
			rule:  "alarms", finds: "WakeOverdueAlarm", because: "does not notify the topic",
		},
		"an alarm rings in a quiet night": {
			after: "WakeOverdueAlarm:", from: "TreatMissingData: notBreaching", to: "TreatMissingData: breaching",
			rule: "alarms", finds: "WakeOverdueAlarm", because: "rings without data",
		},
		"an alarm does not ring when its metric stops": {
			after: "OrdersLateAlarm:", from: "TreatMissingData: breaching", to: "TreatMissingData: notBreaching",
			rule: "alarms", finds: "OrdersLateAlarm", because: "does not treat missing data as breaching",
		},
		"an alarm refers to an unknown section": {
			after: "WakeOverdueAlarm:", from: "${Runbook}#a-function-fails", to: "${Runbook}#call-somebody",
			rule: "runbook", finds: "WakeOverdueAlarm", because: "which does not exist",
		},
		"a section lacks what to do": {
			mutate: func(d *policy.Deployment) { d.Runbook = strings.ReplaceAll(d.Runbook, "**What to do.**", "") },
			rule:   "runbook", finds: "ApiAlarm", because: "What to do",
		},
		"a log has no retention": {
			after: "\n  Log:",
			from: "RetentionInDays: !If [SaysLogRetention, !Ref LogRetentionDays, !FindInMap [Stages, !Ref Stage, " +
				"LogRetentionDays]]", to: "LogGroupClass: STANDARD",
			rule: "logs", finds: "Log", because: "is never deleted",
		},
		"a function's log is Lambda's own": {
			after: "\n  PlaceOrder:", from: "LogGroup: !Ref Log", to: "ApplicationLogLevel: INFO",
			rule: "logs", finds: "PlaceOrder", because: "does not use a log group of the template",
		},
		"a function may not write its log": {
			after: "PlaceOrderRole:", from: "logs:PutLogEvents", to: "logs:DescribeLogStreams",
			rule: "logs", finds: "PlaceOrderRole", because: "write its log",
		},
		"a function may write into another log": {
			after: "PlaceOrderRole:", from: "Resource: !GetAtt Log.Arn", to: "Resource: !GetAtt ApiAccessLog.Arn",
			rule: "logs", finds: "PlaceOrderRole", because: "does not allow logs:PutLogEvents on Log",
		},
		"a queue may take all the concurrency": {
			after: "\n  ReserveStock:", from: "ScalingConfig:", to: "FilterCriteria:",
			rule: "concurrency", finds: "ReserveStock", because: "without MaximumConcurrency",
		},
		"a secret requires punctuation and excludes all of it": {
			after: "PaymentsSecret:", from: "ExcludePunctuation: true", to: "IncludeSpace: false",
			rule: "secrets", finds: "PaymentsSecret", because: "ExcludePunctuation is missing",
		},
		"a queue is not encrypted": {
			after: "ReserveStockQueue:", from: "SqsManagedSseEnabled: true", to: "SqsManagedSseEnabled: false",
			rule: "encryption", finds: "ReserveStockQueue", because: "is not encrypted",
		},
		"a table of production can be deleted": {
			after: "\n  Reservations:", from: "DeletionProtectionEnabled: !If [IsProd, true, false]",
			to:   "DeletionProtectionEnabled: false",
			rule: "recovery", finds: "Reservations", because: "can be deleted in prod",
		},
		"a route becomes public": {
			mutate: func(d *policy.Deployment) { d.Public = append(d.Public, "refund-order") },
			rule:   "public-routes", finds: "RefundOrder", because: "is not on the list",
		},
		"a waiver covers nothing": {
			after: "\n  Circuits:", from: "SSESpecification: {SSEEnabled: true}",
			to: "SSESpecification: {SSEEnabled: true}\n      PointInTimeRecoverySpecification: " +
				"{PointInTimeRecoveryEnabled: true}\n      DeletionProtectionEnabled: !If [IsProd, true, false]",
			rule: "waivers", finds: "Circuits", because: "covers nothing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutant := whole
			if s.mutate == nil {
				at := strings.Index(source, s.after)
				require.GreaterOrEqual(t, at, 0, "the template has %s", s.after)
				where := strings.Index(source[at:], s.from)
				require.GreaterOrEqual(t, where, 0, "%s has %s", s.after, s.from)
				require.NotContains(t, source[at+len(s.after):at+where], "\n  # ----", "the text is in this resource")
				mutated := source[:at+where] + s.to + source[at+where+len(s.from):]
				var err error
				mutant.Template, err = template.Parse([]byte(mutated))
				require.NoError(t, err)
			} else {
				mutant.Template.Resources = maps.Clone(whole.Template.Resources)
				s.mutate(&mutant)
			}
			found := mutant.Judge()
			for _, finding := range found {
				if finding.Rule == s.rule && finding.Resource == s.finds && strings.Contains(finding.Says, s.because) {
					return
				}
			}
			assert.Fail(t, "the mutation was not found", "found: %v", found)
		})
	}
}

func without(resource string) func(*policy.Deployment) {
	return func(d *policy.Deployment) { delete(d.Template.Resources, resource) }
}
