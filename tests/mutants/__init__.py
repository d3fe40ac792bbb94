"""Mutants: deliberately wrong rules, and the laws that kill each."""
