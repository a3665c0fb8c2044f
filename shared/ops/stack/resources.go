package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"backroom/localstack/cloud"
)

// Resources returns what the cloud calls each resource of the stack, by the name that it has in the template: of a table, its
// name.
func (s Stack) Resources(ctx context.Context) (map[string]string, error) {
	cfg, err := cloud.Config(ctx, s.Endpoint)
	if err != nil {
		return nil, err
	}
	named := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &s.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("stack %s: %w", s.Name, err)
		}
		for _, r := range page.StackResourceSummaries {
			named[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
		}
	}
	return named, nil
}
