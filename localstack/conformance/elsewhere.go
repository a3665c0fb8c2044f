package conformance

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	"backroom/shared/function"
)

// Elsewhere returns the cloud at BACKROOM_ENDPOINT, and its name from BACKROOM_CLOUD: ministack or
// localstack. The name is empty if BACKROOM_ENDPOINT is empty. It fails the test if there is an
// endpoint but no name.
func Elsewhere(t *testing.T) (name string, config aws.Config) {
	t.Helper()
	endpoint, name := strings.TrimSuffix(os.Getenv("BACKROOM_ENDPOINT"), "/"), os.Getenv("BACKROOM_CLOUD")
	if endpoint == "" {
		return "", aws.Config{}
	}
	require.NotEmpty(t, name, "BACKROOM_CLOUD must name the cloud at %s: ministack or localstack", endpoint)
	return name, function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": cloudsim.Region, "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test",
	}).AWS
}
