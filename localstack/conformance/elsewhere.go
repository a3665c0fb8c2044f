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

// Elsewhere returns the cloud that BACKROOM_ENDPOINT points to, and the name that BACKROOM_CLOUD gives it: ministack or
// localstack. The name is empty if BACKROOM_ENDPOINT is. A test fails that has an endpoint without a name.
func Elsewhere(t *testing.T) (name string, config aws.Config) {
	t.Helper()
	endpoint, name := strings.TrimSuffix(os.Getenv("BACKROOM_ENDPOINT"), "/"), os.Getenv("BACKROOM_CLOUD")
	if endpoint == "" {
		return "", aws.Config{}
	}
	require.NotEmpty(t, name, "BACKROOM_CLOUD must say which cloud is at %s: ministack or localstack", endpoint)
	return name, function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": cloudsim.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}).AWS
}
