// Package secret reads secrets by reference: a function's environment holds ARNs, never values.
package secret

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Read decodes the JSON document of the secret with the ARN into value. Errors name the ARN, never
// the value.
func Read(ctx context.Context, cfg aws.Config, arn string, value any) error {
	out,
		err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return fmt.Errorf("secret: read %s: %w", arn, err)
	}
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), value) != nil {
		return fmt.Errorf("secret: %s does not contain the expected JSON document", arn)
	}
	return nil
}
