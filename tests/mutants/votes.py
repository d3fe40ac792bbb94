"""Wrong tables, thresholds, counters and losses on counts."""

from __future__ import annotations

from typing import Any

from catlearn import count_losses, counters
from catlearn.generators import tables
from catlearn.generators.contraction import repeated
from catlearn.generators.counting import Clamp, Dither, Popcount, Positive, Scaled, Shares
from catlearn.generators.multiplexer import Choose
from catlearn.generators.rescaling import Rescale, RescaleVotes
from catlearn.generators.tables import Address, ReadVotes, WriteAt
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.tracing import trace
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["VOTES"]


def _v(name: str, owner: Any, attribute: str, change: Any) -> Mutant:
    return Mutant(name, "votes", ((owner, attribute, change),), (c.voting,))


def _doubled(self: Popcount) -> Any:
    return trace((self.space, *self.cod), lambda x, d: repeated(d + d, self.space.shape[-1]))


VOTES: tuple[Mutant, ...] = (
    _v("choose: sides exchanged", Choose, "reverse", edit(
        "choose(s, v, nothing), choose(s, nothing, v)", "choose(s, nothing, v), choose(s, v, nothing)")),
    _v("choose: slope turned", Choose, "reverse", edit("include(b) - include(a)", "include(a) - include(b)")),
    _v("tables: address from the other end", Address, "evaluate", edit(
        "(1 << i)", "(1 << (places.shape[-1] - 1 - i))")),
    _v("tables: the polynomial from the other end", tables, "_tree", edit("reversed(bits)", "bits")),
    _v("tables: entries' votes squared", WriteAt, "evaluate", edit("flat(v, (-1,))", "flat(v * v, (-1,))")),
    _v("tables: inputs' votes turned", ReadVotes, "evaluate", edit(
        "xp.take(entries, high) - xp.take(entries, low)", "xp.take(entries, low) - xp.take(entries, high)")),
    _v("tables: inputs' votes without the slope", ReadVotes, "evaluate", edit(
        "(xp.take(entries, high) - xp.take(entries, low)) * v", "xp.take(entries, high) * v")),
    _v("at least: more than", AtLeast, "evaluate", edit(">= self.threshold", "> self.threshold")),
    _v("at least: votes to all", AtLeastVotes, "evaluate", edit(
        "count[..., None] - carried == self.threshold - 1", "count[..., None] >= carried")),
    _v("at least: votes where it is reached already", AtLeastVotes, "evaluate", edit(
        "== self.threshold - 1", "== self.threshold")),
    _v("at least: the polynomial turned", AtLeast, "expansion", edit(
        "reached[k], reached[k - 1])", "reached[k - 1], reached[k])")),
    _v("popcount: two votes a bit", Popcount, "reverse", _doubled),
    _v("positive: straight through", Positive, "rule", lambda self, x, d: (d,)),
    _v("positive: from 0 on", Positive, "evaluate", edit("> 0", ">= 0")),
    _v("clamp: changes of what is cut", Clamp, "reverse", edit("choose(below_top * above_floor, nothing, d)", "d")),
    _v("clamp: the bound's sign", Clamp, "reverse", edit(
        "- sum_over(choose(invert(above", "+ sum_over(choose(invert(above")),
    _v("clamp: from above alone", Clamp, "evaluate", edit("arrays.namespace.maximum(x, -bound)", "x")),
    _v("shares: rounded down", Shares, "evaluate", edit("* e + total) //", "* e) //")),
    _v("shares: a table rounded down", Shares, "table", edit("np.rint(", "np.floor(")),
    _v("scaled: no dither", Scaled, "evaluate", edit("x * number + dithering", "x * number")),
    _v("dither: a bit too many", Dither, "evaluate", edit("32 - self.bits", "31 - self.bits")),
    _v("rescale: to twice the size", RescaleVotes, "powers", edit("math.isqrt(2 *", "math.isqrt(8 *")),
    _v("rescale: not at all", Rescale, "reverse", edit("apply_generator(rescaled, v)", "v")),
    _v("rescale: not marked", Rescale, "lawful", property(lambda self: True)),
    _v("counter: votes turned", counters, "count_votes", edit("clamp(p + d,", "clamp(p - d,")),
    _v("counter: no limit", counters, "count_votes", edit("clamp(p + d, h.limit)", "p + d")),
    _v("counter: starts at half", counters, "count_votes", edit("limit // 4", "limit // 2")),
    _v("counter: starts on the other side", counters.Counted, "__call__", edit("== 1", "== 0")),
    _v("accumulator: a vote too late", counters, "accumulator", edit("(h.threshold - 1)", "h.threshold")),
    _v("accumulator: no new start", counters, "accumulator", edit("constant(total.space, 0)", "total")),
    _v("accumulator: no limit below", counters, "accumulator", edit("clamp(total, h.threshold)", "total")),
    _v("votes for a flip turned", counters, "_wanted", edit("(1 - 2 * include(bit))", "(2 * include(bit) - 1)")),
    _v("flipping: half as often", counters, "flipping", edit("(1 << 15)", "(1 << 14)")),
    _v("majority: at a tie 0", counters, "majority", edit("p * invert(positive(-d))", "constant(p.space, 0)")),
    _v("clip votes: not at all", counters, "clip_votes", edit("clamp(d, h.bound)", "d")),
    _v("loss on counts: downward", count_losses, "_on_counts", edit("-(residual(y, c)", "(residual(y, c)")),
    _v("count softmax: no share", count_losses, "count_softmax", edit("- shares(counts, scale, temperature)", "")),
    _v("count margin: a count too wide", count_losses, "count_margin", edit(
        "constant(counts.space, margin)", "constant(counts.space, margin + 1)")),
    _v("count margin: one vote for the class", count_losses, "count_margin", edit(
        "hot * repeated(sum(near), counts.shape[0]) - near", "hot - near")),
)  # fmt: skip
"""Mutants of what votes pass through."""
