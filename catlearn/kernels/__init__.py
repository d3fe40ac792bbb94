"""Kernels: loops over arrays that a compiler turns into vector instructions, each imported where it is used."""
