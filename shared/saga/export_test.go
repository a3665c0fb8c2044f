package saga

// For the drawings of the saga.
var (
	Asks    = retries
	Unasked = unretried
)
