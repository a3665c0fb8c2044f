package saga

// For the drawings in the documentation.
var (
	Retries   = retries
	Unretried = unretried
)
