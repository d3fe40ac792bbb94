"""Scan: a body run along an axis, carrying a state, with stacked inputs and outputs and shared inputs.

    body : shared x state x item -> state x emitted
    Scan : shared x state x items -> state x emissions           (items and emissions stacked along a first axis)

Its reverse is a scan that emits just the wires which R[body] reads, followed by a scan of R[body] the other way; the
cotangents of the shared inputs accumulate in its carry and are never stacked (ST.BPTT, ST.cost). What depends on the
shared inputs alone is computed once, outside. So Scan is closed under R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catlearn.builder import Builder, Node, Wires
from catlearn.diagram import Diagram, Generator, wiring
from catlearn.errors import CompositionError
from catlearn.generators.arithmetic import Add, zero_of
from catlearn.generators.batching import batch
from catlearn.generators.contraction import stack, transpose
from catlearn.reverse import reverse_derivative
from catlearn.space import Object, Space, changes, first_difference
from catlearn.substitution import evaluation, plain
from catlearn.tracing import Wire, trace

__all__ = ["Scan", "scan"]


@dataclass(frozen=True)
class Scan(Generator):
    """`body` run `length` times; its first `shared` inputs are the same each time, the next `states` are carried.

    `backward` runs from the last item to the first. Raises `CompositionError` where the state that the body returns
    is not of the space of the state that it takes.
    """

    body: Diagram
    length: int
    shared: int
    states: int
    backward: bool = False

    def __post_init__(self) -> None:
        for name, value in (("length", self.length), ("shared", self.shared), ("states", self.states)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise CompositionError(f"the {name} of a scan must be an integer of at least 0; got {value!r}")
        if len(self.body.dom) < self.shared + self.states or len(self.body.cod) < self.states:
            raise CompositionError(f"a body with {self.shared} shared inputs and {self.states} states; got {self.body}")
        taken, returned = self.body.dom[self.shared : self.shared + self.states], self.body.cod[: self.states]
        if taken != returned:
            raise first_difference(taken, returned, "the states that a scan body takes and returns")

    @property
    def additive(self) -> bool:
        return self.body.additive

    @property
    def lawful(self) -> bool:
        return self.body.lawful

    def computes(self) -> Diagram | None:
        return Scan(plain(self.body), self.length, self.shared, self.states, self.backward).diagram

    def evaluation(self) -> Diagram | None:
        body = evaluation(self.body)
        if body is self.body:
            return None
        after = Scan(body, self.length, self.shared, self.states, self.backward)
        less, inputs, _ = after.restrict(set(range(len(self.cod))))  # without the keys that nothing reads any more
        return wiring(self.dom, inputs) >> less.diagram

    @property
    def name(self) -> str:
        return f"scan x {self.length}"

    @property
    def dom(self) -> Object:
        fixed = self.shared + self.states
        return self.body.dom[:fixed] + tuple(space.batch(self.length) for space in self.body.dom[fixed:])

    @property
    def cod(self) -> Object:
        return self.body.cod[: self.states] + tuple(s.batch(self.length) for s in self.body.cod[self.states :])

    def reverse(self) -> Diagram | None:
        body, k, fixed = self.body, self.shared, self.shared + self.states
        known = len(body.dom)
        whole = reverse_derivative(body)
        shared_in, state_in, items = body.dom[:k], body.dom[k:fixed], body.dom[fixed:]
        stages = _stages(whole, k, known)
        need = _crossing(whole, stages)
        once = [wire for wire in need if stages[wire] == 0]
        each = [wire for wire in need if stages[wire] == 1]
        sent = [wire for wire in each if not fixed <= wire < known]  # items are stacked already
        forward = self._emitting(whole, stages, sent)

        out = Builder(self.dom + changes(self.cod))
        inputs = tuple(range(len(self.dom)))
        hoisted = _run(out, whole, stages, dict(enumerate(inputs[:k])), 0)
        stacked = dict(zip(sent, out.apply(forward, inputs)[self.states :], strict=True))
        stacked.update((wire, inputs[wire]) for wire in each if wire not in stacked)
        before = changes(shared_in) + changes(state_in)
        pull = self._pull(whole, stages, once, each)
        zeros = tuple(out.apply(zero_of(space), ())[0] for space in changes(shared_in))
        ends = tuple(range(len(self.dom), len(self.dom) + len(self.cod)))
        loop = Scan(pull, self.length, len(once), len(before), not self.backward)
        arguments = (
            *(hoisted[w] for w in once),
            *zeros,
            *ends[: self.states],
            *(stacked[w] for w in each),
            *ends[self.states :],
        )
        results = out.apply(loop, arguments)
        assert len(results) == len(before) + len(items)
        return out.finish(results)

    def _emitting(self, whole: Diagram, stages: list[int], each: list[int]) -> Scan:
        """The scan that carries the same state and emits the wires of R[body] that its backward part reads."""
        builder = Builder(self.body.dom)
        inputs = tuple(range(len(self.body.dom)))
        states = builder.replay(plain(self.body), inputs)[: self.states]
        here = _run(builder, whole, stages, dict(enumerate(inputs)), 1)
        body = builder.finish((*states, *(here[wire] for wire in each)))
        return Scan(body, self.length, self.shared, self.states, self.backward)

    def _pull(self, whole: Diagram, stages: list[int], once: list[int], each: list[int]) -> Diagram:
        """once x (shared' x state') x (each x emitted') -> (shared' x state') x item': one step backward."""
        spaces = _spaces(whole)
        k, known, states = self.shared, len(self.body.dom), self.states
        shared_changes = changes(self.body.dom[:k])
        dom = (
            tuple(spaces[w] for w in once)
            + shared_changes
            + changes(self.body.cod[:states])
            + tuple(spaces[w] for w in each)
            + changes(self.body.cod[states:])
        )
        builder = Builder(dom)
        a, b = len(once), len(once) + k
        c = b + states
        here = dict(zip(once, range(a), strict=True))
        here.update(zip(each, range(c, c + len(each)), strict=True))
        here.update(zip(range(known, known + states), range(b, c), strict=True))
        rest = range(known + states, known + len(self.body.cod))
        here.update(zip(rest, range(c + len(each), len(dom)), strict=True))
        here = _run(builder, whole, stages, here, 2)
        results = [here[wire] for wire in whole.outputs]
        sums = [builder.apply(Add(space), (a + j, results[j]))[0] for j, space in enumerate(shared_changes)]
        return builder.finish((*sums, *results[k:]))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        k, fixed = self.shared, self.shared + self.states
        inner_flags = [*flags[:k], *(True for _ in range(self.states)), *flags[fixed:]]
        inner = Scan(batch(self.body, size, inner_flags), self.length, k, self.states, self.backward).diagram
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]

        def exchange(x: Wire) -> Wire:
            return transpose(x, (1, 0, *range(2, len(x.shape))))

        def run(*wires: Wire) -> list[Wire]:
            states = [w if f else stack(w, size) for w, f in zip(wires[k:fixed], flags[k:fixed], strict=True)]
            items = [exchange(w) if f else w for w, f in zip(wires[fixed:], flags[fixed:], strict=True)]
            results = inner(*wires[:k], *states, *items)
            results = results if isinstance(results, tuple) else (results,)
            return [*results[: self.states], *(exchange(w) for w in results[self.states :])]

        return trace(spaces, run)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.scan(self, inputs)

    def restrict(self, wanted: set[int]) -> tuple[Scan, list[int], list[int]]:
        """The scan that computes only the outputs wanted: itself, the inputs that it keeps, the outputs that it has."""
        fixed = self.shared + self.states
        keep = {j for j in range(self.states) if j in wanted}
        emitted = [j for j in range(self.states, len(self.cod)) if j in wanted]
        while True:
            outputs = [*sorted(keep), *emitted]
            used = _reads(self.body.select(outputs))
            more = {w - self.shared for w in used if self.shared <= w < fixed} - keep
            if not more:
                break
            keep |= more
        inputs = [w for w in range(len(self.dom)) if w in used or (w - self.shared in keep and w < fixed)]
        body = self.body.select(outputs).ignoring(set(range(len(self.dom))) - set(inputs))
        shared = sum(w < self.shared for w in inputs)
        return Scan(body, self.length, shared, len(keep), self.backward), inputs, outputs

    def fuse(self, other: Generator) -> tuple[Scan, list[int], list[int]] | None:
        """One scan that emits what both emit, if both carry the same state over the same inputs.

        Returns it with, for each of the two, its outputs among those of the fused one; None where they differ.
        """
        if not isinstance(other, Scan):
            return None
        shape = (self.length, self.shared, self.states, self.backward, self.body.dom)
        if shape != (other.length, other.shared, other.states, other.backward, other.body.dom):
            return None
        states = range(self.states)
        if self.body.select(states) != other.body.select(states):
            return None
        builder = Builder(self.body.dom)
        inputs = tuple(range(len(self.body.dom)))
        mine, theirs = builder.replay(self.body, inputs), builder.replay(other.body, inputs)
        emitted = list(dict.fromkeys((*mine[self.states :], *theirs[self.states :])))
        body = builder.finish((*mine[: self.states], *emitted))
        places = [
            [*states, *(self.states + emitted.index(w) for w in wires[self.states :])] for wires in (mine, theirs)
        ]
        return Scan(body, self.length, self.shared, self.states, self.backward), places[0], places[1]


def _spaces(diagram: Diagram) -> list[Space]:
    return [*diagram.dom, *(space for generator, _, _ in diagram.nodes for space in generator.cod)]


def _reads(diagram: Diagram) -> set[int]:
    read = {wire for _, inputs, _ in diagram.nodes for wire in inputs} | set(diagram.outputs)
    return {wire for wire in read if wire < len(diagram.dom)}


def _stages(whole: Diagram, shared: int, known: int) -> list[int]:
    """For each wire of R[body]: 0 if it depends on shared inputs alone, 1 if on no cotangent, else 2."""
    stages = [0 if w < shared else 1 if w < known else 2 for w in range(len(whole.dom))]
    for _, inputs, outputs in whole.nodes:
        stages += [max((stages[w] for w in inputs), default=0)] * len(outputs)
    return stages


def _crossing(whole: Diagram, stages: list[int]) -> list[int]:
    """The wires of stage 0 and 1 that stage 2 reads, constants apart (those are made again)."""
    constant = {w for _, inputs, outputs in whole.nodes if not inputs for w in outputs}
    read = {w for _, inputs, outputs in whole.nodes if outputs and stages[outputs[0]] == 2 for w in inputs}
    return sorted(w for w in read | set(whole.outputs) if stages[w] < 2 and w not in constant)


def _run(builder: Builder, whole: Diagram, stages: list[int], here: dict[int, int], stage: int) -> dict[int, int]:
    """Replay the nodes up to that stage whose inputs are at hand; the builder's wire for each wire reached."""

    def possible(node: Node) -> bool:
        _, inputs, outputs = node
        reached: Wires = tuple(w for w in inputs if w in here)
        return len(reached) == len(inputs) and not (outputs and (outputs[0] in here or stages[outputs[0]] > stage))

    for node in whole.nodes:
        if possible(node):
            here.update(zip(node[2], builder.apply(node[0], tuple(here[w] for w in node[1])), strict=True))
    return here


def scan(body: Diagram, length: int, shared: int = 0, states: int = 1, *, backward: bool = False) -> Diagram:
    """The diagram of one Scan: `body : shared x state x item -> state x emitted` run along `length` items."""
    return Scan(body, length, shared, states, backward).diagram
