package cloudtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"backroom/localstack/cloudsim"
	"backroom/localstack/template"
)

// SampleSecret is the value of every generated secret of the template. The sample events use it.
const SampleSecret = "sample-secret"

// made is a created resource.
type made struct {
	kind       string
	ref        string            // the value of !Ref
	attributes map[string]string // the values of !GetAtt
	remove     func(context.Context) error
}

// makers create resources from their properties, by resource type.
var makers = map[string]func(*Cloud, context.Context, string, properties) (made, error){
	"AWS::DynamoDB::Table":        (*Cloud).makeTable,
	"AWS::SQS::Queue":             (*Cloud).makeQueue,
	"AWS::KMS::Key":               (*Cloud).makeKey,
	"AWS::SecretsManager::Secret": (*Cloud).makeSecret,
}

// resource returns the resource with the logical id. It creates the resource on the first call.
func (c *Cloud) resource(id string) (made, error) {
	if m, ok := c.made[id]; ok {
		return m, nil
	}
	r, ok := c.template.Resources[id]
	if !ok {
		return made{}, fmt.Errorf("the template has no resource %q", id)
	}
	make, ok := makers[r.Type]
	if !ok {
		return made{}, fmt.Errorf("cloudtest cannot create a %s (%s)", r.Type, id)
	}
	if holds, err := c.template.Holds(r.Condition, c); err != nil || !holds {
		return made{}, fmt.Errorf("%s exists only if %s: %w", id, r.Condition, err)
	}
	resolved, err := c.template.Resolve(r.Properties, c)
	if err != nil {
		return made{}, err
	}
	p, _ := resolved.(map[string]any)
	m, err := make(c, context.Background(), id, p)
	if err != nil {
		return made{}, fmt.Errorf("make %s: %w", id, err)
	}
	m.kind = r.Type
	c.made[id] = m
	return m, nil
}

// Ref returns the value of !Ref. It implements template.Names.
func (c *Cloud) Ref(name string) (any, error) {
	switch name {
	case "AWS::StackName":
		return c.stack, nil
	case "AWS::Partition":
		return "aws", nil
	case "AWS::Region":
		return cloudsim.Region, nil
	case "AWS::AccountId":
		return cloudsim.Account, nil
	}
	if c.template.Resources[name].Type == "AWS::Serverless::Api" {
		return strings.ToLower(name), nil // reachable only in a simulation
	}
	m, err := c.resource(name)
	return m.ref, err
}

// GetAtt returns the value of !GetAtt. It implements template.Names.
func (c *Cloud) GetAtt(id, attribute string) (any, error) {
	m, err := c.resource(id)
	if err != nil {
		return nil, err
	}
	v, ok := m.attributes[attribute]
	if !ok {
		return nil, fmt.Errorf("cloudtest does not support the attribute %s.%s", id, attribute)
	}
	return v, nil
}

// need returns a resource, or fails the test.
func (c *Cloud) need(id, kind string) made {
	c.t.Helper()
	m, err := c.resource(id)
	if err == nil && m.kind != kind {
		err = fmt.Errorf("%s is not a %s", id, kind)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// Table returns the name of a table by its logical id, such as "Orders".
func (c *Cloud) Table(id string) string {
	c.t.Helper()
	return c.need(id, "AWS::DynamoDB::Table").ref
}

// Queue returns the URL of a queue by its logical id, such as "ReserveStockQueue".
func (c *Cloud) Queue(id string) string {
	c.t.Helper()
	return c.need(id, "AWS::SQS::Queue").ref
}

// Environment returns the environment of a function in the template, such as "place-order". It
// creates all resources that the function's role may use. Global variables that refer to other
// resources are left out, so that a function that reads one fails.
func (c *Cloud) Environment(name string) map[string]string {
	c.t.Helper()
	id := template.LogicalID(name)
	f := c.template.Resources[id]
	if f.Type != "AWS::Serverless::Function" {
		c.t.Fatalf("the template has no function %s", id)
	}
	touches := template.Mentions(c.template.Resources[id+"Role"].Properties["Policies"])
	for _, touched := range touches {
		r := c.template.Resources[touched]
		if makers[r.Type] == nil {
			continue
		}
		if holds, err := c.template.Holds(r.Condition, c); err != nil || !holds {
			continue
		}
		if _, err := c.resource(touched); err != nil {
			c.t.Fatal(err)
		}
	}
	declared := c.template.Environment(name)
	for common, value := range c.template.Environment("") {
		for _, of := range template.Mentions(value) {
			if _, resource := c.template.Resources[of]; resource && !slices.Contains(touches, of) {
				delete(declared, common)
			}
		}
	}
	resolved, err := c.template.Resolve(declared, c)
	if err != nil {
		c.t.Fatalf("the environment of %s: %v", name, err)
	}
	variables := map[string]string{}
	for key, value := range resolved.(map[string]any) {
		variables[key] = fmt.Sprint(value)
	}
	return variables
}

// properties are the resolved properties of a resource.
type properties map[string]any

// into decodes the properties in take into the input of an API, which has the same names. A
// property that is neither in take nor in leave is an error, so that a new property is not silently
// ignored.
func (p properties) into(in any, take, leave []string) error {
	chosen := map[string]any{}
	for name, v := range p {
		switch {
		case slices.Contains(take, name):
			chosen[name] = v
		case !slices.Contains(leave, name):
			return fmt.Errorf("cloudtest does not support the property %s", name)
		}
	}
	document, err := json.Marshal(chosen)
	if err != nil {
		return err
	}
	return json.Unmarshal(document, in)
}

func (c *Cloud) makeTable(ctx context.Context, id string, p properties) (made, error) {
	name := c.stack + "-" + id
	in := dynamodb.CreateTableInput{TableName: &name}
	take := []string{"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
	leave := []string{"PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled",
		"TimeToLiveSpecification"}
	if c.streams {
		take = append(take, "StreamSpecification")
	} else {
		// nothing reads streams here: tests pass the records to relay-facts
		leave = append(leave, "StreamSpecification")
	}
	err := p.into(&in, take, leave)
	if err != nil {
		return made{}, err
	}
	if in.StreamSpecification != nil {
		// CloudFormation has no such property: a view type implies a stream.
		in.StreamSpecification.StreamEnabled = aws.Bool(true)
	}
	// A name belongs to one test. If it is taken, or already deleted, a lost answer made the SDK
	// repeat the request.
	_, err = c.db.CreateTable(ctx, &in)
	if _, again := errors.AsType[*types.ResourceInUseException](err); err != nil && !again {
		return made{}, err
	}
	about, err := c.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return made{}, err
	}
	if expiry, ok := p["TimeToLiveSpecification"].(map[string]any); ok && c.streams {
		attribute, _ := expiry["AttributeName"].(string)
		_, err := c.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &attribute, Enabled: aws.Bool(true),
		}})
		if err != nil {
			return made{}, err
		}
	}
	attributes := map[string]string{"Arn": aws.ToString(about.Table.TableArn)}
	if about.Table.LatestStreamArn != nil {
		attributes["StreamArn"] = *about.Table.LatestStreamArn
	}
	return made{
		ref: name, attributes: attributes,
		remove: func(ctx context.Context) error {
			_, err := c.db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
			if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
				return nil
			}
			return err
		},
	}, nil
}

func (c *Cloud) makeQueue(ctx context.Context, _ string, p properties) (made, error) {
	in := sqs.CreateQueueInput{Attributes: map[string]string{}}
	for name, v := range p {
		switch name {
		case "QueueName":
			in.QueueName = aws.String(fmt.Sprint(v))
		case "VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled":
			in.Attributes[name] = fmt.Sprint(v)
		case "RedrivePolicy":
			policy, err := json.Marshal(v)
			if err != nil {
				return made{}, err
			}
			in.Attributes[name] = string(policy)
		default:
			return made{}, fmt.Errorf("cloudtest does not support the property %s", name)
		}
	}
	out, err := c.queues.CreateQueue(ctx, &in)
	if err != nil {
		return made{}, err
	}
	about,
		err := c.queues.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: out.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		return made{}, err
	}
	return made{
		ref:        *out.QueueUrl,
		attributes: map[string]string{"Arn": about.Attributes["QueueArn"], "QueueName": *in.QueueName},
		remove: func(ctx context.Context) error {
			_, err := c.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
			if _, gone := errors.AsType[*sqstypes.QueueDoesNotExist](err); gone {
				return nil
			}
			return err
		},
	}, nil
}

func (c *Cloud) makeKey(ctx context.Context, _ string, p properties) (made, error) {
	var in kms.CreateKeyInput
	err := p.into(&in, []string{"Description", "KeySpec", "KeyUsage"}, []string{"KeyPolicy", "PendingWindowInDays"})
	if err != nil {
		return made{}, err
	}
	out, err := c.keys.CreateKey(ctx, &in)
	if err != nil {
		return made{}, err
	}
	return made{
		ref:        *out.KeyMetadata.KeyId,
		attributes: map[string]string{"Arn": *out.KeyMetadata.Arn, "KeyId": *out.KeyMetadata.KeyId},
		remove: func(ctx context.Context) error {
			_, err := c.keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{
				KeyId: out.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7),
			})
			if _, gone := errors.AsType[*kmstypes.NotFoundException](err); gone {
				return nil
			}
			return err
		},
	}, nil
}

// makeSecret creates the document that Secrets Manager would generate, with SampleSecret as its
// random value.
func (c *Cloud) makeSecret(ctx context.Context, id string, p properties) (made, error) {
	generated, ok := p["GenerateSecretString"].(map[string]any)
	if !ok {
		return made{}, errors.New("cloudtest supports only secrets with GenerateSecretString")
	}
	document := map[string]any{}
	if err := json.Unmarshal([]byte(fmt.Sprint(generated["SecretStringTemplate"])), &document); err != nil {
		return made{}, err
	}
	document[fmt.Sprint(generated["GenerateStringKey"])] = SampleSecret
	value, err := json.Marshal(document)
	if err != nil {
		return made{}, err
	}
	out,
		err := c.secrets.CreateSecret(ctx,
		&secretsmanager.CreateSecretInput{Name: aws.String(c.stack + "-" + id),
			SecretString: aws.String(string(value))})
	if err != nil {
		return made{}, err
	}
	return made{
		ref: *out.ARN, attributes: map[string]string{"Id": *out.ARN},
		remove: func(ctx context.Context) error {
			_, err := c.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
				SecretId: out.ARN, ForceDeleteWithoutRecovery: aws.Bool(true),
			})
			if _, gone := errors.AsType[*secretstypes.ResourceNotFoundException](err); gone {
				return nil
			}
			return err
		},
	}, nil
}
