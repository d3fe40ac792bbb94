"""Laws as data: the catalogue on the shipped categories, wrong generators, the reach of the strategies, the command."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import find, settings
from typer.testing import CliRunner

import catlearn as cl
from catlearn import laws
from catlearn.cli import app
from catlearn.errors import OperationError, UnknownNameError
from catlearn.generators.arithmetic import Pointwise
from catlearn.laws.strategies import diagrams, lenses, objects
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
    report = laws.check(laws.CATEGORIES[name], examples=25 if laws.CATEGORIES[name].breaks else 8, strict=True)
    assert {row.status for row in report.rows} <= {"holds", "holds to rounding", "broken as declared"}
    broken = {row.law.identifier for row in report.rows if row.status == "broken as declared"}
    assert broken == set(laws.CATEGORIES[name].breaks)
    assert all(row.counterexample for row in report.rows if row.status == "broken as declared")


def test_laws_that_are_not_typed_are_left_out():
    """Over bits there is no sum of maps and no dagger (section 26); everything else is there."""
    every = {law.identifier for law in laws.CATALOGUE}
    typed = {law.identifier for law in laws.CATALOGUE if laws.applicable(law, laws.CATEGORIES["BITS"])}
    untyped = {"CLAC.left", "CLAC.proj", "CLAC.monoid", "RD.1", "CD.1", "DAG.linear", "DAG.char", "DAG.context"}
    assert every - typed == untyped
    assert all(laws.applicable(law, laws.CATEGORIES["Z4"]) for law in laws.CATALOGUE)


def test_identifiers_are_unique_and_found():
    names = [law.identifier for law in laws.CATALOGUE]
    assert len(set(names)) == len(names) > 40
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
    chosen = [laws.by_identifier(name) for name in ("RD.2", "RD.5", "RD.6", "RD.7")] + [laws.derivative_law()]
    report = laws.check(generator.diagram, laws=chosen, examples=100)
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
    with pytest.raises(OperationError, match="check takes a Category, a semiring or a Diagram"):
        laws.check(3)
    with pytest.raises(OperationError, match="no generator to check"):
        laws.check(cl.identity(cl.Space((), cl.Z2)))
    with pytest.raises(OperationError, match="'f: A -> B'"):
        laws.Variable.parse("f of A")


def test_a_law_declared_broken_must_break():
    good = laws.polynomial_category(cl.Z2)
    wrongly = laws.Category("Z2", good.spaces, good.gates, breaks={"RD.5": "said so"})
    report = laws.check(wrongly, laws=[laws.by_identifier("RD.5")], examples=5)
    assert "declared broken (said so), yet it holds" in report.wrong[0].counterexample


REACH = {
    "a repeated wire": lambda f: any(len(set(inputs)) < len(inputs) for _, inputs, _ in f.nodes),
    "an unused input": lambda f: (
        f.dom and not any(0 in inputs for _, inputs, _ in f.nodes) and 0 not in f.outputs and f.nodes
    ),
    "an input that is an output": lambda f: any(wire < len(f.dom) for wire in f.outputs),
    "an output twice": lambda f: len(set(f.outputs)) < len(f.outputs),
    "a second-order term": lambda f: any(g.name == "multiply" and a == b for g, (a, *b), _ in f.nodes if b for b in b),
    "a negation": lambda f: any(g.name == "negate" for g, _, _ in f.nodes),
    "four gates": lambda f: len(f.nodes) >= 4,
}


@pytest.mark.parametrize("name", REACH)
def test_the_reach_of_the_strategies(name):
    z4 = laws.CATEGORIES["Z4"]
    x = z4.spaces[0]
    found = find(diagrams(z4, (x, x), (x, x)), lambda f: bool(REACH[name](f)), settings=settings(max_examples=2000))
    assert REACH[name](found)


def test_objects_may_be_empty_and_lenses_leave_the_image_of_R():
    z4 = laws.CATEGORIES["Z4"]
    assert find(objects(z4), lambda a: a == ()) == ()
    x = (z4.spaces[0],)
    found = find(lenses(z4, x, x), lambda lens: lens.put != cl.reverse_derivative(lens.get))
    assert found.get.dom == x


def run(*arguments):
    return CliRunner().invoke(app, ["laws", *arguments])


def test_the_command_on_a_wrong_file(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text(WRONG_MULTIPLY)
    done = run(str(path), "--examples", "100")
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
    assert "2 laws, 2 categories, 4 checks, 20 examples" in done.stdout.replace("  ", " ")
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


def test_laws_as_tests_of_ones_own(pytester):
    """One case a law, named by its identifier; the wrong ones fail with their counterexample."""
    pytester.makepyfile(
        WRONG_MULTIPLY.replace("multiply = ", "multiply_generator = ")
        + """
from catlearn import laws
chosen = [laws.by_identifier("RD.2"), laws.by_identifier("RD.6")]
test_right = laws.tests(Multiply(Space((), INTEGERS)).diagram, laws=chosen, examples=50)
test_wrong = laws.tests(multiply_generator.diagram, laws=chosen, examples=50)
"""
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-v")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["*test_wrong[[]RD.6[]] FAILED*", "*LawError: the diagram breaks RD.6*"])
