package dynamo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestUpdateTable_SwitchesTheStreamOffAndOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first, _ := w.shards()
	_, refused,
		_ := w.try("UpdateTable",
		`{"TableName": "Orders", "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}`)
	assert.Equal(t, "ValidationException", refused, "the table already has a stream")

	off, _ := w.do("UpdateTable", `{"TableName": "Orders", "StreamSpecification": {"StreamEnabled": false}}`)
	assert.NotContains(t, off, "LatestStreamArn")
	described, _ := w.do("DescribeStream", `{"StreamArn": "`+first+`"}`)
	assert.Contains(t, described, `"StreamStatus":"DISABLED"`)
	assert.Contains(t, described, `"EndingSequenceNumber"`)
	w.put(`"pk": {"S": "a"}`)
	on, _ := w.do("UpdateTable", `{"TableName": "Orders", "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}`)
	assert.Contains(t, on, `"StreamViewType":"KEYS_ONLY"`)
	assert.NotContains(t, on, first, "the new stream has its own ARN, even in the same millisecond")
}

func TestDeleteTable_ProtectedTableIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.do("UpdateTable", `{"TableName": "Orders", "DeletionProtectionEnabled": true}`)
	_, refused, _ := w.try("DeleteTable", `{"TableName": "Orders"}`)
	assert.Equal(t, "ValidationException", refused)
	w.do("UpdateTable", `{"TableName": "Orders", "DeletionProtectionEnabled": false}`)
	w.do("DeleteTable", `{"TableName": "Orders"}`)
}

func TestTable_BackupsTagsAndTimeToLiveAreSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.do("UpdateContinuousBackups",
		`{"TableName": "Orders", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}`)
	backups, _ := w.do("DescribeContinuousBackups", `{"TableName": "Orders"}`)
	assert.Contains(t, backups, `"PointInTimeRecoveryStatus":"ENABLED"`)
	w.do("TagResource", `{"ResourceArn": "arn:aws:dynamodb:eu-central-1:000000000000:table/Orders", "Tags": []}`)

	_, refused,
		_ := w.try("UpdateTimeToLive",
		`{"TableName": "Orders", "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": false}}`)
	assert.Equal(t, "ValidationException", refused, "time to live can be changed once an hour")
	w.pass(time.Hour)
	w.do("UpdateTimeToLive",
		`{"TableName": "Orders", "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": false}}`)
	described, _ := w.do("DescribeTimeToLive", `{"TableName": "Orders"}`)
	assert.Contains(t, described, "DISABLED")
}

func TestTable_IsFoundByItsARN(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(`"pk": {"S": "a"}`)
	answer,
		_ := w.do("GetItem",
		`{"TableName": "arn:aws:dynamodb:eu-central-1:000000000000:table/Orders", "Key": {"pk": {"S": "a"}}}`)
	assert.Contains(t, answer, "Item")
}
