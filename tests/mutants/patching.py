"""A mutant as data, how its patches are put on and taken off, and what each law says of it."""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

import hypothesis

import catlearn
from catlearn import laws
from catlearn.errors import CatlearnError

__all__ = ["Edit", "Mutant", "Outcome", "catalogue", "edit", "outcomes", "patched", "verdict", "wherever_typed"]

for _module in pkgutil.walk_packages(catlearn.__path__, "catlearn."):
    importlib.import_module(_module.name)  # a module first loaded under a patch would keep it

FAMILIES = (
    "derivatives",
    "instances",
    "lenses",
    "optics",
    "parametrised",
    "objectives",
    "updates",
    "learners",
    "ascent",
    "circuits",
    "votes",
    "learn",
    "moore",
    "causal",
    "delayed",
    "modes",
    "schema",
    "smoothing",
    "backward",
    "estimates",
)
"""The modules of the catalogue; each defines a tuple of laws of its own name in capitals."""


@dataclass(frozen=True)
class Edit:
    """A function as it is, with some of its text replaced; every old text must be there."""

    pairs: tuple[tuple[str, str], ...]

    def of(self, original: Any, owner: Any) -> Any:
        """The edited function, compiled among the globals of the original; decorators are kept."""
        function = _function(original)
        text = textwrap.dedent(inspect.getsource(function))
        for old, new in self.pairs:
            if old not in text:
                raise LookupError(f"{function.__qualname__} no longer reads {old!r}: write the mutant anew")
            text = text.replace(old, new)
        made: dict[str, Any] = {}
        if "super()" in text:  # which looks for the class in a cell of this name
            inner = textwrap.indent(text, "    ")
            text = f"def make(__class__):\n{inner}\n    return {function.__name__}\n"
        source = f"from __future__ import annotations\n{text}"
        exec(compile(source, f"<mutant of {function.__qualname__}>", "exec"), function.__globals__, made)
        return made["make"](owner) if "make" in made else made[function.__name__]


def edit(*texts: str) -> Edit:
    """The edit that replaces the first text by the second, the third by the fourth, and so on."""
    return Edit(tuple(zip(texts[::2], texts[1::2], strict=True)))


def _function(value: Any) -> FunctionType:
    for name in ("__func__", "func", "fget"):
        value = getattr(value, name, value)
    return value


def wherever_typed(wrong: Callable[..., Any], right: Callable[..., Any]) -> Callable[..., Any]:
    """The wrong function where what it makes is typed, else the right one: a confusion of wires of one space."""

    def either(*arguments: Any, **named: Any) -> Any:
        try:
            made = wrong(*arguments, **named)
            made_ends, ends = [(x.dom, x.cod) for x in (made, right(*arguments, **named))]
        except CatlearnError:
            return right(*arguments, **named)
        return made if made_ends == ends else right(*arguments, **named)

    return either


Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """A wrong library: patches (owner, attribute, replacement or Edit), where to look, and laws that see it."""

    name: str
    family: str
    patches: tuple[Patch, ...]
    categories: tuple[Callable[[], laws.Category], ...]
    killers: tuple[str, ...] = ()


def _get(owner: Any, name: str) -> Any:
    if isinstance(owner, dict):
        return owner[name]
    return vars(owner)[name] if name in getattr(owner, "__dict__", {}) else inspect.getattr_static(owner, name)


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    elif isinstance(owner, (type, ModuleType, FunctionType)):
        setattr(owner, name, value)
        if isinstance(value, cached_property):
            value.__set_name__(owner, name)
    else:
        object.__setattr__(owner, name, value)


def _places(patch: Patch) -> Iterator[Patch]:
    """Everywhere that a patch goes: a function of a module is replaced in every module that imported it."""
    owner, name, new = patch
    if isinstance(new, Edit) and isinstance(owner, ModuleType):
        function = getattr(owner, name)
        yield function, "__code__", new.of(function, owner).__code__
    elif isinstance(new, Edit):
        yield owner, name, new.of(_get(owner, name), owner)
    elif isinstance(owner, ModuleType):
        old = getattr(owner, name)
        for title, module in list(sys.modules.items()):
            if title.partition(".")[0] == "catlearn":
                yield from ((module, each, new) for each, value in list(vars(module).items()) if value is old)
        if owner.__name__.partition(".")[0] != "catlearn":
            yield patch
    else:
        yield patch


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """The library with the patches on; what was there before is put back, whatever happens."""
    with ExitStack() as stack:
        for patch in patches:
            for owner, name, new in list(_places(patch)):
                own = isinstance(owner, (dict, FunctionType)) or name in vars(owner)
                old = _get(owner, name)
                if isinstance(owner, FunctionType):
                    old = getattr(owner, name)
                stack.callback(_set if own else lambda o, n, _: delattr(o, n), owner, name, old)
                _set(owner, name, new)
        yield


def catalogue() -> dict[str, laws.Law]:
    """The laws, by identifier, with everything that they hold made anew, so that it is made of what is patched."""
    found: dict[str, laws.Law] = {}
    for family in FAMILIES:
        spec = importlib.util.find_spec(f"catlearn.laws.{family}")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.update((law.identifier, law) for law in getattr(module, family.upper()))
    return found


class _Unshrunk:
    """Hypothesis' settings without shrinking: a mutant's counterexample need not be small."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def __call__(self, **given: Any) -> Any:
        return self.settings(**{**given, "phases": (hypothesis.Phase.generate,)})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.settings, name)


@dataclass(frozen=True)
class Outcome:
    """What a law says in a category: "killed", "holds", or "crashed" with the exception; and the seconds it took."""

    law: str
    verdict: str
    seconds: float = 0.0
    text: str = ""


def verdict(law: laws.Law, category: laws.Category, examples: int) -> Outcome:
    """Whether the law breaks in the category; an exception is no kill, nor is a law that nothing there fits."""
    try:
        with patched([(hypothesis, "settings", _Unshrunk(hypothesis.settings))]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong rule may well overflow or divide by zero
            (row,) = laws.check(category, laws=[law], examples=examples).rows
    except Exception as error:
        return Outcome(law.identifier, "crashed", text=f"{type(error).__name__}: {error}")
    killed = row.status == "BROKEN" and row.examples > 0
    return Outcome(law.identifier, "killed" if killed else "holds", row.seconds, row.counterexample)


def outcomes(mutant: Mutant, names: Iterable[str] | None = None, examples: int = 25) -> list[Outcome]:
    """What the laws of those names, or all, say of the mutant, in every one of its categories that types them."""
    chosen = None if names is None else set(names)
    with patched(mutant.patches):
        known = catalogue()
        return [
            verdict(law, category, examples)
            for category in (make() for make in mutant.categories)
            for name, law in known.items()
            if (chosen is None or name in chosen) and laws.applicable(law, category)
        ]
