"""Wrong paths, ties, samples and games of schemas."""

from __future__ import annotations

from functools import reduce
from operator import rshift
from typing import Any

from catlearn.diagram import identity
from catlearn.para import Para
from catlearn.systems import schema, schema_training
from catlearn.systems.schema import Interpretation, Path
from catlearn.systems.schema_training import DISTANCES
from mutants import categories as c
from mutants.patching import Mutant, edit, wherever_typed

__all__ = ["SYSTEMS_SCHEMA"]

PATH = Interpretation.path


def _s(name: str, owner: Any, attribute: str, change: Any, where: Any = c.integers, killers: Any = ()) -> Mutant:
    return Mutant(f"schema: {name}", "schemas", ((owner, attribute, change),), (where,), killers or ("CDL.schema",))


def _game(name: str, function: str, *texts: str) -> Mutant:
    return _s(name, schema_training, function, edit(*texts), c.real)


def _backward(self: Interpretation, path: Any) -> Para[Any]:
    """The edges of a path from the last to the first."""
    path = self.schema.path(path)
    return schema.tied(reduce(rshift, [self.maps[e] for e in path.edges[::-1]], Para.of(identity(self.maps["f"].dom))))


SYSTEMS_SCHEMA: tuple[Mutant, ...] = (
    _s("a path from its end", Interpretation, "path", wherever_typed(_backward, PATH),
       killers=("CDL.schema", "CDL.cycle")),
    _s("an edge has a parameter for each use", schema, "tied", edit("if repeated else model", "if False else model"),
       killers=("CDL.schema", "CDL.cycle")),
    _s("a path forgets what comes after an edge again", Path, "__rshift__", edit(
        "self.edges + other.edges", "self.edges + other.edges[:1]")),
    _s("samples in the order of the paths", Interpretation, "beside", edit(
        "[name for name in self.schema.objects if name in sources]", "list(dict.fromkeys(sources))")),
    _s("a distance from itself", schema_training, "_apart", edit("distance(x, y)", "distance(x, x)"), c.real,
       ("CDL.schema", "CDL.cycle")),
    _s("squares for absolute values", DISTANCES, "l1", DISTANCES["squared"], c.real, ("CDL.schema", "CDL.cycle")),
    _s("edges climb", schema_training, "schema_learner", edit("constant_cap(-1)", "constant_cap(1)"), c.real,
       ("CDL.schema", "CDL.cycle")),
    _game("critics descend", "_both", "opposite() >> climbing", "climbing"),
    _game("weights are left out", "_factors", "weights.get(owner, 1.0)", "1.0"),
    _game("the real for the fake", "_judgements",
          "((edge.source, made >> critic), real)", "(real, (edge.source, made >> critic))"),
    _game("the fake is not held still", "_judgements", "made >> stop_change(made.cod) >> critic", "made >> critic"),
    _game("the critic is not held still", "_judgements",
          "critic.reparametrise(stop_change(critic.parameter), critic.signature)", "critic"),
    _game("the edge descends its own", "_two_sided", "- game.edge(pushed)", "+ game.edge(pushed)"),
)  # fmt: skip
"""Mutants of schemas."""
