package identitydb_test

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitydb"
	"backroom/shared/identity/identitytest"
)

func store(cloud *cloudtest.Cloud) identitydb.Store {
	return identitydb.Store{DB: cloud.Runtime().DynamoDB(), Table: cloud.Table("Access")}
}

func newKey(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := identity.PublicKey(&identitytest.NewSigner(t).Private.PublicKey)
	require.NoError(t, err)
	return key
}

func kids(t *testing.T, s identitydb.Store) []string {
	t.Helper()
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.KeyID)
	}
	return ids
}

func TestStore_PublishKeepsOtherKeys(t *testing.T) {
	t.Parallel()
	s := store(cloudtest.New(t))
	assert.Empty(t, kids(t, s), "a new deployment has none")

	var wanted []string
	var all sync.WaitGroup
	for range 8 { // functions that start at the same time
		key := newKey(t)
		wanted = append(wanted, key.KeyID)
		for range 2 {
			all.Go(func() { assert.NoError(t, s.Publish(t.Context(), key)) })
		}
	}
	all.Wait()
	assert.ElementsMatch(t, wanted, kids(t, s))
}

func TestStore_KeysReturnsPublishedKeys(t *testing.T) {
	t.Parallel()
	s := store(cloudtest.New(t))
	key := newKey(t)
	require.NoError(t, s.Publish(t.Context(), key))
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Len(t, keys, 1)
	published, err := key.MarshalJSON()
	require.NoError(t, err)
	read, err := keys[0].MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, string(published), string(read))
}

func TestStore_KeysLeavesOutUnreadableAttributes(t *testing.T) {
	t.Parallel()
	s := store(cloudtest.New(t))
	key := newKey(t)
	require.NoError(t, s.Publish(t.Context(), key))
	document, err := key.MarshalJSON()
	require.NoError(t, err)
	_, err = s.DB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.Table, Item: map[string]types.AttributeValue{
		"pk":            &types.AttributeValueMemberS{Value: "keys"},
		key.KeyID:       &types.AttributeValueMemberS{Value: string(document)},
		"another-kid":   &types.AttributeValueMemberS{Value: string(document)},
		"not-json":      &types.AttributeValueMemberS{Value: "{"},
		"not-text":      &types.AttributeValueMemberBOOL{Value: true},
		"not-a-key":     &types.AttributeValueMemberS{Value: `{"kid":"not-a-key","kty":"EC"}`},
		"another-curve": &types.AttributeValueMemberS{Value: `{"kid":"another-curve","kty":"EC","crv":"P-256","x":"AA","y":"AA"}`},
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{key.KeyID}, kids(t, s))
}

func TestStore_UnreachableTableIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := function.Environment(map[string]string{
			"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test",
			"AWS_SECRET_ACCESS_KEY": "test",
		})
		s := identitydb.Store{DB: rt.DynamoDB(), Table: "access"}
		_, err := s.Keys(t.Context())
		assert.ErrorIs(t, err, fault.Unavailable)
		assert.ErrorIs(t, s.Publish(t.Context(), newKey(t)), fault.Unavailable)
		assert.ErrorIs(t, s.Reach(t.Context()), fault.Unavailable)
	})
}

func TestStore_ReachReportsTheTable(t *testing.T) {
	t.Parallel()
	s := store(cloudtest.New(t))
	assert.NoError(t, s.Reach(t.Context()), "an empty table is one")
	s.Table = "no-such-table"
	assert.Error(t, s.Reach(t.Context()))
}

func TestVerifier_ReadsItsKeysWhenItIsPrepared(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	rt := cloud.Runtime()
	settings := identitydb.Settings{Access: cloud.Table("Access"), Issuer: "https://backroom.example",
		Audience: "backroom-api"}
	mint := &identity.Mint{
		Issuer: settings.Issuer, Audience: settings.Audience, Lifetime: time.Minute,
		Signer: identitytest.NewSigner(t), Board: store(cloud), Now: rt.Now, NewID: rand.Text,
	}
	caller := identity.Caller{Shop: "main", Subject: "anna", Client: "web", Scopes: []string{identity.OrdersRead}}
	token, err := mint.Issue(t.Context(), caller)
	require.NoError(t, err)

	prepared := identitydb.Verifier(rt.DynamoDB(), rt.Now, settings)
	require.NoError(t, prepared.Prepare(t.Context()))
	late := identitydb.Verifier(rt.DynamoDB(), rt.Now, settings)
	nowhere, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := prepared.Verify(nowhere, token)
	require.NoError(t, err, "the table is not asked again")
	assert.Equal(t, caller, got)
	_, err = late.Verify(nowhere, token)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	got, err = late.Verify(t.Context(), token)
	require.NoError(t, err, "what was not prepared is read when it is needed")
	assert.Equal(t, caller, got)
}
