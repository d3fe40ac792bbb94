"""The machine proofs: all prove, each fails when the rule that it is about is broken, and the command's mistakes."""

import importlib
import pkgutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import catlearn.generators
from catlearn import losses, optimisers, proving
from catlearn.cli import app
from catlearn.diagram import Diagram, Generator, identity
from catlearn.errors import ModelFileError, UnknownNameError
from catlearn.functions import sqrt
from catlearn.generators.arithmetic import Add, Multiply
from catlearn.generators.elementwise import FUNCTIONS, Smooth
from catlearn.lens import Lens
from catlearn.losses import Loss
from catlearn.semirings import Modular

PROOFS = Path(__file__).parent.parent / "proofs"
NAMES = sorted(path.stem for path in PROOFS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_it_proves(name):
    (proof,) = proving.find(PROOFS, [name])
    outcome = proving.run(proof)
    assert outcome.failure == ""
    assert len(outcome.lines) >= 4
    assert proof.theorem.endswith(".")
    bounded = "bounded" in proof.scope
    first = (PROOFS / f"{name}.py").read_text().splitlines()
    assert bounded or "complete" in proof.scope or "all " in proof.scope or "every " in proof.scope
    assert first[0].startswith('"""Bounded') == bounded  # a bounded proof says so in its first line


def exchanged(self, x, y, d):
    return x * d, y * d


def without_linking(first, second):
    """Lens composition that gives the second put the first input's value where its own belongs."""
    put = (identity(first.get.dom) @ identity(second.cod.backward)) >> first.put
    return Lens(first.get >> second.get, put)


def uncorrected(b1=0.9, b2=0.999, epsilon=1e-8):
    def put(h, s, p, d):
        m, v = h.b1 * s.m + (1.0 - h.b1) * d, h.b2 * s.v + (1.0 - h.b2) * (d * d)
        return {"m": m, "v": v}, m / (1.0 - h.b2**h.t) / (sqrt(v / (1.0 - h.b2**h.t)) + h.epsilon)

    return optimisers.transformation(
        "scale by adam",
        put,
        hyper={"b1": b1, "b2": b2, "epsilon": epsilon},
        state={"m": 0.0, "v": 0.0},
        count=True,
    )


def doubled(self, outputs, old=Loss.para):
    made = old(self, outputs)
    return type(made)(made.parameter, made.dom, made.morphism + made.morphism)


def wrapping(self, xp, x, y):
    return (x + y) % (self.modulus + 1)


BROKEN = {
    "generators": [(Multiply, "rule", exchanged)],
    "generic_polynomials": [(Multiply, "rule", exchanged)],
    "circuit_equations": [(Add, "rule", lambda self, x, y, d: (d, d + d))],
    "cheap_gradient": [(Multiply, "rule", lambda self, x, y, d: (y * d * d, x * d))],
    "lookup_tables": [(losses, "exclusive_or", replace(losses.exclusive_or, cap=losses.constant_cap(1)))],
    "losses": [(Loss, "para", doubled)],
    "free_symbols": [(Lens, "__rshift__", without_linking)],
    "optimisers": [(optimisers, "scale_by_adam", uncorrected)],
    "semirings": [(Modular, "add", wrapping)],
    "undefined_functions": [(Multiply, "rule", lambda self, x, y, d: (y * d, y * d))],
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_fails_when_its_rule_is_broken(name, monkeypatch):
    for owner, attribute, wrong in BROKEN[name]:
        monkeypatch.setattr(owner, attribute, wrong)
    (proof,) = proving.find(PROOFS, [name])
    try:
        failure = proving.run(proof).failure
    except Exception as error:  # a composite that no longer types is a failure too, but not the one that is meant
        pytest.fail(f"{type(error).__name__}: {error}")
    assert failure.startswith("not proved")


def test_the_induction_step_fails_with_a_wrong_chain_rule():
    (proof,) = proving.find(PROOFS, ["induction_step"])
    space = proof.prove.__globals__
    R, f, g, P0, P1 = (space[name] for name in ("R", "f", "g", "P0", "P1"))
    wrong = {**space["RULES"], "RD.5": space["Rule"](R[f >> g], (P0 & (P1 >> R[g])) >> R[f])}
    with pytest.raises(AssertionError, match=r"RD\.2 of f ; g"):
        proof.prove(rules=wrong)


def test_completeness_fails_with_a_wrong_comparison(monkeypatch):
    (proof,) = proving.find(PROOFS, ["completeness"])
    space = proof.prove.__globals__
    right = space["compare"]
    monkeypatch.setitem(space, "compare", lambda p: right(2) if p == 2 else _constant_one(right(p)))
    assert proving.run(proof).failure.startswith("not proved")


def _constant_one(compare):
    from catlearn.diagram import discard
    from catlearn.generators.arithmetic import Constant

    return discard(compare.dom) >> Constant(compare.cod[0], 1).diagram


def test_no_derivative_on_functions_fails_for_the_function_of_the_first_input(monkeypatch):
    """Projections have a reverse derivative on functions: the proof must not go through for one."""
    (proof,) = proving.find(PROOFS, ["no_derivative_on_functions"])
    space = proof.prove.__globals__
    right = space["trace"]
    monkeypatch.setitem(space, "trace", lambda dom, function: right(dom, lambda x, y: x))
    assert proving.run(proof).failure.startswith("not proved")


def test_every_generator_is_proved():
    """Each class of generators that ships is in the proof about generators; JAX functions, surrogates, random draws,
    solutions, inverses, and what chooses the largest, compares or rounds, cannot be."""
    for module in pkgutil.iter_modules(catlearn.generators.__path__, "catlearn.generators."):
        importlib.import_module(module.name)
    classes, agenda = set(), [Generator]
    while agenda:
        kind = agenda.pop()
        agenda += kind.__subclasses__()
        if kind.__module__.startswith("catlearn.generators"):
            classes.add(kind.__name__)
    (proof,) = proving.find(PROOFS, ["generators"])
    space = proof.prove.__globals__
    made: dict[str, Diagram] = {}
    for table in ("polynomial_generators", "real_generators", "discrete_generators"):
        made.update(space[table]())
    used = {type(generator).__name__ for diagram in made.values() for generator, _, _ in diagram.nodes}
    abstract = {"Pointwise", "Reindexing", "_Binary", "FromDiscrete", "Draw", "PerKey", "_Over", "_Rows", "_Precision"}
    abstract |= {"Tables", "AtAddress", "_OfSquares"}
    steps = {"Positive", "Clamp", "Shares", "Scaled", "Dither", "Rescale", "RescaleVotes"}  # roundings and bounds
    run = {"Address", "Pick", "WriteAt", "ReadVotes"}  # what tables run as, never what is differentiated
    random = {"Bernoulli", "NormalDraw", "SplitKey", "Dropout", "Shift"}
    choice = {"MaximumOver", "FirstLargest", "Compare"}
    limits = {"FixedPoint", "Inverse", "LogDeterminant"}  # compared with JAX, in test_generators
    others = {"JaxFunction", "Surrogate", "BatchNormalise"}
    assert classes - used - abstract == others | random | choice | steps | run | limits
    assert set(FUNCTIONS) <= set(made)


def test_a_wrong_derivative_of_a_function_is_noticed(monkeypatch):
    for name, row in list(FUNCTIONS.items()):
        wrong = Smooth(row.implementation, lambda x, y, right=row.derivative: right(x, y) + 1.0)
        monkeypatch.setitem(FUNCTIONS, name, wrong)
        (proof,) = proving.find(PROOFS, ["generators"])
        assert "not proved: R of" in proving.run(proof).failure, name
        monkeypatch.setitem(FUNCTIONS, name, row)


def run(*arguments):
    return CliRunner().invoke(app, ["prove", *arguments])


def test_the_command():
    done = run("semirings", "no_derivative_on_functions", "--parts")
    assert done.exit_code == 0
    assert "proved  semirings  (17 parts" in done.stdout
    assert "none of them also respects copy ; and = 1" in done.stdout
    assert "2 theorems proved in 21 parts, about 7 laws" in done.stdout


def test_a_proof_of_ones_own_that_fails(tmp_path):
    (tmp_path / "wrong.py").write_text(
        'THEOREM, METHOD, SCOPE, LAWS = "0 = 1.", "hope", "all numbers", ("RD.1",)\n'
        "from catlearn.proving import shown\n"
        'def prove():\n    return [shown(0 == 1, "0 = 1")]\n'
    )
    done = run("--dir", str(tmp_path))
    assert done.exit_code == 1
    assert "FAILED  wrong" in done.stdout
    assert "not proved: 0 = 1" in done.stdout
    assert "0 theorems proved in 0 parts, about 0 laws" in done.stdout


def test_mistakes_of_the_command(tmp_path):
    done = run("semiring")
    assert done.exit_code == 1
    assert "no proof is called 'semiring': did you mean 'semirings'" in done.stderr
    assert "holds no proof" in run("--dir", str(tmp_path)).stderr
    (tmp_path / "not_one.py").write_text("x = 1\n")
    assert "not_one.py is no proof: it needs THEOREM" in run("--dir", str(tmp_path)).stderr
    (tmp_path / "not_one.py").write_text("x = \n")
    assert "cannot be run: SyntaxError" in run("--dir", str(tmp_path)).stderr
    assert "coq does not exist" in run("--coq", "--dir", str(tmp_path)).stderr
    with pytest.raises(UnknownNameError):
        proving.find(PROOFS, ["nothing"])
    with pytest.raises(ModelFileError):
        proving.load(tmp_path / "not_one.py")


def test_without_egglog_the_other_proofs_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "egglog", None)
    monkeypatch.setitem(sys.modules, "egglog.bindings", None)
    done = run("induction_step", "semirings")
    assert done.exit_code == 1
    assert "this proof needs egglog: pip install 'categorical-learning[proofs]'" in done.stdout
    assert "1 theorems proved in 17 parts, about 5 laws" in done.stdout
    assert "1 FAILED" in done.stdout


def test_without_coq_it_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "coq").mkdir()
    monkeypatch.setattr(proving, "which", lambda name: None)
    done = run("--coq", "--dir", str(tmp_path))
    assert done.exit_code == 1
    assert "coqc is not installed: on Debian or Ubuntu, apt-get install coq" in done.stderr
