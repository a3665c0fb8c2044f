// Package identitydb stores the public keys of access tokens in the access table, and returns every
// function's verifier.
//
// The table has plain items with pk as their only key. The item "keys" has one attribute per public
// key: its name is the key's kid, its value the JSON Web Key. To withdraw a key, let issue-token
// sign with another, then remove the attribute.
package identitydb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-jose/go-jose/v4"

	"backroom/shared/identity"
	"backroom/shared/record"
)

// Settings are what a function that verifies tokens reads from its environment. Embed them in its own.
type Settings struct {
	Access   string `env:"ACCESS_TABLE,notEmpty"`
	Issuer   string `env:"ISSUER,notEmpty"`
	Audience string `env:"AUDIENCE,notEmpty"`
}

// Verifier returns a verifier that uses the keys in the access table. Its Prepare reads them before the first request.
func Verifier(db *dynamodb.Client, now func() time.Time, s Settings) *identity.TokenVerifier {
	return identity.NewVerifier(s.Issuer, s.Audience, Store{DB: db, Table: s.Access}.Keys, now)
}

// Store is the access table.
type Store struct {
	DB    *dynamodb.Client
	Table string
}

var keysItem = record.PrimaryKey("keys")

// Keys returns the published keys; the list may be empty. Attributes that are not a readable key
// are left out. Errors are those of record.Failure.
func (s Store) Keys(ctx context.Context) ([]jose.JSONWebKey, error) {
	out,
		err := s.DB.GetItem(ctx,
		&dynamodb.GetItemInput{TableName: &s.Table, Key: keysItem, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, record.Failure(err)
	}
	var keys []jose.JSONWebKey
	for kid, value := range out.Item {
		var key jose.JSONWebKey
		text, ok := value.(*types.AttributeValueMemberS)
		if ok && key.UnmarshalJSON([]byte(text.Value)) == nil && key.KeyID == kid {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Publish adds the key under its kid and writes nothing else, so that functions that start at the same time do not
// overwrite each other's keys. Errors are those of record.Failure.
func (s Store) Publish(ctx context.Context, key jose.JSONWebKey) error {
	document, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("identitydb: encode key: %w", err)
	}
	_, err = s.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Table, Key: keysItem, UpdateExpression: aws.String("SET #kid = :key"),
		ExpressionAttributeNames: map[string]string{"#kid": key.KeyID},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":key": &types.AttributeValueMemberS{Value: string(document)},
		},
	})
	return record.Failure(err)
}

// Reach reports whether the table answers. Errors are those of record.Failure.
func (s Store) Reach(ctx context.Context) error {
	_, err := s.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.Table, Key: keysItem})
	return record.Failure(err)
}
