package saga

// Shop is the id of one shop, the tenant. Every key that a caller can reach begins with it.
type Shop string
