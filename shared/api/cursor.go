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

// Why a cursor cannot be used.
var (
	ErrBadCursor = fault.New(fault.Invalid, "cursor-invalid",
		"The cursor does not belong to this list, or is no longer valid. Start again without it.").
		In("cursor", "must be the next of a page of this list")
	errCursorsUnavailable = fault.New(fault.Unavailable, "cursors-unavailable",
		"Lists cannot be paged now. Try again after Retry-After.").After(time.Second)
)

const (
	maxCursor      = 1 << 10         // bytes
	cursorMaxAge   = 5 * time.Minute // how long a replaced secret is still used
	cursorPatience = time.Second     // minimum time between two reads that unknown cursors cause
)

// Paged is the part of an input that pages through a list. Embed it in the input.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"the maximum number of entries in the page"`
	Cursor string `query:"cursor" doc:"the next of the previous page; if absent, the first page"`
}

// List identifies the list that a cursor belongs to. The cursor is refused for other lists and for other callers.
type List struct {
	Route   string    // the operation's name, as in "list-products"
	Shop    saga.Shop // whose rows
	Subject string    // the caller; empty for a public list
	Filters []string  // what else selects or sorts the rows, always in the same order
}

// Cursors signs and opens cursors. A cursor is opaque to clients and cannot be forged. It is valid
// for as long as the secret that signed it.
type Cursors struct {
	secret remember.Value[[]byte]
}

// NewCursors returns cursors that are signed with a secret. read decodes a JSON document with a key into value.
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

// Sign returns the cursor that continues the list after key. It is empty for no key, as on the last page. Sign returns
// fault.Unavailable if the secret could never be read.
func (c *Cursors) Sign(ctx context.Context, of List, key map[string]string) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	secret, err := c.secret.Get(ctx)
	if err != nil {
		return "", errCursorsUnavailable.Because(err)
	}
	position, err := json.Marshal(key) // names are sorted, so the same place has the same cursor
	if err != nil {
		return "", fmt.Errorf("api: encode cursor: %w", err)
	}
	cursor := base64.RawURLEncoding.EncodeToString(append(of.seal(secret, position), position...))
	if len(cursor) > maxCursor {
		return "", fmt.Errorf("api: a cursor of %d bytes", len(cursor))
	}
	return cursor, nil
}

// Open returns the key that Sign was given for the same list. An empty cursor means the first page,
// and its key is nil. Open returns ErrBadCursor for a cursor that Sign did not return for this
// list, and fault.Unavailable if the secret cannot be read.
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

// split decodes a cursor. It accepts only the canonical spelling of its base64.
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

// seal returns the HMAC-SHA256 of the list and a position in it. Each part is prefixed with its length.
func (l List) seal(secret, position []byte) []byte {
	h := hmac.New(sha256.New, secret)
	parts := []string{"cursor", string(position), l.Route, string(l.Shop), l.Subject}
	for _, part := range append(parts, l.Filters...) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// LinkNext returns the Link header (RFC 8288) to the next page, which is the same request with the
// cursor. It is empty for an empty cursor.
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
