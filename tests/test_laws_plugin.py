"""The pytest plugin: laws as tests of one's own, `--law`, and the summary."""

import pytest

OWN = '''
from catlearn import INTEGERS, Space, laws
from catlearn.generators.arithmetic import Multiply
from catlearn.tracing import apply_generator


class Wrong(Multiply):
    """x y, with the reverse (x d, y d)."""

    def rule(self, *wires):
        x, y, d = wires
        return apply_generator(self, x, d), apply_generator(self, y, d)


chosen = [laws.by_identifier("RD.2"), laws.by_identifier("RD.6")]
test_right = laws.tests(Multiply(Space((), INTEGERS)), laws=chosen, examples=50)
test_wrong = laws.tests(Wrong(Space((), INTEGERS)), laws=chosen, examples=50)


def test_other():
    pass
'''


@pytest.fixture
def own(pytester):
    pytester.makepyfile(OWN)

    def run(*arguments):
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", *arguments)

    return run


def test_one_case_a_law_and_a_summary(own):
    """The wrong one fails with its counterexample; the summary counts laws, statuses and examples."""
    done = own("-v")
    done.assert_outcomes(passed=4, failed=1)
    done.stdout.fnmatch_lines(["*test_wrong[[]RD.6[]] FAILED*", "*LawError: the generator wrong breaks RD.6*"])
    done.stdout.fnmatch_lines(["*= laws =*", "the generator multiply: 2 laws, 2 holds, 1* examples"])
    done.stdout.fnmatch_lines(["the generator wrong: 2 laws, 1 holds, 1 BROKEN, *; broken: RD.6"])


def test_one_law_alone(own):
    done = own("--law", "RD.2")
    done.assert_outcomes(passed=2, deselected=3)


def test_an_unknown_law_names_the_nearest(own):
    done = own("--law", "RD.66")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*no law is called 'RD.66': did you mean 'RD.6'*"])


def test_nothing_is_said_where_no_law_is_tested(own):
    done = own("-k", "other")
    done.assert_outcomes(passed=1, deselected=4)
    assert "= laws =" not in done.stdout.str()
