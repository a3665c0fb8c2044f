package dynamotest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func tables() map[string]example {
	return map[string]example{
		"a table is described as it was created":       scenario(describedTable),
		"creating an existing table is refused":        scenario(tableAgain),
		"deleting an unknown table is refused":         scenario(tableGone),
		"a table's name is listed":                     scenario(tableListed),
		"an undefined key attribute is refused":        scenario(undefinedKey),
		"an unused attribute definition is refused":    scenario(definedForNothing),
		"time to live is changed at most once an hour": scenario(timeToLive),
	}
}

func describedTable(t conformance.T, s *stage) {
	described, err := s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.rows})
	require.NoError(t, err)
	table := described.Table
	require.Equal(t, types.TableStatusActive, table.TableStatus)
	require.Equal(t, key("pk", "sk"), table.KeySchema)
	require.Contains(t, aws.ToString(table.TableArn), ":table/"+s.rows)
	require.Contains(t, aws.ToString(table.LatestStreamArn), ":table/"+s.rows+"/stream/")
	require.Equal(t, streaming(types.StreamViewTypeOldImage), table.StreamSpecification)
	kinds := map[string]types.ProjectionType{}
	for _, index := range table.GlobalSecondaryIndexes {
		require.Equal(t, types.IndexStatusActive, index.IndexStatus)
		kinds[*index.IndexName] = index.Projection.ProjectionType
	}
	require.Equal(t,
		map[string]types.ProjectionType{"byOwner": types.ProjectionTypeAll, "byDue": types.ProjectionTypeKeysOnly,
			"byTag": types.ProjectionTypeInclude}, kinds)
}

func tableAgain(t conformance.T, s *stage) {
	_, err := s.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &s.things, KeySchema: key("id"), AttributeDefinitions: defined("S", "id"),
		BillingMode: types.BillingModePayPerRequest,
	})
	refuses(t, err, inUse, "")
}

func tableGone(t conformance.T, s *stage) {
	_, err := s.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("conformance-nowhere")})
	refuses(t, err, missing, "")
}

func tableListed(t conformance.T, s *stage) {
	pager := dynamodb.NewListTablesPaginator(s.db, &dynamodb.ListTablesInput{})
	var names []string
	for pager.HasMorePages() {
		page, err := pager.NextPage(t.Context())
		require.NoError(t, err)
		names = append(names, page.TableNames...)
	}
	require.Subset(t, names, []string{s.things, s.rows, s.scores, s.blobs})
}

func undefinedKey(t conformance.T, s *stage) {
	_, err := s.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("conformance-undefined"), KeySchema: key("id"),
		AttributeDefinitions: defined("S", "other"), BillingMode: types.BillingModePayPerRequest,
	})
	refuses(t, err, invalid, "")
}

func definedForNothing(t conformance.T, s *stage) {
	_, err := s.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("conformance-overdefined"), KeySchema: key("id"),
		AttributeDefinitions: defined("S", "id", "other"), BillingMode: types.BillingModePayPerRequest,
	})
	refuses(t, err, invalid, "")
}

func timeToLive(t conformance.T, s *stage) {
	enable := &dynamodb.UpdateTimeToLiveInput{TableName: &s.scores,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"),
			Enabled: aws.Bool(true)}}
	_, err := s.db.UpdateTimeToLive(t.Context(), enable)
	require.NoError(t, err)
	described, err := s.db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &s.scores})
	require.NoError(t, err)
	require.Equal(t, "expires", aws.ToString(described.TimeToLiveDescription.AttributeName))
	require.Contains(t, []types.TimeToLiveStatus{types.TimeToLiveStatusEnabled, types.TimeToLiveStatusEnabling},
		described.TimeToLiveDescription.TimeToLiveStatus)
	_, err = s.db.UpdateTimeToLive(t.Context(), enable)
	refuses(t, err, invalid, "")
}
