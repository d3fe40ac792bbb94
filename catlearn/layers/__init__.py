"""Layers: short composites over the generators, each a parametrised map; the reverse derivative comes for free."""

from catlearn.layers.attention import attention, embedding, positions, transformer_block
from catlearn.layers.convolution import average_pool, conv, conv1d, conv2d, global_average_pool, max_pool
from catlearn.layers.dense import ACTIVATIONS, activation, bias, dense, linear
from catlearn.layers.normalisation import batch_normalisation, dropout, layer_normalisation, noise
from catlearn.layers.recurrent import gru_cell, lstm_cell, recurrent, tanh_cell
from catlearn.layers.structure import chain, each, flatten, probe, repeat, reshape, residual
from catlearn.layers.tables import basis, lookup_table

__all__ = [
    "ACTIVATIONS",
    "activation",
    "attention",
    "average_pool",
    "basis",
    "batch_normalisation",
    "bias",
    "chain",
    "conv",
    "conv1d",
    "conv2d",
    "dense",
    "dropout",
    "each",
    "embedding",
    "flatten",
    "global_average_pool",
    "gru_cell",
    "layer_normalisation",
    "linear",
    "lookup_table",
    "lstm_cell",
    "max_pool",
    "noise",
    "positions",
    "probe",
    "recurrent",
    "repeat",
    "reshape",
    "residual",
    "tanh_cell",
    "transformer_block",
]
