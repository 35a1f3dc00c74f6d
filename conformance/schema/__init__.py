"""Does a value fit a schema: validators, the branch of a union that a value selects, formats."""
