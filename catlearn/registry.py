"""The names of what can be written as data: classes of the library, and what `register` gives a name.

A dataclass of catlearn that is a generator, a carrier, or in the list `DATA` is found by "module:name"; so are the
library's carriers, caps and matching functions. Generators, carriers and functions of one's own are found by the name
that `register` gives them, and nothing else can be named.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from catlearn import losses, rigs, semirings
from catlearn.diagram import Generator
from catlearn.errors import CatlearnError, nearest
from catlearn.losses import Cap, Loss
from catlearn.para import Para
from catlearn.semirings import Carrier
from catlearn.space import Space

__all__ = [
    "SerialError",
    "check_fields",
    "class_named",
    "label_of",
    "layout",
    "name_of",
    "register",
    "registered_as",
    "thing_named",
]


class SerialError(CatlearnError, ValueError):
    """Something cannot be written as data, or what was written cannot be read."""


DATA = {
    "catlearn.assignment:Started",
    "catlearn.counters:Counted",
    "catlearn.frozen:Frozen",
    "catlearn.generators.opaque:_Mapped",
    "catlearn.generators.opaque:_Pullback",
    "catlearn.generators.windows:Frame",
    "catlearn.layers.structure:Stacked",
    "catlearn.lens:Lens",
    "catlearn.lens:Sides",
    "catlearn.losses:Cap",
    "catlearn.transformations:AsGiven",
    "catlearn.transformations:Wiring",
    "catlearn.parameters",
    "catlearn.serial",
    "catlearn.systems.registers:RightCopies",
    "catlearn.systems.rewriting:Seeded",
    "catlearn.wirings:Projection",
    "catlearn.wirings:RandomThreshold",
}
"""The dataclasses that are data though neither generators nor carriers, and modules whose dataclasses all are."""

_RECORDS: dict[Any, tuple[str, ...]] = {
    Space: ("shape", "carrier"),
    Para: ("parameter", "dom", "signature", "morphism"),
}
"""Classes that are no dataclasses, with what makes them."""

_REGISTERED: dict[str, Any] = {
    f"{module.__name__}:{name}": thing
    for module, kind in ((semirings, Carrier), (rigs, Carrier), (losses, Cap))
    for name, thing in vars(module).items()
    if isinstance(thing, kind)
}
for _loss in [loss for loss in vars(losses).values() if isinstance(loss, Loss)]:
    _REGISTERED[f"catlearn.losses:{_loss.matches.__name__}"] = _loss.matches
_NAMES: dict[int, str] = {id(thing): name for name, thing in _REGISTERED.items()}


def register(name: str, thing: Any = None) -> Any:
    """Give a class or function (a generator's, a carrier's, a JAX function, a cap) the name that it is written by.

    A call `register("name", thing)` or a decorator; returns the thing. Whoever reads it first imports the module that
    registers it. Raises `SerialError` where something else has the name.

    >>> @register("my ones")
    ... def ones(generator, space):
    ...     return np.ones(space.shape)
    >>> thing_named("my ones") is ones
    True
    """
    if not isinstance(name, str) or re.match(r"catlearn[.:]", name):
        raise SerialError(f"a name is a string that does not begin with 'catlearn.'; got {name!r}")
    if thing is None:
        return lambda later: register(name, later)
    if isinstance(thing, type) and not is_dataclass(thing):
        raise SerialError(f"{label_of(thing)} is to be written by its fields: make it a frozen dataclass")
    if _REGISTERED.setdefault(name, thing) is not thing:
        raise SerialError(f"the name {name!r} is taken by {label_of(_REGISTERED[name])}: choose another")
    _NAMES.setdefault(id(thing), name)
    return thing


def label_of(thing: Any) -> str:
    """The full name of a class or function, or of the class of another thing."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


@lru_cache(maxsize=1024)
def _own_class(name: str) -> type | None:
    """The class of catlearn of that name, if it is one of those that are data."""
    module, _, path = name.partition(":")
    if re.fullmatch(r"catlearn(\.\w+)+:\w+(\.\w+)*", name) is None:
        return None
    try:
        found: Any = import_module(module)
    except Exception:  # a module that is not there, or lacks an extra, defines nothing
        return None
    for part in path.split("."):
        found = vars(found).get(part)
        if not isinstance(found, type):
            return None
    data = issubclass(found, (Generator, Carrier)) or not DATA.isdisjoint((name, module))
    allowed = (data and is_dataclass(found)) or found in _RECORDS
    return found if allowed and found.__module__ == module else None


def registered_as(thing: Any) -> str | None:
    """The name that was given to this very thing."""
    return _NAMES.get(id(thing))


def thing_named(name: Any) -> Any:
    """What has that name; raises `SerialError` where nothing has."""
    if not isinstance(name, str) or name not in _REGISTERED:
        hint = f"import the module that registers it; {nearest(str(name), _REGISTERED)}"
        raise SerialError(f"nothing is registered as {name!r:.100}: {hint}")
    return _REGISTERED[name]


def name_of(kind: type) -> str | None:
    """The name that things of a class are written with, or None."""
    own = f"{kind.__module__}:{kind.__qualname__}"
    return registered_as(kind) or (own if _own_class(own) is kind else None)


def class_named(name: Any) -> type:
    """The class of that name; raises `SerialError` where there is none, or it is not one of data."""
    found = _own_class(name) if isinstance(name, str) else None
    kind = thing_named(name) if found is None else found
    if not isinstance(kind, type):
        raise SerialError(f"{name!r:.100} is not the name of a class of data")
    return kind


@lru_cache(maxsize=1024)
def layout(kind: Any) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """What makes one of the class: names of fields, what they should be, and whether there is no more to it."""
    if kind in _RECORDS:
        return _RECORDS[kind], {}, True
    own, taken = [field.name for field in fields(kind)], inspect.signature(kind).parameters
    try:
        hints = get_type_hints(kind)
    except (NameError, TypeError):  # names that are known only where the class was written
        hints = {}
    return tuple(name for name in own if name in taken), hints, set(own) == set(taken)


_WIDER: dict[Any, Any] = {float: (int, float, np.number), int: (int, np.integer), bool: (bool, np.bool_)}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says, as far as classes and the parts of tuples go."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple and isinstance(value, tuple):
        each = parts[:1] * len(value) if Ellipsis in parts else parts
        return len(each) == len(value) and all(_fits(v, part) for v, part in zip(value, each, strict=True))
    kind = origin or hint
    return kind is Any or not isinstance(kind, type) or isinstance(value, _WIDER.get(kind, kind))


def check_fields(kind: type, values: dict[str, Any]) -> None:
    """Raise `SerialError` where a field is not what the class declares."""
    hints = layout(kind)[1]
    for name, value in values.items():
        if name in hints and not _fits(value, hints[name]):
            raise SerialError(f"{name} of {label_of(kind)} is declared {hints[name]}; got {value!r:.100}")
