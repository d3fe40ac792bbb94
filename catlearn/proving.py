"""Running the machine proofs: a proof is a file that proves one theorem, and says how and how far.

A proof file has the constants `THEOREM`, `METHOD`, `SCOPE` and `LAWS` (the identifiers it is about) and a function
`prove()`, which returns a line for each thing that it proved and raises `AssertionError` where a proof fails. Wherever
it can, it runs the library's own diagrams through a symbolic functor: `functors.free` (composition over free symbols),
`functors.symbolic` (polynomials) or `functors.expressions` (SymPy).
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from types import ModuleType

from catlearn.errors import CatlearnError, ModelFileError, UnknownNameError, nearest

__all__ = ["Outcome", "Proof", "as_table", "check_coq", "find", "load", "run", "shown"]


@dataclass(frozen=True)
class Proof:
    """A theorem, how it is proved, how far the proof goes, the laws it is about, and the proof itself."""

    name: str
    theorem: str
    method: str
    scope: str
    laws: tuple[str, ...]
    prove: Callable[[], list[str]]


@dataclass(frozen=True)
class Outcome:
    """What came of a proof: a line for each thing proved, or in `failure` what could not be."""

    proof: Proof
    lines: tuple[str, ...]
    seconds: float
    failure: str = ""


def load(path: Path) -> Proof:
    """The proof in a file; raises `ModelFileError` where the file is none."""
    module = ModuleType(f"proof_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    except CatlearnError:
        raise
    except Exception as mistake:
        raise ModelFileError(f"{path} cannot be run: {type(mistake).__name__}: {mistake}") from mistake
    missing = [name for name in ("THEOREM", "METHOD", "SCOPE", "LAWS", "prove") if not hasattr(module, name)]
    if missing:
        raise ModelFileError(f"{path} is no proof: it needs {', '.join(missing)} (see catlearn.proving)")
    return Proof(path.stem, module.THEOREM, module.METHOD, module.SCOPE, tuple(module.LAWS), module.prove)


def home() -> Path:
    """Where the proofs are: `proofs/` in the current directory, or beside the package in a clone."""
    for place in (Path("proofs"), Path(__file__).resolve().parent.parent / "proofs"):
        if place.is_dir():
            return place
    raise ModelFileError("there is no folder proofs/ here: run this in a clone of catlearn, or give --dir")


def find(directory: Path, names: Sequence[str] = ()) -> list[Proof]:
    """The proofs in a directory, in the order of their names, or those named.

    Raises `UnknownNameError` naming the nearest for one that is not there, `ModelFileError` where there is none.
    """
    files = {path.stem: path for path in sorted(directory.glob("*.py")) if not path.stem.startswith("_")}
    if not files:
        raise ModelFileError(f"{directory} holds no proof: a proof is a file such as induction_step.py")
    for name in names:
        if name not in files:
            raise UnknownNameError(f"no proof is called {name!r}: {nearest(name, files)}")
    return [load(files[name]) for name in names or files]


def run(proof: Proof) -> Outcome:
    """Prove it; a proof that fails has its reason in `failure`."""
    started = time.perf_counter()
    try:
        lines, failure = tuple(proof.prove()), ""
    except (AssertionError, CatlearnError) as reason:  # a tool that is not installed is one, too
        lines, failure = (), str(reason) or "an assertion of the proof does not hold"
    return Outcome(proof, lines, time.perf_counter() - started, failure)


def shown(holds: bool, claim: str) -> str:
    """The claim, if it holds; raises `AssertionError` with it otherwise. A line of a proof."""
    if not holds:
        raise AssertionError(f"not proved: {claim}")
    return claim


def as_table(outcomes: Iterable[Outcome], *, lines: bool = False) -> str:
    """Each theorem with its method, scope, number of parts and time; with `lines`, each part; and the totals."""
    text, everything = [], list(outcomes)
    for outcome in everything:
        proof = outcome.proof
        state = "FAILED" if outcome.failure else "proved"
        text.append(f"{state}  {proof.name}  ({len(outcome.lines)} parts, {outcome.seconds:.1f} s)")
        text += [f"  theorem  {proof.theorem}", f"  method   {proof.method}", f"  scope    {proof.scope}"]
        text.append(f"  laws     {', '.join(proof.laws)}")
        text += [f"           {line}" for line in outcome.lines if lines]
        text += [f"  failure  {outcome.failure}"] if outcome.failure else []
        text.append("")
    wrong = sum(bool(outcome.failure) for outcome in everything)
    laws = {law for outcome in everything for law in outcome.proof.laws if not outcome.failure}
    parts, seconds = sum(len(o.lines) for o in everything), sum(o.seconds for o in everything)
    text.append(
        f"{len(everything) - wrong} theorems proved in {parts} parts, about {len(laws)} laws, {seconds:.1f} s"
        + (f"; {wrong} FAILED" if wrong else "")
    )
    return "\n".join(text)


def check_coq(directory: Path) -> str:
    """Build the Coq development with make and return what it prints, the assumptions of the main theorems at the end.

    Raises `CatlearnError` where Coq or make is not installed, or the build fails.
    """
    folder = directory / "coq"
    if not folder.is_dir():
        raise ModelFileError(f"{folder} does not exist: the Coq development is in proofs/coq of a clone")
    for program, package in (("coqc", "coq"), ("make", "make")):
        if which(program) is None:
            raise CatlearnError(f"{program} is not installed: on Debian or Ubuntu, apt-get install {package}")
    for target in ("all", "check"):
        _called(["make", "-s", "-C", str(folder), target])
    source = (folder / "Assumptions.v").read_text()
    names = re.findall(r"^Print Assumptions (\S+)\.$", source, re.M)
    answers = _called(["coqc", "-q", "-Q", ".", "ReverseDerivative", "Assumptions.v"], folder).strip().splitlines()
    if answers != ["Closed under the global context"] * len(names):
        raise CatlearnError("a theorem rests on an axiom:\n" + "\n".join(answers))
    rows = [f"{name:<40} closed under the global context" for name in names]
    return "\n".join([*rows, f"{len(rows)} theorems, no axioms; coqchk accepts every file"])


def _called(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise CatlearnError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
