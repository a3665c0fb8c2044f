package stack

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Resources returns the physical id of each resource of the stack, by its logical id. A table's
// physical id is its name.
func (s Stack) Resources(ctx context.Context) (map[string]string, error) {
	named := map[string]string{}
	return named, s.each(ctx, func(r types.StackResourceSummary) {
		named[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
	})
}

// Tables returns the logical ids of the tables in the stack's own template, whose version may
// differ from this program's.
func (s Stack) Tables(ctx context.Context) (ids []string, err error) {
	err = s.each(ctx, func(r types.StackResourceSummary) {
		if aws.ToString(r.ResourceType) == "AWS::DynamoDB::Table" {
			ids = append(ids, aws.ToString(r.LogicalResourceId))
		}
	})
	return ids, err
}

// each calls do with each resource of the stack.
func (s Stack) each(ctx context.Context, do func(types.StackResourceSummary)) error {
	cfg, err := Config(ctx, s.Endpoint)
	if err != nil {
		return err
	}
	in := &cloudformation.ListStackResourcesInput{StackName: &s.Name}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("stack %s: %w", s.Name, err)
		}
		for _, r := range page.StackResourceSummaries {
			do(r)
		}
	}
	return nil
}
