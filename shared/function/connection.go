package function

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// whole sends a request in one piece, from memory. The SDK hands net/http a body that it does not know to be in memory: then
// header and body leave apart, and an answer that is quicker than the end of the sending is lost, because the SDK closes the
// body when the answer begins and net/http takes that for a broken request. What was done is then done once more.
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
