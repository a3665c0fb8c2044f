package queues_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudsim/queues"
	"backroom/localstack/conformance/queuestest"
	"backroom/shared/function"
)

// noon is when every simulated clock starts.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// post is the SQS of a simulated cloud, with a clock that only moves when somebody sleeps.
type post struct {
	*queues.Service
	cloud *cloudsim.Cloud
	mu    sync.Mutex
	now   time.Time
}

func newPost(pick func(int) int) *post {
	p := &post{now: noon}
	p.cloud = cloudsim.New(cloudsim.Settings{Pick: pick, Now: func() time.Time {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.now
	}})
	p.Service = p.cloud.Queues
	return p
}

func (p *post) sleep(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *post) config() aws.Config {
	return aws.Config{Region: cloudsim.Region, HTTPClient: p.cloud.Client(), Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1}
}

// The simulator always, and the cloud of BACKROOM_ENDPOINT, if there is one.
func TestEveryCloudDoesWhatSQSDoes(t *testing.T) {
	p := newPost(nil)
	t.Run("cloudsim", func(t *testing.T) {
		queuestest.Exercise(t, queuestest.Cloud{Name: "cloudsim", Config: p.config(), Sleep: p.sleep})
		require.Empty(t, p.URLs(), "every case removed its queues")
	})
	endpoint, name := os.Getenv("BACKROOM_ENDPOINT"), os.Getenv("BACKROOM_CLOUD")
	if endpoint == "" {
		return
	}
	require.NotEmpty(t, name, "BACKROOM_CLOUD must say which cloud is at %s: ministack or localstack", endpoint)
	t.Run(name, func(t *testing.T) {
		rt := function.Environment(map[string]string{
			"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		})
		queuestest.Exercise(t, queuestest.Cloud{Name: name, Config: rt.AWS, Sleep: time.Sleep, Parallel: true})
	})
}
