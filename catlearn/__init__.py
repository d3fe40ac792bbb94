"""catlearn: models, losses, optimisers and training steps as morphisms that compose.

A diagram is a morphism of the free cartesian category over a set of generators; lenses, parametrised maps, learners and
derivatives are constructions on diagrams; running, drawing and exporting are functors out of them.

>>> import catlearn as cl
>>> bit = cl.Space((), cl.Z2)
>>> @cl.diagram(bit, bit)
... def half_adder(x, y):
...     return x + y, x * y
>>> tuple(map(int, half_adder(1, 1)))
(0, 1)
>>> r = cl.reverse_derivative(half_adder)
>>> tuple(map(int, r(1, 0, 1, 1)))
(1, 0)
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from catlearn import functions, semirings
from catlearn.diagram import Diagram, Generator, copy, discard, identity, swap, wiring
from catlearn.errors import CatlearnError
from catlearn.functions import add, zero
from catlearn.functors.functor import Functor
from catlearn.generators.batching import batch
from catlearn.generators.scan import scan
from catlearn.lens import Lens, Sides
from catlearn.para import Para, parametrised
from catlearn.parameters import Parameter
from catlearn.reverse import contextual_dagger, dagger, forward_derivative, reverse_derivative
from catlearn.semirings import (
    BITS,
    DISCRETE,
    INTEGERS,
    KEYS,
    REAL,
    TRIVIAL,
    Z2,
    Carrier,
    Discrete,
    Modular,
    Semiring,
)
from catlearn.space import Space
from catlearn.tracing import Wire, diagram, trace

if TYPE_CHECKING:
    from catlearn import datasets, functors, laws, layers, losses, optimisers
    from catlearn.checkpoints import load
    from catlearn.datasets import Data
    from catlearn.feeding import Stream
    from catlearn.generators.opaque import from_jax
    from catlearn.generators.surrogate import clip_change, stop_change, surrogate
    from catlearn.interop.circuits import CircuitClassifier
    from catlearn.learner import Learner, closed, dreaming, supervised
    from catlearn.polynomials import from_function, simplified
    from catlearn.result import Result
    from catlearn.rigs import BOOLEAN, MIN_PLUS, NATURALS, RATIONALS, TROPICAL_INTEGERS, Saturating
    from catlearn.training import fit

from catlearn._version import __version__

__all__ = [
    "BITS",
    "BOOLEAN",
    "DISCRETE",
    "INTEGERS",
    "KEYS",
    "MIN_PLUS",
    "NATURALS",
    "RATIONALS",
    "REAL",
    "TRIVIAL",
    "TROPICAL_INTEGERS",
    "Z2",
    "Carrier",
    "CatlearnError",
    "CircuitClassifier",
    "Data",
    "Diagram",
    "Discrete",
    "Functor",
    "Generator",
    "Learner",
    "Lens",
    "Modular",
    "Para",
    "Parameter",
    "Result",
    "Saturating",
    "Semiring",
    "Sides",
    "Space",
    "Stream",
    "Wire",
    "__version__",
    "add",
    "batch",
    "clip_change",
    "closed",
    "contextual_dagger",
    "copy",
    "dagger",
    "datasets",
    "diagram",
    "discard",
    "dreaming",
    "fit",
    "forward_derivative",
    "from_function",
    "from_jax",
    "functions",
    "functors",
    "identity",
    "laws",
    "layers",
    "load",
    "losses",
    "optimisers",
    "parametrised",
    "reverse_derivative",
    "scan",
    "semirings",
    "simplified",
    "stop_change",
    "supervised",
    "surrogate",
    "swap",
    "trace",
    "wiring",
    "zero",
]
if find_spec("sklearn") is None:  # then asking for it says what to install, and `import *` does not ask
    __all__.remove("CircuitClassifier")

_LATER = {
    "BOOLEAN": "rigs",
    "MIN_PLUS": "rigs",
    "NATURALS": "rigs",
    "RATIONALS": "rigs",
    "TROPICAL_INTEGERS": "rigs",
    "from_function": "polynomials",
    "simplified": "polynomials",
    "Saturating": "rigs",
    "CircuitClassifier": "interop.circuits",
    "clip_change": "generators.surrogate",
    "from_jax": "generators.opaque",
    "stop_change": "generators.surrogate",
    "surrogate": "generators.surrogate",
    "Data": "datasets",
    "Learner": "learner",
    "Result": "result",
    "Stream": "feeding",
    "closed": "learner",
    "datasets": "",
    "dreaming": "learner",
    "fit": "training",
    "load": "checkpoints",
    "functors": "",
    "laws": "",
    "layers": "",
    "losses": "",
    "optimisers": "",
    "supervised": "learner",
}


def __getattr__(name: str) -> Any:
    """Rooms above the core are loaded when they are first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'catlearn' has no attribute {name!r}")
    home = _LATER[name]
    return getattr(import_module(f"catlearn.{home}"), name) if home else import_module(f"catlearn.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
