package simulation

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A stream and Lambda spell the members of userIdentity differently
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html).
func TestReadRecord_SpellsUserIdentityAsLambda(t *testing.T) {
	const change = `"eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":1772366400,"SequenceNumber":"7","SizeBytes":12}`
	expired,
		err := readRecord(
		json.RawMessage(`{` + change + `,"userIdentity":{"Type":"Service","PrincipalId":"dynamodb.amazonaws.com"}}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{`+change+`,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`,
		string(document(expired).Body))
	assert.Equal(t, "7", expired.sequence())
	assert.Equal(t, time.Unix(1772366400, 0), expired.at())

	byHand, err := readRecord(json.RawMessage(`{` + change + `}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{`+change+`}`, string(document(byHand).Body))

	wanted, err := parsePattern(`{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`)
	require.NoError(t, err)
	assert.True(t, passes([]pattern{wanted}, expired))
	assert.False(t, passes([]pattern{wanted}, byHand))
}
