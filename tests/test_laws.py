"""Laws as data: the catalogue on the shipped categories, wrong generators, the reach of the strategies, the command."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

import catlearn as cl
from catlearn import laws
from catlearn.cli import app
from catlearn.errors import OperationError, UnknownNameError
from catlearn.generators.arithmetic import Pointwise
from catlearn.tracing import apply_generator

WRONG_MULTIPLY = '''"""A multiplication whose reverse has its parts exchanged."""
from catlearn import Space, INTEGERS
from catlearn.generators.arithmetic import Multiply
from catlearn.tracing import apply_generator

class Wrong(Multiply):
    """x y, with the reverse (x d, y d)."""
    def rule(self, *wires):
        x, y, d = wires
        return apply_generator(self, x, d), apply_generator(self, y, d)

multiply = Wrong(Space((), INTEGERS))
'''


@pytest.mark.parametrize("name", laws.CATEGORIES)
def test_every_law_is_as_declared(name):
    report = laws.check(laws.CATEGORIES[name], examples=8, strict=True)
    assert {row.status for row in report.rows} <= {"holds", "holds to rounding", "broken as declared"}
    broken = {row.law.identifier for row in report.rows if row.status == "broken as declared"}
    assert broken == set(laws.CATEGORIES[name].breaks)
    assert all(row.counterexample for row in report.rows if row.status == "broken as declared")


def test_laws_that_are_not_typed_are_left_out():
    """Over bits there is no sum of maps and no dagger (section 26); the other laws of R and D are there."""
    about = [law for law in laws.CATALOGUE if law.any_reverse]
    typed = {law.identifier for law in about if laws.applicable(law, laws.CATEGORIES["BITS"])}
    untyped = {"CLAC.left", "CLAC.proj", "CLAC.monoid", "RD.1", "CD.1", "DAG.linear", "DAG.char", "DAG.context"}
    assert {law.identifier for law in about} - typed == untyped
    assert all(laws.applicable(law, laws.CATEGORIES["Z4"]) for law in about)


def test_every_law_is_checked_somewhere():
    shipped = laws.CATEGORIES.values()
    assert [law.identifier for law in laws.CATALOGUE if not any(laws.applicable(law, c) for c in shipped)] == []


def test_identifiers_are_unique_and_found():
    names = [law.identifier for law in laws.CATALOGUE]
    assert len(set(names)) == len(names) > 140
    assert laws.by_identifier("RD.6").identifier == "RD.6"
    with pytest.raises(UnknownNameError, match=r"no law is called 'RD\.55': did you mean 'RD\.5'"):
        laws.by_identifier("RD.55")
    with pytest.raises(UnknownNameError, match="no category is called 'SMOTH': did you mean 'SMOOTH'"):
        laws.category("SMOTH")


@dataclass(frozen=True)
class Odd(Pointwise):
    """x y with a reverse of one's choice."""

    choice: str = "right"
    operation = "multiply"

    def on(self, space):
        return Odd(space, self.choice)

    def rule(self, *wires):
        x, y, d = wires

        def times(v, w):
            return apply_generator(self, v, w)

        return {
            "right": (times(y, d), times(x, d)),
            "exchanged": (times(x, d), times(y, d)),
            "half": (y * d, cl.functions.zeros(y.space)),
            "square": (d * d, cl.functions.zeros(y.space)),
            "shifted": (times(y, d) + 1, times(x, d)),
            "shapeless": (d, d),
        }[self.choice]


@pytest.mark.parametrize(
    ("choice", "killers"),
    [
        ("right", set()),
        ("exchanged", {"RD.6", "RD.derivative"}),
        ("half", {"RD.7", "RD.derivative"}),
        ("square", {"RD.2", "RD.6", "RD.derivative"}),
        ("shifted", {"RD.2", "RD.6", "RD.derivative"}),
        ("shapeless", {"RD.derivative"}),
    ],
)
def test_RD_blindspot(choice, killers):
    """Which of RD.2, RD.5, RD.6, RD.7 see a wrong multiplication; the derivative itself always does, RD.5 never."""
    generator = Odd(cl.Space((), cl.INTEGERS), choice)
    chosen = [laws.by_identifier(name) for name in ("RD.2", "RD.5", "RD.6", "RD.7", "RD.derivative")]
    opaque = laws.Category("the diagram", generator.dom[:1], (generator.diagram,))
    report = laws.check(opaque, laws=chosen, examples=100)
    killed = {row.law.identifier for row in report.wrong}
    assert killers <= killed if choice == "shifted" else killers == killed
    if choice != "shifted":  # it says that it is additive and is not, so folding zeros shows
        assert "RD.5" not in {row.law.identifier for row in report.wrong}
    assert bool(report.wrong) == bool(killers)
    if report.wrong:
        with pytest.raises(laws.LawError, match="the diagram breaks"):
            report.raise_if_wrong()


def test_what_can_be_checked():
    assert not laws.check(cl.Modular(6), laws=[laws.by_identifier("RD.5")], examples=5).wrong
    with pytest.raises(OperationError, match="check takes a Category, a semiring, a generator"):
        laws.check(3)
    with pytest.raises(OperationError, match="no generator to check"):
        laws.check(cl.identity(cl.Space((), cl.Z2)))
    with pytest.raises(OperationError, match="'f: A -> B'"):
        laws.Variable.parse("f of A")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: laws.Law("OWN", "", "", "f: A -> B", lambda f, g: []),
            r"the sides of OWN take g; .*: here A, B, D, R, f",
        ),
        (lambda: laws.Law("OWN", "", "", "f = A to B", lambda: []).typed, "f: A -> B"),
        (lambda: laws.check(cl.Z2, laws=[laws.Law("OWN", "", "", "A", lambda A: [], ("ring",))]), "OWN needs 'ring'"),
        (lambda: laws.check(cl.Z2, laws=[laws.Law("OWN", "", "", "A", lambda A: [1])]), r"must be pairs .*; got 1"),
    ],
)
def test_mistakes_in_a_law_of_ones_own(make, message):
    with pytest.raises(OperationError, match=message):
        make()


def test_a_law_declared_broken_must_break():
    report = laws.check(cl.Z2, laws=[laws.by_identifier("RD.5")], breaks={"RD.5": "said so"})
    assert "declared broken (said so), yet it holds" in report.wrong[0].counterexample


x, v, bit = cl.Space((), cl.REAL), cl.Space(2, cl.REAL), cl.Space((), cl.Z2)


def broken(thing, *, examples=25, breaks=None, among=None):
    return {row.law.identifier for row in laws.check(thing, laws=among, examples=examples, breaks=breaks).wrong}


def test_a_lens_is_checked():
    """The laws of lenses speak of that lens; one whose put is not additive breaks LENS.copynat and no other."""
    good = cl.Lens.of(cl.trace(x, cl.functions.tanh))
    assert broken(good) == set()
    shifted = cl.Lens(cl.identity(x), cl.trace((x, x), lambda a, d: d + 1.0))
    report = laws.check(shifted)
    assert {row.law.identifier for row in report.rows} >= {"LENS.assoc", "LENS.copynat", "OPTIC.iso"}
    assert {row.law.identifier for row in report.wrong} == {"LENS.copynat"}
    assert broken(cl.optimisers.adam(0.1).bound(x), examples=5) == set()
    momentum = cl.optimisers.momentum(0.1).bound(x)
    assert broken(momentum, breaks={"LENS.copynat": "its put adds what is stored"}) == set()


def test_a_loss_is_checked():
    assert broken(cl.losses.quadratic, examples=10) == set()
    assert broken(cl.losses.exclusive_or, examples=10) == set()
    seen = {row.law.identifier for row in laws.check(cl.losses.quadratic, examples=1).rows}
    assert {"LOSS.def", "CAP.def", "CAP.slide", "LEARNER.closed"} <= seen
    assert "OPT.tensor" not in seen


def test_an_optimiser_is_checked():
    """Clipping by the norm of all parameters is not elementwise, and rounding is not odd."""
    good = cl.optimisers.momentum(0.1, 0.5)
    assert broken(good, examples=10) == set()
    by_norm = cl.optimisers.optimiser("n", cl.optimisers.clip_by_norm(0.5) >> cl.optimisers.scale(0.1))
    assert "OPT.tensor" in broken(by_norm, examples=60)
    uneven = cl.optimisers.transformation("rise", lambda h, s, p, d: ({}, d + 1.0))
    assert "OPT.odd" in broken(cl.optimisers.optimiser("rise", uneven), examples=10)
    still = cl.optimisers.transformation("still", lambda h, s, p, d: ({}, 0.0 * d))
    assert "OPT.moves" in broken(cl.optimisers.optimiser("still", still), examples=10)


def test_a_semiring_is_checked():
    """A wrong sum breaks the equations of circuits at points."""

    @dataclass(frozen=True)
    class Wrong(cl.Semiring):
        name: str = "WRONG"
        kind: str = "integer"

        def contains(self, values):
            return (values >= 0) & (values < 4)

        def add(self, xp, left, right):
            return (left + 2 * right) % 4

        def multiply(self, xp, left, right):
            return (left * right) % 4

    chosen = [law for law in laws.CATALOGUE if law.identifier.startswith(("CIRC.add", "CIRC.mul"))]
    found = {row.law.identifier for row in laws.check(Wrong(), laws=chosen, examples=5).wrong}
    assert {"CIRC.add.comm", "CIRC.add.assoc"} <= found
    assert not found & {"CIRC.mul.assoc", "CIRC.mul.comm"}
    assert broken(cl.Saturating(5), examples=2) == set()


def test_a_generator_whose_rule_and_vjp_agree_and_are_wrong_is_found_by_differences():
    import jax

    @jax.custom_vjp
    def wrong(a):
        return a * a

    wrong.defvjp(lambda a: (a * a, a), lambda a, d: (3.0 * a * d,))
    report = laws.check(cl.from_jax(wrong, x, x), laws=[laws.by_identifier("RD.derivative")])
    assert report.wrong
    assert not laws.check(cl.from_jax(lambda a: a * a, x, x), laws=[laws.by_identifier("RD.derivative")]).wrong


def test_the_counterexample_is_short_and_names_the_rule():
    """The law, the inputs no larger than 2, both sides' values, and the rule to look at."""
    report = laws.check(Odd(cl.Space((), cl.INTEGERS), "exchanged"), laws=[laws.by_identifier("RD.6")], examples=100)
    text = report.wrong[0].counterexample
    lines = text.splitlines()
    assert lines[0] == "RD.6: D[R[f]]((a, b), (0, c)) = R[f](a, c)"
    assert len(lines) <= 6
    place = re.search(r"at \(([-0-9, ]+)\) the left side is (\(.*\)|\S+) and the right side (\(.*\)|\S+)", text)
    assert max(abs(int(value)) for value in place[1].split(",")) <= 2
    assert place[2] != place[3]
    assert "look at the reverse of odd (Odd): it gives (x0*x2, x1*x2), and the derivative is (x1*x2, x0*x2)" in text


def test_a_wrong_multiplication_by_another_name_breaks_RD_6():
    """Its rule uses the library's own product, which is the same morphism: one name, and RD.6 sees it."""

    @dataclass(frozen=True)
    class Times(cl.Generator):
        right: bool

        @property
        def dom(self):
            return (cl.Space((), cl.INTEGERS),) * 2

        @property
        def cod(self):
            return self.dom[:1]

        def reverse(self):
            return cl.trace((*self.dom, *self.cod), lambda a, b, d: (b * d, a * d) if self.right else (a * d, b * d))

        def evaluate(self, arrays, a, b):
            return a * b

    assert broken(Times(True), examples=15) == set()
    seen = [laws.by_identifier("RD.6"), laws.by_identifier("RD.derivative")]
    assert broken(Times(False), among=seen, examples=60) == {"RD.6", "RD.derivative"}


def test_a_report_reads_as_a_table():
    """A declared break is shown with its counterexample and its reason."""
    clipped = laws.check(laws.CATEGORIES["clipped"], laws=[laws.by_identifier("RD.1"), laws.by_identifier("RD.2")])
    text = str(clipped)
    assert re.search(r"RD\.1 +R\[f \+ g\] = .* holds to rounding +\d+ ", text)
    assert re.search(r"RD\.2 .* broken as declared", text)
    assert "f = (w0) -> (w1) where w1 = clip(w0)" in text
    assert "look at the reverse of clip, which is marked as no derivative" in text
    assert "declared: clipping does not keep sums of cotangents" in text


def test_points_are_exhausted_where_they_are_few():
    few = laws.check(cl.Z2, laws=[laws.by_identifier("CIRC.distrib")]).rows[0]
    assert few.note == "as polynomials; at all points"
    many = laws.check(cl.Modular(1000), laws=[laws.by_identifier("CIRC.distrib")]).rows[0]
    assert "points are too many for all" in many.note
    infinite = laws.check(cl.INTEGERS, laws=[laws.by_identifier("CIRC.distrib")]).rows[0]
    assert infinite.note == "as polynomials; at random points"
    smooth = laws.check(laws.CATEGORIES["SMOOTH"], laws=[laws.by_identifier("RD.2"), laws.by_identifier("CAT.assoc")])
    assert [row.note for row in smooth.rows] == ["in 64-bit floats at random points", ""]


def test_too_many_points_are_said_to_be(tmp_path):
    """The table names the laws that were sampled instead of exhausted, and how many points there are."""
    path = tmp_path / "big.py"
    path.write_text("from catlearn import laws, Modular\nbig = laws.polynomial_category(Modular(100))\n")
    done = run(str(path), "--law", "CIRC.add.comm", "--law", "CIRC.add.unit", "--examples", "3")
    assert done.exit_code == 0
    assert re.search(r"at random points \(10,?000 points are too many for all\): CIRC.add.comm", done.stdout)
    data = json.loads(run(str(path), "--law", "CIRC.add.comm", "--json", "--examples", "3").stdout)
    assert "too many" in data["categories"]["big"][0]["compared"]


def test_marks_spread_through_composition():
    """A surrogate makes what it is part of unlawful; `lawful` tells (BWD.ste)."""
    sign = cl.surrogate("sign", cl.trace(x, cl.functions.sign), cl.trace((x, x), lambda a, d: d), additive=True)
    square = cl.trace(x, lambda a: a * a)
    assert square.lawful
    for composite in (square >> sign, sign @ square, cl.batch(sign, 3), cl.reverse_derivative(sign >> square)):
        assert not composite.lawful or composite == cl.reverse_derivative(sign >> square)


def run(*arguments):
    return CliRunner().invoke(app, ["laws", *arguments])


def test_the_command_on_a_wrong_file(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text(WRONG_MULTIPLY)
    done = run(str(path), "--examples", "50", "--law", "RD.2", "--law", "RD.6", "--law", "RD.7")
    assert done.exit_code == 1
    assert "RD.6" in done.stdout
    assert "BROKEN" in done.stdout
    data = json.loads(run(str(path), "--law", "RD.6", "--json", "--examples", "100").stdout)
    (row,) = data["categories"]["multiply"]
    assert row["law"] == "RD.6"
    assert "w0" in row["counterexample"]
    assert not data["as_declared"]


def test_the_command_on_shipped_categories():
    done = run("--category", "Z2", "--category", "BITS", "--law", "RD.5", "--law", "RD.derivative", "--examples", "5")
    assert done.exit_code == 0, done.output
    assert re.search(r"2 laws, 2 categories, 4 checks, 2\d examples", done.stdout)
    assert "all as declared" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--law", "RD.55"), "no law is called 'RD.55'"),
        (("--category", "Z22"), "no category is called 'Z22'"),
        (("nowhere.py",), "nowhere.py does not exist"),
    ],
)
def test_mistakes_of_the_command(arguments, message):
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr


def test_a_file_with_nothing_to_check(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("x = 3\n")
    done = run(str(path))
    assert done.exit_code == 1
    assert "defines nothing to check" in done.stderr


def test_without_hypothesis_the_rest_works_and_a_check_says_what_is_missing():
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from catlearn import *\n"
        "assert laws.by_identifier('RD.5').identifier == 'RD.5'\n"
        "try:\n    laws.check\nexcept CatlearnError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "checking laws needs Hypothesis: pip install 'categorical-learning[laws]'" in done.stdout
