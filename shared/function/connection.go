package function

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// completeAnswers sends each request in one piece, from memory, so that its answer is never lost. The
// SDK gives net/http a body that net/http does not know to be in memory, so that header and body are
// sent apart. If the answer begins before the body is sent, the SDK closes the body, net/http takes
// that for a broken request, and the request is sent and carried out a second time.
type completeAnswers struct{ *http.Transport }

// RoundTrip sends the request and returns the answer.
func (t completeAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.Transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r = r.WithContext(r.Context()) // a copy: the caller's request stays as it is
	r.Body = io.NopCloser(bytes.NewReader(body))
	return t.Transport.RoundTrip(r)
}
