"""Layers: short composites over the generators, each a parametrised map; the reverse derivative comes for free."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catlearn.layers.affine import ACTIVATIONS, activation, bias, dense, linear
    from catlearn.layers.cells import gru_cell, lstm_cell, recurrent, tanh_cell
    from catlearn.layers.circuits import (
        GATES,
        counting_gate,
        gate_layer,
        group_sum,
        or_pool,
        rescale_votes,
        select_wires,
        table_conv,
        table_layer,
    )
    from catlearn.layers.convolution import average_pool, conv, conv1d, conv2d, global_average_pool, max_pool
    from catlearn.layers.normalisation import (
        batch_normalisation,
        dropout,
        layer_normalisation,
        noise,
        random_shift,
    )
    from catlearn.layers.popcount import pseudo_linear
    from catlearn.layers.structure import chain, each, flatten, probe, repeat, reshape, residual
    from catlearn.layers.tables import basis, lookup_table
    from catlearn.layers.transformers import attention, embedding, positions, transformer_block

__all__ = [
    "ACTIVATIONS",
    "GATES",
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
    "counting_gate",
    "dense",
    "dropout",
    "each",
    "embedding",
    "flatten",
    "gate_layer",
    "global_average_pool",
    "group_sum",
    "gru_cell",
    "layer_normalisation",
    "linear",
    "lookup_table",
    "lstm_cell",
    "max_pool",
    "noise",
    "or_pool",
    "positions",
    "probe",
    "pseudo_linear",
    "random_shift",
    "recurrent",
    "repeat",
    "rescale_votes",
    "reshape",
    "residual",
    "select_wires",
    "table_conv",
    "table_layer",
    "tanh_cell",
    "transformer_block",
]

_HOMES = {
    "transformers": ("attention", "embedding", "positions", "transformer_block"),
    "convolution": ("average_pool", "conv", "conv1d", "conv2d", "global_average_pool", "max_pool"),
    "affine": ("ACTIVATIONS", "activation", "bias", "dense", "linear"),
    "normalisation": ("batch_normalisation", "dropout", "layer_normalisation", "noise", "random_shift"),
    "popcount": ("pseudo_linear",),
    "cells": ("gru_cell", "lstm_cell", "recurrent", "tanh_cell"),
    "circuits": (
        "GATES",
        "counting_gate",
        "gate_layer",
        "group_sum",
        "or_pool",
        "rescale_votes",
        "select_wires",
        "table_conv",
        "table_layer",
    ),
    "structure": ("chain", "each", "flatten", "probe", "repeat", "reshape", "residual"),
    "tables": ("basis", "lookup_table"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A family of layers is loaded when one of them is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'catlearn.layers' has no attribute {name!r}")
    return getattr(import_module(f"catlearn.layers.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
