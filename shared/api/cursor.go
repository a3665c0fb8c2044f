package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
	"backroom/shared/secret/remember"
)

// What is wrong with a cursor, and what keeps one from being read.
var (
	ErrBadCursor = fault.New(fault.Invalid, "cursor-invalid", "The cursor is not one of this list, or no longer one. Begin again without it.").
			In("cursor", "was not given out for this list")
	errCursorsUnavailable = fault.New(fault.Unavailable, "cursors-unavailable", "Lists cannot be walked through right now; try again shortly.").After(time.Second)
)

const (
	maxCursor      = 1 << 10         // bytes
	cursorMaxAge   = 5 * time.Minute // how long a secret that was replaced still serves
	cursorPatience = time.Second     // between two readings of the secret that unknown cursors may cause
)

// Paged is the part of an input that walks through a list: embed it.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"how many to return at most"`
	Cursor string `query:"cursor" doc:"the next of the page before; the first page if absent"`
}

// List is what a cursor leads through. It opens for no other list, not even for the same one of another caller.
type List struct {
	Route   string    // the operation's name, as in "list-products"
	Shop    saga.Shop // whose rows
	Subject string    // who may go on; empty for a list that everybody may see
	Filters []string  // what else decides which rows are listed and how, in an order that stays
}

// Cursors hands out where lists go on, as texts that only it can make and that tell a client nothing to build on. A cursor
// holds for as long as the secret that it is signed with.
type Cursors struct {
	secret remember.Value[[]byte]
}

// NewCursors returns cursors under the secret that read decodes into value, a JSON document with a key.
func NewCursors(read func(ctx context.Context, value any) error, now func() time.Time) *Cursors {
	c := &Cursors{}
	c.secret.Read = func(ctx context.Context) ([]byte, error) {
		var document struct {
			Key string `json:"key"`
		}
		if err := read(ctx, &document); err != nil {
			return nil, err
		}
		if document.Key == "" {
			return nil, errors.New("api: the cursors' secret lacks a key")
		}
		return []byte(document.Key), nil
	}
	c.secret.Now, c.secret.MaxAge, c.secret.Patience = now, cursorMaxAge, cursorPatience
	return c
}

// Prepare reads the secret before the first request.
func (c *Cursors) Prepare(ctx context.Context) error {
	_, err := c.secret.Get(ctx)
	return err
}

// Sign returns the cursor that leads through the list from behind key: empty, as on the last page, for no key. It returns
// fault.Unavailable if the secret was never read.
func (c *Cursors) Sign(ctx context.Context, of List, key map[string]string) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	secret, err := c.secret.Get(ctx)
	if err != nil {
		return "", errCursorsUnavailable.Because(err)
	}
	position, err := json.Marshal(key) // names sorted: the same place has the same cursor
	if err != nil {
		return "", fmt.Errorf("api: encode cursor: %w", err)
	}
	cursor := base64.RawURLEncoding.EncodeToString(append(of.seal(secret, position), position...))
	if len(cursor) > maxCursor {
		return "", fmt.Errorf("api: a cursor of %d bytes", len(cursor))
	}
	return cursor, nil
}

// Open returns the key that Sign was given for the same list: nil for no cursor, which means the first page. It returns
// ErrBadCursor for what Sign never returned for this list, and fault.Unavailable if that cannot be said.
func (c *Cursors) Open(ctx context.Context, of List, cursor string) (map[string]string, error) {
	if cursor == "" {
		return nil, nil
	}
	seal, position, ok := split(cursor)
	if !ok {
		return nil, ErrBadCursor
	}
	secret, err := c.secret.Get(ctx)
	if err == nil && !hmac.Equal(seal, of.seal(secret, position)) {
		secret, err = c.secret.Doubt(ctx) // it may have been replaced
	}
	var key map[string]string
	switch {
	case err != nil:
		return nil, errCursorsUnavailable.Because(err)
	case !hmac.Equal(seal, of.seal(secret, position)), json.Unmarshal(position, &key) != nil:
		return nil, ErrBadCursor
	}
	return key, nil
}

// split takes a cursor apart. A text that is another spelling of a cursor is none.
func split(cursor string) (seal, position []byte, ok bool) {
	if len(cursor) > maxCursor {
		return nil, nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= sha256.Size || base64.RawURLEncoding.EncodeToString(raw) != cursor {
		return nil, nil, false
	}
	return raw[:sha256.Size], raw[sha256.Size:], true
}

// seal returns the HMAC-SHA256 of the list and a place in it, each part with its length before it.
func (l List) seal(secret, position []byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range append([]string{"cursor", string(position), l.Route, string(l.Shop), l.Subject}, l.Filters...) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// LinkNext returns the Link header (RFC 8288) to the page that the cursor leads to, otherwise the same request; empty for no
// cursor.
func LinkNext(ctx context.Context, cursor string) string {
	if cursor == "" {
		return ""
	}
	x := exchangeOf(ctx)
	query := url.Values{}
	maps.Copy(query, x.query)
	query.Set("cursor", cursor)
	return "<" + x.path + "?" + query.Encode() + `>; rel="next"`
}
