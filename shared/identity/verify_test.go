package identity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/identity/identitytest"
)

const (
	issuer   = "https://backroom.example"
	audience = "backroom-api"
)

// world is a mint, its verifier, and a clock.
type world struct {
	now      time.Time
	signer   identitytest.Signer
	board    *identitytest.Board
	mint     *identity.Mint
	verifier *identity.TokenVerifier
	kid      string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), signer: identitytest.NewSigner(t),
		board: &identitytest.Board{}}
	w.mint = &identity.Mint{
		Issuer: issuer, Audience: audience, Lifetime: 15 * time.Minute,
		Signer: w.signer, Board: w.board, Now: func() time.Time { return w.now }, NewID: rand.Text,
	}
	w.verifier = identity.NewVerifier(issuer, audience, w.board.Keys, func() time.Time { return w.now })
	require.NoError(t, w.mint.Prepare(t.Context()))
	key, err := identity.PublicKey(&w.signer.Private.PublicKey)
	require.NoError(t, err)
	w.kid = key.KeyID
	return w
}

var anna = identity.Caller{Shop: "main", Subject: "anna", Client: "web",
	Scopes: []string{identity.OrdersWrite, identity.OrdersRead}}

// object is a JSON object. A nil member is left out.
type object map[string]any

func (o object) with(changes object) object {
	c := maps.Clone(o)
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, raw := v.(string)
	if !raw {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		text = string(b)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func (w *world) header() object { return object{"alg": "ES256", "kid": w.kid, "typ": "at+jwt"} }

func (w *world) claims() object {
	return object{
		"iss": issuer, "aud": audience, "sub": "anna", "client_id": "web", "shop": "main",
		"scope": "orders:write orders:read",
		"iat":   w.now.Unix(), "exp": w.now.Add(15 * time.Minute).Unix(), "jti": "one",
	}
}

// forge returns a token of any header and claims with a signature that verifies, if the key and the algorithm do.
func (w *world) forge(t *testing.T, header, claims any) string {
	t.Helper()
	return signed(t, w.signer.Private, encoded(t, header)+"."+encoded(t, claims))
}

func signed(t *testing.T, key *ecdsa.PrivateKey, input string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	require.NoError(t, err)
	size := (key.Curve.Params().BitSize + 7) / 8
	signature := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func hmacSigned(t *testing.T, key []byte, header, claims any) string {
	t.Helper()
	input := encoded(t, header) + "." + encoded(t, claims)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestVerify_ReturnsTheCallerOfTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, err := w.mint.Issue(t.Context(), anna)
	require.NoError(t, err)
	caller, err := w.verifier.Verify(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, anna, caller)
	assert.True(t, caller.May(identity.OrdersRead))
	assert.False(t, caller.May(identity.OrdersReadAll))
}

func TestIssue_HasTheClaimsOfRFC9068(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, err := w.mint.Issue(t.Context(), anna)
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var header, said object
	for i, v := range []*object{&header, &said} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, v))
	}
	assert.Equal(t, w.header(), header)
	assert.NotEmpty(t, said["jti"])
	expected := w.claims().with(
		object{"jti": said["jti"], "iat": float64(w.now.Unix()), "exp": float64(w.now.Add(15 * time.Minute).Unix())})
	assert.Equal(t, expected, said)
}

func TestVerify_AcceptsValidTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(d time.Duration) int64 { return w.now.Add(d).Unix() }
	for name, token := range map[string]string{
		"as the mint makes it": w.forge(t, w.header(), w.claims()),
		"expired less than the leeway ago": w.forge(t, w.header(),
			w.claims().with(object{"exp": at(-60 * time.Second)})),
		"from a clock that is a little ahead": w.forge(t, w.header(),
			w.claims().with(object{"iat": at(time.Minute), "nbf": at(time.Minute)})),
		"for this audience among others": w.forge(t, w.header(),
			w.claims().with(object{"aud": []string{"other", audience}})),
		"with a claim that nobody asked for": w.forge(t, w.header(),
			w.claims().with(object{"email": "x@example.com"})),
		"that grants nothing, and says so": w.forge(t, w.header(), w.claims().with(object{"scope": nil})),
		"whose expiry has a fraction of a second": w.forge(t, w.header(),
			w.claims().with(object{"exp": float64(at(time.Minute)) + 0.5})),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := w.verifier.Verify(t.Context(), token)
			require.NoError(t, err)
			assert.Equal(t, "anna", caller.Subject)
		})
	}
}

func TestVerify_RefusesInvalidTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(d time.Duration) int64 { return w.now.Add(d).Unix() }
	good := w.forge(t, w.header(), w.claims())
	parts := strings.Split(good, ".")
	der, err := x509.MarshalPKIXPublicKey(&w.signer.Private.PublicKey)
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger := identitytest.NewSigner(t)
	strangersKey, err := identity.PublicKey(&stranger.Private.PublicKey)
	require.NoError(t, err)
	strangersJWK, err := json.Marshal(strangersKey)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	asn1Signature,
		err := w.signer.Sign(t.Context(),
		func() []byte { d := sha256.Sum256([]byte(parts[0] + "." + parts[1])); return d[:] }())
	require.NoError(t, err)
	unsigned := func(header object) string { return encoded(t, header) + "." + parts[1] + "." }
	header := func(changes object) string { return w.forge(t, w.header().with(changes), w.claims()) }
	claims := func(changes object) string { return w.forge(t, w.header(), w.claims().with(changes)) }
	byStranger := func(h object) string { return signed(t, stranger.Private, encoded(t, h)+"."+encoded(t, w.claims())) }

	for name, token := range map[string]string{
		"nothing":                       "",
		"a word":                        "token",
		"a space":                       " ",
		"only dots":                     "..",
		"one part":                      parts[0],
		"two parts":                     parts[0] + "." + parts[1],
		"four parts":                    good + ".",
		"five parts, as in a JWE":       parts[0] + ".." + parts[1] + "." + parts[2] + "." + parts[2],
		"10,000 dots":                   strings.Repeat(".", 10_000),
		"a valid one, then 10,000 dots": good + strings.Repeat(".", 10_000),
		"100 KB":                        strings.Repeat("A", 100<<10),
		"100 KB of valid claims":        claims(object{"scope": strings.Repeat("a ", 50<<10)}),
		"white space around it":         " " + good,
		"a line end within it":          parts[0] + "\n." + parts[1] + "." + parts[2] + "\x00",
		"JSON serialization": `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` +
			parts[2] + `"}`,

		"alg none":                       unsigned(w.header().with(object{"alg": "none"})),
		"alg None":                       unsigned(w.header().with(object{"alg": "None"})),
		"alg nOnE":                       unsigned(w.header().with(object{"alg": "nOnE"})),
		"alg none with a good signature": header(object{"alg": "none"}),
		"alg empty":                      header(object{"alg": ""}),
		"alg missing":                    header(object{"alg": nil}),
		"alg twice": w.forge(t, `{"alg":"ES256","alg":"none","kid":"`+w.kid+`","typ":"at+jwt"}`,
			w.claims()),
		"alg in another case": header(object{"alg": "es256"}),
		"alg is a list":       header(object{"alg": []string{"ES256"}}),
		"HS256 with the public key as PEM": hmacSigned(t, publicPEM, w.header().with(object{"alg": "HS256"}),
			w.claims()),
		"HS256 with the public key as DER": hmacSigned(t, der, w.header().with(object{"alg": "HS256"}), w.claims()),
		"HS256 with its thumbprint": hmacSigned(t, []byte(w.kid), w.header().with(object{"alg": "HS256"}),
			w.claims()),
		"an HMAC that calls itself ES256": hmacSigned(t, der, w.header(), w.claims()),
		"RS256":                           rs256(t, rsaKey, w.header().with(object{"alg": "RS256"}), w.claims()),
		"ES384 over a key on P-256":       header(object{"alg": "ES384"}),
		"EdDSA":                           header(object{"alg": "EdDSA"}),

		"an empty signature": parts[0] + "." + parts[1] + ".",
		"a signature of zeros": parts[0] + "." + parts[1] + "." +
			base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"a short signature": parts[0] + "." + parts[1] + "." + parts[2][:80],
		"a signature in ASN.1": parts[0] + "." + parts[1] + "." +
			base64.RawURLEncoding.EncodeToString(asn1Signature),
		"a padded signature": good + "==",
		"altered claims": parts[0] + "." + encoded(t, w.claims().with(object{"sub": "boss"})) + "." +
			parts[2],
		"an altered header": encoded(t, `{"typ":"at+jwt","alg":"ES256","kid":"`+w.kid+`"}`) + "." +
			parts[1] + "." + parts[2],
		"a stranger's signature":       byStranger(w.header()),
		"a stranger's key, by its kid": byStranger(w.header().with(object{"kid": strangersKey.KeyID})),
		"a stranger's key in jwk":      byStranger(w.header().with(object{"jwk": json.RawMessage(strangersJWK)})),
		"a stranger's key instead of kid": byStranger(
			w.header().with(object{"jwk": json.RawMessage(strangersJWK), "kid": nil})),
		"a stranger's keys at jku": byStranger(w.header().with(object{"jku": "https://evil.example/jwks.json"})),
		"a stranger's keys at x5u": byStranger(w.header().with(object{"x5u": "https://evil.example/chain.pem"})),
		"a certificate in x5c":     byStranger(w.header().with(object{"x5c": []string{"MIIB"}})),

		"jku beside a good signature":    header(object{"jku": "https://evil.example/jwks.json"}),
		"jwk beside a good signature":    header(object{"jwk": json.RawMessage(strangersJWK)}),
		"a critical extension":           header(object{"crit": []string{"b64"}, "b64": false}),
		"a critical extension, unknown":  header(object{"crit": []string{"x"}, "x": 1}),
		"a compressed payload":           header(object{"zip": "DEF"}),
		"another member in the header":   header(object{"cty": "JWT"}),
		"no kid":                         header(object{"kid": nil}),
		"an empty kid":                   header(object{"kid": ""}),
		"an unknown kid":                 header(object{"kid": "unknown"}),
		"a kid that is a path":           header(object{"kid": "../../dev/null"}),
		"a kid that is SQL":              header(object{"kid": "' OR 1=1 --\n"}),
		"a kid that is a list":           header(object{"kid": []string{w.kid}}),
		"the kid of the table's key":     header(object{"kid": "pk"}),
		"the kid in another case":        header(object{"kid": strings.ToUpper(w.kid)}),
		"an id token":                    header(object{"typ": "JWT"}),
		"a token without typ":            header(object{"typ": nil}),
		"a logout token":                 header(object{"typ": "logout+jwt"}),
		"a header that is not an object": w.forge(t, `["ES256"]`, w.claims()),
		"a header that is null":          w.forge(t, `null`, w.claims()),
		"a header that is not JSON":      w.forge(t, `{"alg":`, w.claims()),
		"a header with bytes behind it":  w.forge(t, `{"alg":"ES256","kid":"`+w.kid+`","typ":"at+jwt"}{}`, w.claims()),
		"a header in standard base64": base64.StdEncoding.EncodeToString(
			[]byte(`{"alg":"ES256","kid":"`+w.kid+`","typ":"at+jwt"}`)) + "=." + parts[1] + "." + parts[2],

		"another issuer":                 claims(object{"iss": "https://evil.example"}),
		"an issuer that begins the same": claims(object{"iss": issuer + ".evil.example"}),
		"an issuer with a slash more":    claims(object{"iss": issuer + "/"}),
		"no issuer":                      claims(object{"iss": nil}),
		"a list of issuers":              claims(object{"iss": []string{issuer}}),
		"another audience":               claims(object{"aud": "other"}),
		"no audience":                    claims(object{"aud": nil}),
		"an empty audience":              claims(object{"aud": []string{}}),
		"an audience that is an object":  claims(object{"aud": object{"0": audience}}),
		"expired 61 seconds ago":         claims(object{"exp": at(-61 * time.Second)}),
		"no expiry":                      claims(object{"exp": nil}),
		"an expiry that is null": w.forge(t, w.header(),
			strings.Replace(claimsText(t, w), `"exp":`, `"exp":null,"x":`, 1)),
		"an expiry that is text":     claims(object{"exp": "4102444800"}),
		"an expiry that is true":     claims(object{"exp": true}),
		"an expiry beyond all time":  claims(object{"exp": json.RawMessage("1e400")}),
		"an expiry that overflows":   claims(object{"exp": json.RawMessage("9223372036854775807")}),
		"an expiry that is negative": claims(object{"exp": -1}),
		"a zero expiry":              claims(object{"exp": 0}),
		"an expiry twice": w.forge(t, w.header(),
			strings.Replace(claimsText(t, w), `{`, `{"exp":1,`, 1)),
		"an expiry in another case": w.forge(t, w.header(),
			strings.Replace(claimsText(t, w), `"exp"`, `"EXP"`, 1)),
		"not valid for another 61 seconds":   claims(object{"nbf": at(61 * time.Second)}),
		"issued in 61 seconds":               claims(object{"iat": at(61 * time.Second)}),
		"a not-before that is text":          claims(object{"nbf": "soon"}),
		"no subject":                         claims(object{"sub": nil}),
		"an empty subject":                   claims(object{"sub": ""}),
		"a subject that is a number":         claims(object{"sub": 7}),
		"no client":                          claims(object{"client_id": nil}),
		"no shop":                            claims(object{"shop": nil}),
		"a shop that reaches into another's": claims(object{"shop": "main#other"}),
		"a list of scopes":                   claims(object{"scope": []string{"orders:write"}}),
		"claims that are a list":             w.forge(t, w.header(), `[]`),
		"claims that are null":               w.forge(t, w.header(), `null`),
		"claims that are not JSON":           w.forge(t, w.header(), `{"iss":`),
		"claims with bytes behind them":      w.forge(t, w.header(), claimsText(t, w)+"{}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := w.verifier.Verify(t.Context(), token)
			require.ErrorIs(t, err, identity.ErrNotAuthenticated)
			assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
			assert.Zero(t, caller, "nobody")
			f, ok := errors.AsType[*fault.Fault](err)
			require.True(t, ok)
			assert.Equal(t, identity.ErrNotAuthenticated.Detail, f.Detail, "the caller learns nothing of the cause")
			assert.Error(t, f.Unwrap(), "the log does")
			assert.Less(t, len(err.Error()), 400, "a log line stays one")
		})
	}
}

func claimsText(t *testing.T, w *world) string {
	t.Helper()
	b, err := json.Marshal(w.claims())
	require.NoError(t, err)
	return string(b)
}

func rs256(t *testing.T, key *rsa.PrivateKey, header, claims any) string {
	t.Helper()
	input := encoded(t, header) + "." + encoded(t, claims)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	require.NoError(t, err)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestVerify_WithoutIssuerOrAudienceRefusesEveryToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, v := range map[string]*identity.TokenVerifier{
		"no issuer":   identity.NewVerifier("", audience, w.board.Keys, w.mint.Now),
		"no audience": identity.NewVerifier(issuer, "", w.board.Keys, w.mint.Now),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, changes := range []object{{}, {"iss": nil}, {"iss": ""}, {"aud": nil}, {"aud": ""}} {
				_, err := v.Verify(t.Context(), w.forge(t, w.header(), w.claims().with(changes)))
				assert.ErrorIs(t, err, identity.ErrNotAuthenticated)
			}
		})
	}
}

func TestUsable_ReturnsOnlyPublicKeysOnP256(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	secret := []byte("a symmetric key")
	require.NoError(t, w.board.Publish(t.Context(), jose.JSONWebKey{KeyID: "p384", Key: &p384.PublicKey}))
	require.NoError(t, w.board.Publish(t.Context(), jose.JSONWebKey{KeyID: "symmetric", Key: secret}))
	for _, token := range []string{
		signed(t, p384, encoded(t, w.header().with(object{"kid": "p384"}))+"."+encoded(t, w.claims())),
		hmacSigned(t, secret, w.header().with(object{"kid": "symmetric"}), w.claims()),
	} {
		_, err := w.verifier.Verify(t.Context(), token)
		assert.ErrorIs(t, err, identity.ErrNotAuthenticated)
	}
	_, err = w.verifier.Verify(t.Context(), w.forge(t, w.header(), w.claims()))
	assert.NoError(t, err, "they do not keep the good key from being used")
	_, err = identity.PublicKey(&p384.PublicKey)
	assert.Error(t, err)
	_, err = identity.PublicKey(nil)
	assert.Error(t, err)
}

func TestVerify_ReadsKeysAgainForAnUnknownKidWithALimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.verifier.Prepare(t.Context()))
	forged := w.forge(t, w.header().with(object{"kid": "unknown"}), w.claims())
	for range 50 {
		_, err := w.verifier.Verify(t.Context(), forged)
		require.ErrorIs(t, err, identity.ErrNotAuthenticated)
	}
	assert.Equal(t, 2, w.board.Reads(), "once to begin with, once for the unknown kid")

	next := &identity.Mint{
		Issuer: issuer, Audience: audience, Lifetime: time.Minute,
		Signer: identitytest.NewSigner(t), Board: w.board, Now: w.mint.Now, NewID: rand.Text,
	}
	token, err := next.Issue(t.Context(), anna)
	require.NoError(t, err)
	w.now = w.now.Add(time.Second)
	_, err = w.verifier.Verify(t.Context(), token)
	assert.NoError(t, err, "a key that was published since")
	old, err := w.mint.Issue(t.Context(), anna)
	require.NoError(t, err)
	_, err = w.verifier.Verify(t.Context(), old)
	assert.NoError(t, err, "and the one before it")
	assert.Equal(t, 3, w.board.Reads())
}

func TestVerify_AcceptsAKeyPublishedAfterPrepare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys, err := w.board.Keys(t.Context())
	require.NoError(t, err)
	w.board.Withdraw()
	require.NoError(t, w.verifier.Prepare(t.Context()))
	require.NoError(t, w.board.Publish(t.Context(), keys[0]))
	_, err = w.verifier.Verify(t.Context(), w.forge(t, w.header(), w.claims()))
	assert.NoError(t, err)
}

func TestVerify_ForgetsAWithdrawnKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.forge(t, w.header(), w.claims())
	_, err := w.verifier.Verify(t.Context(), token)
	require.NoError(t, err)
	w.board.Withdraw()
	w.now = w.now.Add(5 * time.Minute)
	_, err = w.verifier.Verify(t.Context(), token)
	assert.ErrorIs(t, err, identity.ErrNotAuthenticated)
}

func TestVerify_UnreadableKeysAreUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	w.board.Away = away
	assert.Error(t, w.verifier.Prepare(t.Context()))
	token := w.forge(t, w.header(), w.claims())
	_, err := w.verifier.Verify(t.Context(), token)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorIs(t, err, away)

	_, err = w.verifier.Verify(t.Context(), "rubbish")
	assert.ErrorIs(t, err, identity.ErrNotAuthenticated, "no key is needed to see that")

	w.board.Away = nil
	_, err = w.verifier.Verify(t.Context(), token)
	require.NoError(t, err, "read when needed")

	w.board.Away = away
	w.now = w.now.Add(6 * time.Minute)
	_, err = w.verifier.Verify(t.Context(), token)
	assert.NoError(t, err, "what is known serves on")
	_, err = w.verifier.Verify(t.Context(), w.forge(t, w.header().with(object{"kid": "new"}), w.claims()))
	assert.Equal(t, fault.Unavailable, fault.KindOf(err), "an unknown kid may be a new one")
}

func TestIssue_FailsForInvalidCallersAndSigners(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller identity.Caller
		spoil  func(*world)
		kind   fault.Kind
	}{
		"a caller without a shop": {caller: identity.Caller{Subject: "anna", Client: "web"}, kind: fault.Internal},
		"a shop with a # in its name": {caller: identity.Caller{Shop: "a#b", Subject: "anna", Client: "web"},
			kind: fault.Internal},
		"a key that was not published": {caller: anna, kind: fault.Unavailable,
			spoil: func(w *world) { w.board.Away = errors.New("away") }},
		"a signer that does not sign": {caller: anna, kind: fault.Unavailable,
			spoil: func(w *world) { w.mint.Signer = badSigner{Signer: w.signer} }},
		"a signature that is rubbish": {caller: anna, kind: fault.Unavailable, spoil: func(w *world) {
			w.mint.Signer = badSigner{Signer: w.signer, signature: []byte{0x30, 6, 2, 1, 0, 2, 1, 1}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mint = &identity.Mint{
				Issuer: issuer, Audience: audience, Lifetime: time.Minute,
				Signer: w.signer, Board: w.board, Now: w.mint.Now, NewID: rand.Text,
			}
			if c.spoil != nil {
				c.spoil(w)
			}
			token, err := w.mint.Issue(t.Context(), c.caller)
			assert.Equal(t, c.kind, fault.KindOf(err))
			assert.Empty(t, token)
		})
	}
}

// badSigner has the right public key and the wrong signature.
type badSigner struct {
	identitytest.Signer
	signature []byte
}

func (s badSigner) Sign(context.Context, []byte) ([]byte, error) {
	if s.signature == nil {
		return nil, errors.New("the key is disabled")
	}
	return s.signature, nil
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add(`{"payload":"","signatures":[]}`)
	board := &identitytest.Board{}
	v := identity.NewVerifier(issuer, audience, board.Keys, time.Now)
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, identity.ErrNotAuthenticated) {
			t.Errorf("%q: %v", token, err)
		}
	})
}
