package stack

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Region is the region of the local clouds.
const Region = "us-east-1"

// Config returns the SDK's settings for the cloud at endpoint: dummy credentials for a local one,
// the caller's own for AWS.
func Config(ctx context.Context, endpoint string) (aws.Config, error) {
	if endpoint == "" {
		return config.LoadDefaultConfig(ctx)
	}
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, nil
}
