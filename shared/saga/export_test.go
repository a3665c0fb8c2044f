package saga

// For the drawings of the saga.
var (
	Asks    = asks
	Unasked = unasked
)
