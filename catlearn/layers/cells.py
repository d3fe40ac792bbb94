"""Recurrent layers: a cell run along a sequence, carrying a state (ST.BPTT).

    cell : P x (S x X) -> S x Y          recurrent(cell, n) : P x X^n -> Y^n, one Scan, from the state zero

    tanh:  h' = tanh(x w + h u + b)
    GRU:   r, z = sigmoid(..), c = tanh(x w_c + b_c + r (h u_c + u'_c)),   h' = (1 - z) c + z h
    LSTM:  i, f, o = sigmoid(..), g = tanh(..),   c' = f c + i g,   h' = o tanh c'

Sources: Cho et al. (1406.1078) for the gated unit, in the variant of cuDNN; Hochreiter and Schmidhuber (1997).
"""

from __future__ import annotations

from collections.abc import Mapping

from catlearn import functions
from catlearn.diagram import Diagram, identity, wiring
from catlearn.errors import CompositionError
from catlearn.generators.scan import Scan
from catlearn.para import Para, parametrised
from catlearn.parameters import Filled, GlorotUniform, Parameter
from catlearn.semirings import REAL
from catlearn.space import Space
from catlearn.tracing import Wire

__all__ = ["gru_cell", "lstm_cell", "recurrent", "tanh_cell"]


def _gates(inputs: int, hidden: int, gates: int, *, split_bias: bool = False) -> Mapping[str, Parameter]:
    """The weights and biases of `gates` gates side by side."""
    out = gates * hidden
    parameters = {
        "input_weight": Parameter("input_weight", Space((inputs, out), REAL), GlorotUniform()),
        "state_weight": Parameter("state_weight", Space((hidden, out), REAL), GlorotUniform()),
        "bias": Parameter("bias", Space(out, REAL), Filled(0.0)),
    }
    if split_bias:
        parameters["state_bias"] = Parameter("state_bias", Space(hidden, REAL), Filled(0.0))
    return parameters


def tanh_cell(inputs: int, hidden: int) -> Para[Diagram]:
    """The cell h' = tanh(x w + h u + b), which gives out its new state."""

    def run(w: Wire, u: Wire, b: Wire, h: Wire, x: Wire) -> tuple[Wire, Wire]:
        new = functions.tanh(x @ w + h @ u + b)
        return new, new

    return parametrised("tanh_cell", _gates(inputs, hidden, 1), (Space(hidden, REAL), Space(inputs, REAL)), run)


def gru_cell(inputs: int, hidden: int) -> Para[Diagram]:
    """The gated recurrent unit, gates in the order reset, update, candidate."""

    def run(w: Wire, u: Wire, b: Wire, b_state: Wire, h: Wire, x: Wire) -> tuple[Wire, Wire]:
        from_input, from_state = x @ w + b, h @ u
        two = slice(0, 2 * hidden)
        both = functions.sigmoid(from_input[two] + from_state[two])
        reset, update = both[:hidden], both[hidden:]
        candidate = functions.tanh(from_input[2 * hidden :] + reset * (from_state[2 * hidden :] + b_state))
        new = candidate + update * (h - candidate)
        return new, new

    spaces = (Space(hidden, REAL), Space(inputs, REAL))
    return parametrised("gru_cell", _gates(inputs, hidden, 3, split_bias=True), spaces, run)


def lstm_cell(inputs: int, hidden: int) -> Para[Diagram]:
    """The long short-term memory, gates in the order input, forget, candidate, output; its states are h and c."""

    def run(w: Wire, u: Wire, b: Wire, h: Wire, c: Wire, x: Wire) -> tuple[Wire, Wire, Wire]:
        gates = x @ w + h @ u + b
        enter, forget, candidate, leave = (gates[k * hidden : (k + 1) * hidden] for k in range(4))
        memory = functions.sigmoid(forget) * c + functions.sigmoid(enter) * functions.tanh(candidate)
        new = functions.sigmoid(leave) * functions.tanh(memory)
        return new, memory, new

    state = Space(hidden, REAL)
    return parametrised("lstm_cell", _gates(inputs, hidden, 4), (state, state, Space(inputs, REAL)), run)


def recurrent(cell: Para[Diagram], length: int, *, last: bool = False) -> Para[Diagram]:
    """The cell along a sequence of that length, from a state of zeros; all that it gives out, or with `last` the end.

    A cell is a parametrised map S x X -> S x Y with one wire Y. Raises `CompositionError` for anything else.
    """
    states = len(cell.cod) - 1
    if states < 0 or cell.dom[:states] != cell.cod[:states] or len(cell.dom) <= states:
        raise CompositionError(f"a cell maps (state, input) to (state, output); got {cell.dom} to {cell.cod}")
    start = functions.zero((), cell.dom[:states])
    run = Scan(cell.diagram, length, len(cell.parameter), states).diagram
    items = tuple(space.batch(length) for space in cell.dom[states:])
    whole = (identity(cell.parameter) @ start @ identity(items)) >> run
    emitted = wiring(whole.cod, [states])
    result = whole >> emitted
    if last:
        result = result >> parametrised("last", {}, result.cod, lambda y: y[length - 1]).diagram
    named = cell.signature.merged(cell.signature.layers[0].name if cell.signature.layers else "cell", items, result.cod)
    return Para(cell.parameter, items, result, named)
