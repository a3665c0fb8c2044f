package clients

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// Grow returns a handler that answers as a later release of the API may: each object of an answer
// has a member more, and an order is seen once in a status that the document does not name.
// docs/versioning.md promises clients no less, and they must tolerate it. next answers the
// requests.
func Grow(next http.Handler) http.Handler {
	later := &laterRelease{seen: map[string]bool{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		maps.Copy(w.Header(), recorded.Header())
		body := recorded.Body.Bytes()
		kind, _, _ := mime.ParseMediaType(recorded.Header().Get("Content-Type"))
		if len(body) > 0 && (kind == "application/json" || kind == "application/problem+json") {
			body = later.answer(r, body)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body) // a client that is gone needs no answer
	})
}

// A laterRelease remembers which orders were seen in the new status.
type laterRelease struct {
	mu   sync.Mutex
	seen map[string]bool
}

// newStatus is a status that no document names.
const newStatus = "packed_by_a_later_release"

// answer returns the body with what is new.
func (l *laterRelease) answer(r *http.Request, body []byte) []byte {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return body
	}
	grow(value)
	_, id, ok := strings.Cut(r.URL.Path, "/orders/")
	order, isObject := value.(map[string]any)
	if ok && isObject && r.Method == http.MethodGet && l.first(id) && order["timeline"] != nil {
		order["status"] = newStatus
	}
	grown, err := json.Marshal(value)
	if err != nil {
		return body
	}
	return grown
}

// first reports whether it is called with this id for the first time.
func (l *laterRelease) first(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.seen[id] = true }()
	return !l.seen[id]
}

// grow adds a member to every object in value, except to options, whose members the shop names.
func grow(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if name != "options" {
				grow(inner)
			}
		}
		value["added_by_a_later_release"] = map[string]any{"since": "2.0.0"}
	case []any:
		for _, inner := range value {
			grow(inner)
		}
	}
}
