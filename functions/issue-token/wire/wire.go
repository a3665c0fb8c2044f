// Package wire connects issue-token to its clients, its key and the table of public keys.
package wire

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitydb"
	"backroom/shared/identity/identitykms"
	"backroom/shared/oauth"
	"backroom/shared/saga"
	"backroom/shared/secret"
)

// Settings are what issue-token reads from its environment.
type Settings struct {
	identitydb.Settings
	SigningKey   string        `env:"SIGNING_KEY,notEmpty"` // the KMS key
	ClientSecret string        `env:"CLIENT_SECRET_ARN,notEmpty"`
	Shop         saga.Shop     `env:"SHOP,notEmpty"`
	Lifetime     time.Duration `env:"TOKEN_TTL,notEmpty"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	read := func(ctx context.Context, v any) error { return secret.Read(ctx, rt.AWS, env.ClientSecret, v) }
	clients := oauth.NewBootstrap(env.Shop, read, rt.Now)
	board := identitydb.Store{DB: rt.DynamoDB(), Table: env.Access}
	signer := identitykms.Key{KMS: kms.NewFromConfig(rt.AWS), ID: env.SigningKey}
	mint := identity.Mint{Issuer: env.Issuer, Audience: env.Audience, Lifetime: env.Lifetime, Signer: signer,
		Board: board, Now: rt.Now, NewID: rand.Text}
	rt.OnInit(mint.Prepare)
	rt.OnInit(clients.Prepare)
	return oauth.TokenHandler{Clients: clients, Mint: &mint}.Operation()
}
