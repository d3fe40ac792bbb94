"""Layers: short composites over the generators, each a parametrised map; the reverse derivative comes for free."""

from catlearn.layers.dense import ACTIVATIONS, activation, bias, dense, linear
from catlearn.layers.tables import basis, lookup_table

__all__ = ["ACTIVATIONS", "activation", "basis", "bias", "dense", "linear", "lookup_table"]
