package saga

import (
	"fmt"
	"slices"
)

// Known returns an error if a row has a value that this release does not know in a place where only
// the known ones can stand: a newer release wrote it. A decision about such a row could undo what
// the newer release began, so none is made: a step's message is retried and then waits in the
// dead-letter queue, and a request fails.
func Known[V ~string](row, attribute string, value V, known ...V) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s: this release does not know the %s %q, which a newer one wrote", row, attribute, value)
}

// KnownRefunds returns an error if a refund has a status that this release does not know.
func KnownRefunds(row string, refunds []Refund) error {
	for _, r := range refunds {
		err := Known(row, "status of refund "+r.ID, r.Status, RefundStatusRequested, RefundStatusPending,
			RefundStatusSucceeded, RefundStatusFailed, RefundStatusRefused)
		if err != nil {
			return err
		}
	}
	return nil
}
