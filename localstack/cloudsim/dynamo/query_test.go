package dynamo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQuery_WhatAnIndexLacksIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for parameters, why := range map[string]string{
		`"Select": "ALL_ATTRIBUTES"`: "Select type ALL_ATTRIBUTES is not supported for global " +
			"secondary index overdue because its projection type is not ALL",
		`"ProjectionExpression": "x, y"`: "Global secondary index overdue does not project [x, y]",
		`"FilterExpression": "x = :yes"`: "Secondary index overdue does not project one or more " +
			"filter attributes: [x]",
		`"ConsistentRead": true`: "Consistent read cannot be true when querying a GSI",
		`"Select": "COUNT", "ProjectionExpression": "pk"`: "Cannot specify the ProjectionExpression when choosing " +
			"to get only the Count",
		`"Select": "SPECIFIC_ATTRIBUTES"`: "Must specify the AttributesToGet or " +
			"ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
		`"Select": "EVERYTHING"`: "Select must be ALL_ATTRIBUTES, " +
			"ALL_PROJECTED_ATTRIBUTES, COUNT, or SPECIFIC_ATTRIBUTES",
	} {
		answer, refused,
			_ := w.try("Query", `{"TableName": "Orders", "IndexName": "overdue", "KeyConditionExpression": "#o = :yes",
			"ExpressionAttributeNames": {"#o": "open"}, "ExpressionAttributeValues": {":yes": {"S": "yes"}}, `+parameters+`}`)
		assert.Equal(t, "ValidationException", refused, parameters)
		assert.Contains(t, answer, why)
	}
}
