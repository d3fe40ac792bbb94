"""Kernels: loops over arrays of words that a compiler turns into vector instructions, each imported where it is used."""
