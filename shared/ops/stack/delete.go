package stack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/ops/remedy"
)

// Delete deletes the stack and waits until it is deleted. Its tables stay: see Leftovers.
func (s Stack) Delete(ctx context.Context) error {
	cfg, err := Config(ctx, s.Endpoint)
	if err != nil {
		return err
	}
	stacks := cloudformation.NewFromConfig(cfg)
	_, err = stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.Name})
	if err == nil {
		gone := cloudformation.NewStackDeleteCompleteWaiter(stacks,
			func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
				o.MinDelay, o.MaxDelay = time.Second, 10*time.Second
			})
		err = gone.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: &s.Name}, 30*time.Minute)
	}
	if err != nil {
		return remedy.For(fmt.Errorf("stack %s: %w", s.Name, err),
			"aws cloudformation describe-stack-events --stack-name "+s.Name)
	}
	return nil
}

// Tables are the logical ids of the template's tables. Leftovers finds the tables of a deleted
// stack by them.
var Tables = []string{
	"Orders", "Reservations", "Charges", "Levels", "Catalog", "Access", "Circuits", "Notices", "Mailbox", "Sandbox",
}

// Leftovers returns the tables that a deleted stack left: those that CloudFormation named after the
// stack and after one of tables, which are logical ids. An existing stack is an error.
func Leftovers(ctx context.Context, endpoint, stack string, tables []string) ([]string, error) {
	if _, err := Describe(ctx, endpoint, stack); !errors.Is(err, ErrNoStack) {
		return nil, errors.Join(fmt.Errorf("stack %s still exists, and its tables are in use", stack), err)
	}
	cfg, err := Config(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	named := namedAfter(stack, tables)
	var left []string
	pages := dynamodb.NewListTablesPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range page.TableNames {
			if named.MatchString(name) {
				left = append(left, name)
			}
		}
	}
	return left, nil
}

// namedAfter matches the names that CloudFormation gives to a stack's tables: stack, logical id,
// random suffix. A stack whose name only begins with this one's has an additional part.
func namedAfter(stack string, tables []string) *regexp.Regexp {
	return regexp.MustCompile(`^` + regexp.QuoteMeta(stack) + `-(` + strings.Join(tables, "|") + `)-[A-Za-z0-9]+$`)
}

// DeleteTables deletes tables and waits until they are deleted. The error names those that stay,
// such as prod's, which are protected.
func DeleteTables(ctx context.Context, endpoint string, names []string) error {
	cfg, err := Config(ctx, endpoint)
	if err != nil {
		return err
	}
	db := dynamodb.NewFromConfig(cfg)
	var stay []error
	for _, name := range names {
		if err := deleteTable(ctx, db, name); err != nil {
			stay = append(stay, fmt.Errorf("table %s: %w", name, err))
		}
	}
	return errors.Join(stay...)
}

func deleteTable(ctx context.Context, db *dynamodb.Client, name string) error {
	_, err := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		return nil
	}
	if err != nil {
		return err
	}
	gone := dynamodb.NewTableNotExistsWaiter(db,
		func(o *dynamodb.TableNotExistsWaiterOptions) { o.MinDelay, o.MaxDelay = time.Second, 10*time.Second })
	return gone.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 10*time.Minute)
}
