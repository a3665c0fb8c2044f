package cloudtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// guard is a function's HTTP client. It fails the test if the function sends a request that its
// role does not allow, because local clouds do not check roles.
type guard struct {
	aws.HTTPClient
	cloud    *Cloud
	function string
	allowed  map[permission]Grant
}

// permission is the permission for an action on a resource.
type permission struct{ action, arn string }

func (c *Cloud) guard(function string, connection aws.HTTPClient) guard {
	g := guard{connection, c, function, map[permission]Grant{}}
	for _, s := range c.template.Statements(function) {
		for _, resource := range s.Resources {
			arn, err := c.template.Resolve(resource, c)
			if err != nil {
				continue // Lambda itself uses logs, traces and streams
			}
			for _, action := range s.Actions {
				g.allowed[permission{action, fmt.Sprint(arn)}] = Grant{function, action, fmt.Sprint(resource)}
			}
		}
	}
	return g
}

// Do sends the request.
func (g guard) Do(r *http.Request) (*http.Response, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		for _, p := range g.needs(target, body) {
			grant, allowed := g.allowed[p]
			if !allowed {
				g.cloud.t.Errorf("%s uses %s on %s, which its role does not allow", g.function, p.action, p.arn)
				continue
			}
			note(g.cloud.t, Grants, grant)
		}
	}
	return g.HTTPClient.Do(r)
}

// request has the members by which requests to DynamoDB, SQS, KMS and Secrets Manager name
// resources.
type request struct {
	TableName, IndexName      string
	RequestItems              map[string]any
	TransactItems             []map[string]struct{ TableName string }
	QueueUrl, KeyId, SecretId string
}

// needs returns the permissions that a request needs.
func (g guard) needs(target string, body []byte) []permission {
	service, operation, _ := strings.Cut(target, ".")
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		g.cloud.t.Errorf("%s sends a body to %s that is not valid JSON", g.function, target)
	}
	switch service {
	case "DynamoDB_20120810":
		return g.tables(operation, r)
	case "AmazonSQS":
		name := strings.TrimPrefix(r.QueueUrl[strings.LastIndex(r.QueueUrl, "/")+1:], g.cloud.stack+"-")
		name = g.cloud.stack + "-" + strings.TrimPrefix(name, "backroom-") // the stack of the sample events
		return []permission{{"sqs:" + strings.TrimSuffix(operation, "Batch"), g.cloud.arn("AWS::SQS::Queue", name)}}
	case "TrentService":
		return []permission{{"kms:" + operation, g.cloud.arn("AWS::KMS::Key", r.KeyId)}}
	case "secretsmanager":
		return []permission{{"secretsmanager:" + operation, r.SecretId}}
	}
	return []permission{{target, "an unknown resource"}}
}

// transacted are the actions that the parts of a transaction need.
var transacted = map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem",
	"ConditionCheck": "ConditionCheckItem"}

func (g guard) tables(operation string, r request) []permission {
	needs := []permission{}
	add := func(action, table, index string) {
		arn := g.cloud.arn("AWS::DynamoDB::Table", table)
		if index != "" {
			arn += "/index/" + index
		}
		needs = append(needs, permission{"dynamodb:" + action, arn})
	}
	for _, part := range r.TransactItems {
		for kind, of := range part {
			add(transacted[kind], of.TableName, "")
		}
	}
	for table := range r.RequestItems {
		add(operation, table, "")
	}
	if r.TableName != "" {
		add(operation, r.TableName, r.IndexName)
	}
	return needs
}

// arn returns the ARN of a resource by its name, id or ARN.
func (c *Cloud) arn(kind, name string) string {
	for _, m := range c.made {
		if m.kind == kind && (m.ref == name || m.attributes["Arn"] == name || m.attributes["QueueName"] == name) {
			return m.attributes["Arn"]
		}
	}
	return name + ", which is not in this stack,"
}
