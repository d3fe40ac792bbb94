"""Things of the library as JSON and back, without pickle, running nothing from the file.

    {"version": 1, "table": [entry, ...], "value": ...}

JSON's own values stand for themselves: finite floats by their shortest exact text, tuples as arrays. A float that is
not finite is kept by its bits, an integer beyond 64 bits by its hexadecimal text, an array by its bytes. Everything
else stands once in the table, whose entries refer to earlier ones only; a diagram is the list of its nodes, each [entry
of the generator, input wires]. So neither a long diagram nor a deeply shared one grows.

Classes of catlearn that are data are found by "module:name"; generators, carriers and functions of one's own by the
name that `register` gives them. Nothing else can be named, so what is read is data, or was registered.

>>> import json
>>> from catlearn.semirings import Z2
>>> from catlearn.tracing import trace
>>> square = trace(Space((), Z2), lambda x: x * x)
>>> decode(json.loads(json.dumps(encode(square)))) == square
True
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.losses import Cap, constant_cap
from catlearn.registry import (
    SerialError,
    check_fields,
    class_named,
    label_of,
    layout,
    name_of,
    registered_as,
    thing_named,
)
from catlearn.space import Space, as_object

__all__ = ["Reading", "Unwritten", "decode", "encode", "made"]

VERSION = 1


class Unwritten:
    """What has no form as data: a label to compare it by, and what to do instead of writing it."""

    def __init__(self, label: str, advice: str) -> None:
        self.label, self.advice = label, advice


class _Writing:
    """The table, the place in it of each entry by its text, and of each thing by its identity."""

    def __init__(self, opaque: str) -> None:
        if opaque not in ("refuse", "name"):
            raise SerialError(f"opaque is 'refuse' or 'name'; got {opaque!r}")
        self.table: list[Any] = []
        self._opaque = opaque
        self._places: dict[str, int] = {}
        self._seen: dict[int, tuple[Any, int]] = {}
        self._within = ["what is written"]

    def value(self, thing: Any) -> Any:
        if thing is None or type(thing) in (bool, str):
            return thing
        if isinstance(thing, np.generic):
            return {**self._array(np.asarray(thing)), "shape": None}
        plain = self._PLAIN.get(type(thing))
        return {"ref": self.place(thing)} if plain is None else plain(self, thing)

    def _integer(self, thing: int) -> Any:
        return thing if abs(thing) < 2**63 else {"integer": hex(thing)}

    def _float(self, thing: float) -> Any:
        return thing if math.isfinite(thing) else {"float": struct.pack(">d", thing).hex()}

    def _tuple(self, thing: tuple[Any, ...]) -> Any:
        return [self.value(part) for part in thing]

    def _dictionary(self, thing: dict[Any, Any]) -> Any:
        for key in thing:
            if type(key) is not str:
                raise SerialError(f"{self._within[-1]}: the keys of a dictionary must be strings; got {key!r}")
        return {"dict": {key: self.value(part) for key, part in thing.items()}}

    def _array(self, thing: np.ndarray) -> Any:
        if thing.dtype.kind not in "biufc":
            raise SerialError(f"{self._within[-1]}: only arrays of numbers are written; got dtype {thing.dtype}")
        little = thing.astype(thing.dtype.newbyteorder("<"))
        text = base64.b64encode(little.tobytes()).decode("ascii")
        return {"array": text, "dtype": little.dtype.str, "shape": list(thing.shape)}

    _PLAIN: ClassVar[dict[type, Callable[[_Writing, Any], Any]]] = {
        int: _integer,
        float: _float,
        tuple: _tuple,
        dict: _dictionary,
        np.ndarray: _array,
    }

    def place(self, thing: Any) -> int:
        """The place of a thing in the table; found by its text, as 0.0 and -0.0 are equal and not the same."""
        if id(thing) not in self._seen:
            entry = self._entry(thing)
            place = self._places.setdefault(json.dumps(entry), len(self.table))
            if place == len(self.table):
                self.table.append(entry)
            self._seen[id(thing)] = (thing, place)  # kept alive, so that its identity stays its own
        return self._seen[id(thing)][1]

    def _entry(self, thing: Any) -> Any:
        if (known := registered_as(thing)) is not None:
            return {"name": known}
        if type(thing) is Diagram:
            nodes = [[self.place(generator), list(inputs)] for generator, inputs, _ in thing.nodes]
            return {"dom": self.value(thing.dom), "nodes": nodes, "outputs": list(thing.outputs)}
        if type(thing) is Cap and thing.value is not None:
            return {"constant cap": self.value(thing.value)}
        if type(thing) is Unwritten:
            return self._by_name(thing.label, thing.advice)
        own = getattr(thing, "name", None)
        if isinstance(own, str):
            self._within.append(f"the {'generator' if isinstance(thing, Generator) else type(thing).__name__} '{own}'")
        name = None if isinstance(thing, type) else name_of(type(thing))
        entry = self._unknown(thing, isinstance(own, str)) if name is None else self._object(name, thing)
        del self._within[len(self._within) - isinstance(own, str) :]
        return entry

    def _object(self, name: str, thing: Any) -> Any:
        kind: Any = type(thing)
        names, _, whole = layout(kind)
        values = {field: getattr(thing, field) for field in names}
        check_fields(kind, values)
        if not whole and not made(f"a copy of {self._within[-1]}", lambda: kind(**values) == thing):
            raise SerialError(
                f"{self._within[-1]} is not made by its fields {', '.join(names)} alone: {label_of(thing)}"
            )
        return {"class": name, "fields": {field: self.value(value) for field, value in values.items()}}

    def _unknown(self, thing: Any, named: bool) -> Any:
        what = label_of(thing)
        holds = "is of the class" if named else "holds" if hasattr(thing, "__qualname__") else "holds an object of"
        advice = "give it a name with catlearn.serial.register('a name', ...)"
        return self._by_name(what, f"{self._within[-1]} {holds} {what}, which is not registered: {advice}")

    def _by_name(self, label: str, advice: str) -> Any:
        if self._opaque == "refuse":
            raise SerialError(advice)
        return {"opaque": label}


def encode(thing: Any, *, opaque: str = "refuse") -> dict[str, Any]:
    """The JSON form of a thing; see the module's text for which things have one.

    Raises `SerialError` for a class or function that is not registered; with `opaque="name"` its name is written in its
    place, which can be compared but not read.
    """
    writing = _Writing(opaque)
    try:
        value = writing.value(thing)
    except RecursionError:
        raise SerialError("this is nested too deeply to be written") from None
    return {"version": VERSION, "table": writing.table, "value": value}


def made(what: str, make: Callable[[], Any]) -> Any:
    """What `make` makes of data; raises `SerialError` where it raises anything."""
    try:
        return make()
    except (SerialError, RecursionError):
        raise
    except Exception as mistake:  # what a constructor raises for wrong data is its own choice
        raise SerialError(f"this is not the data of {what}: {mistake}") from mistake


class Reading:
    """What an encoded value's table holds; `tolerant` keeps the error of an entry that cannot be read in its place."""

    def __init__(self, encoded: Any, tolerant: bool = False) -> None:
        if not isinstance(encoded, dict) or encoded.get("version") != VERSION:
            raise SerialError(f"this reads version {VERSION} of what catlearn.serial writes; got {encoded!r:.100}")
        if encoded.keys() != {"version", "table", "value"} or not isinstance(encoded["table"], list):
            raise SerialError(f"an encoded value is a version, a table and a value; got {', '.join(map(str, encoded))}")
        self.things: list[Any] = []
        for number, entry in enumerate(encoded["table"]):
            try:
                self.things.append(self.value(entry))
            except SerialError as mistake:
                if not tolerant:
                    raise SerialError(f"entry {number} of the table: {mistake}") from mistake
                self.things.append(mistake)

    def value(self, value: Any) -> Any:
        """The thing that a value stands for, its references being to the table."""
        if isinstance(value, list):
            return tuple([self.value(part) for part in value])
        if not isinstance(value, dict):
            if value is None or isinstance(value, (bool, int, float, str)):
                return value
            raise SerialError(f"JSON holds no {type(value).__name__}; got {value!r:.100}")
        form = self._FORMS.get(frozenset(value))
        if form is None:
            raise SerialError(f"nothing is written as an object of {', '.join(map(str, value)) or 'nothing'}")
        return form(self, *value.values()) if len(value) == 1 else form(self, value)

    def _reference(self, number: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self.things):
            raise SerialError(f"a reference is to one of the {len(self.things)} entries before it; got {number!r:.100}")
        if isinstance(self.things[number], SerialError):
            raise self.things[number]
        return self.things[number]

    def _dictionary(self, parts: Any) -> Any:
        if not isinstance(parts, dict):
            raise SerialError(f"a dictionary is written as an object; got {parts!r:.100}")
        return {str(key): self.value(part) for key, part in parts.items()}

    def _unreadable(self, label: Any) -> Any:
        raise SerialError(f"{label!s:.100} was written by its name alone and cannot be read: give it in Python")

    def _constant_cap(self, value: Any) -> Any:
        number = self.value(value)
        if isinstance(number, bool) or not isinstance(number, (int, float, np.number)):
            raise SerialError(f"a constant cap has a number; got {number!r:.100}")
        return constant_cap(number)  # type: ignore[arg-type]

    def _integer(self, text: Any) -> Any:
        return made("an integer", lambda: int(text, 16))

    def _float(self, text: Any) -> Any:
        return made("a float", lambda: struct.unpack(">d", bytes.fromhex(text))[0])

    def _array(self, value: dict[str, Any]) -> Any:
        def make() -> Any:
            dtype = np.dtype(value["dtype"])
            if dtype.kind not in "biufc" or dtype.str != value["dtype"]:
                raise TypeError(f"{value['dtype']!r:.100} is not how the type of a number is written")
            flat = np.frombuffer(base64.b64decode(value["array"], validate=True), dtype)
            flat = flat.astype(dtype.newbyteorder("="))
            return flat.reshape(())[()] if value["shape"] is None else flat.reshape(value["shape"])

        return made("an array", make)

    def _object(self, value: dict[str, Any]) -> Any:
        kind, given = class_named(value["class"]), value["fields"]
        names = layout(kind)[0]
        if not isinstance(given, dict) or given.keys() != set(names):
            came = ", ".join(map(str, given)) if isinstance(given, dict) else f"{given!r:.100}"
            raise SerialError(f"{label_of(kind)} has the fields {', '.join(names) or 'none'}; got {came or 'none'}")
        values = {name: self.value(given[name]) for name in names}
        check_fields(kind, values)

        def make() -> Any:
            thing = kind(**values)
            if isinstance(thing, Generator):
                as_object(thing.dom), as_object(thing.cod), hash(thing)
            return thing

        return made(f"one of {label_of(kind)}", make)

    def _diagram(self, value: dict[str, Any]) -> Any:
        dom, nodes = self.value(value["dom"]), value["nodes"]
        if not isinstance(dom, tuple) or not all(isinstance(space, Space) for space in dom):
            raise SerialError(f"the domain of a diagram is an array of spaces; got {value['dom']!r:.100}")
        count, found = len(dom), []
        for number, node in enumerate(nodes if isinstance(nodes, list) else [nodes]):
            if not isinstance(node, list) or len(node) != 2:
                raise SerialError(f"node {number} is an array of an entry and its input wires; got {node!r:.100}")
            generator = self._reference(node[0])
            if not isinstance(generator, Generator):
                raise SerialError(f"node {number} is of a generator; got {generator!r:.100}")
            found.append((generator, _wires(node[1], count, f"node {number} ({generator.name})")))
            count += len(generator.cod)
        outputs = _wires(value["outputs"], count, "the outputs")
        return made("a diagram", lambda: Diagram(dom, found, outputs))

    _FORMS: ClassVar[dict[frozenset[str], Callable[[Reading, Any], Any]]] = {
        frozenset({"ref"}): _reference,
        frozenset({"name"}): lambda self, name: thing_named(name),
        frozenset({"opaque"}): _unreadable,
        frozenset({"constant cap"}): _constant_cap,
        frozenset({"integer"}): _integer,
        frozenset({"float"}): _float,
        frozenset({"dict"}): _dictionary,
        frozenset({"array", "dtype", "shape"}): _array,
        frozenset({"class", "fields"}): _object,
        frozenset({"dom", "nodes", "outputs"}): _diagram,
    }


def _wires(wires: Any, count: int, whose: str) -> list[int]:
    if not isinstance(wires, list) or not all(type(wire) is int and 0 <= wire < count for wire in wires):
        raise SerialError(f"{whose}: wires are an array of numbers from 0 to below {count}; got {wires!r:.100}")
    return wires


def decode(encoded: Any) -> Any:
    """The thing of which that is the JSON form; raises `SerialError` where it is the form of nothing."""
    try:
        return Reading(encoded).value(encoded["value"])
    except RecursionError:
        raise SerialError("this is nested too deeply to be read") from None
