package queues

import (
	"errors"
	"fmt"
	"regexp"

	"backroom/localstack/cloudsim/wire"
)

const (
	mostEntries = 10
	mostBytes   = 1 << 20 // of all messages of a batch
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// failed is the answer to an entry of a batch that failed.
type failed struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// batch is the answer to a batch.
type batch struct {
	Successful []any
	Failed     []failed
}

// checkIDs refuses a batch with no entries, too many, or ids that are invalid or repeated.
func checkIDs(kind string, ids []string) error {
	if len(ids) == 0 {
		return refuse("EmptyBatchRequest", "There should be at least one "+kind+" in the request.")
	}
	if len(ids) > mostEntries {
		return refuse("TooManyEntriesInBatchRequest",
			fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", mostEntries, len(ids)))
	}
	met := map[string]bool{}
	for _, id := range ids {
		if !validID.MatchString(id) {
			return refuse("InvalidBatchEntryId",
				"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at "+
					"most 80 letters long.")
		}
		if met[id] {
			return refuse("BatchEntryIdsNotDistinct", "Id "+id+" repeated.")
		}
		met[id] = true
	}
	return nil
}

// run carries out each entry of a batch by itself. An entry that fails does not stop the others.
func run[E any](kind string, entries []E, id func(E) string, do func(E) (any, error)) (batch, error) {
	answer := batch{Successful: []any{}, Failed: []failed{}}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = id(e)
	}
	if err := checkIDs(kind, ids); err != nil {
		return answer, err
	}
	for i, e := range entries {
		out, err := do(e)
		if refusal, ok := errors.AsType[*wire.Error](err); ok {
			answer.Failed = append(answer.Failed, failed{ids[i], true, code(refusal), refusal.Message})
			continue
		}
		answer.Successful = append(answer.Successful, out)
	}
	return answer, nil
}
