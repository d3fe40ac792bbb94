"""The generators, a family a file, each with its reverse derivative and the mathematics beside it."""
