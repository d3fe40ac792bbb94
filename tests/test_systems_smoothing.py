"""Smoothing against hmmlearn, statsmodels, enumeration of all states, and conditioning of dense normal laws."""

import importlib.util
import itertools

import jax
import numpy as np
import pytest

import catlearn as cl
from catlearn import functions, laws, losses, optimisers
from catlearn.diagram import identity as unit
from catlearn.errors import CompositionError, InputError, MissingExtraError, OperationError
from catlearn.functors import loops
from catlearn.functors.jax import Jax
from catlearn.functors.loops import Loops
from catlearn.generators.inversion import inverse, log_determinant
from catlearn.generators.scan import scan
from catlearn.laws.oracles import tuple_of
from catlearn.laws.smoothing import SMOOTHING
from catlearn.lens import Sides
from catlearn.optic import Optic
from catlearn.systems.smoothing import (
    Finite,
    Gaussian,
    Observed,
    copy,
    evidence,
    gaussian_prior,
    identity,
    likelihoods,
    linear_gaussian,
    observation,
    observed,
    prior,
    repeat,
    sample,
    smooth,
    swap,
    transition,
)

test_laws = laws.tests(laws.CATEGORIES["SMOOTH"], laws=SMOOTHING, examples=1)


def random_hmm(seed, states=3, symbols=4):
    rng = np.random.default_rng(seed)
    return (
        rng.dirichlet(np.ones(states)),
        rng.dirichlet(np.ones(states), states),
        rng.dirichlet(np.ones(symbols), states),
    )


def chain(p, K, length, guide=None):
    S = Finite(len(p))
    return prior(p) >> repeat(copy(S) >> (transition(K, guide) @ identity(S)), length)


def enumerated(p, K, rows):
    """The posterior of each state, and the likelihood, by summing over all paths; rows are likelihoods by time."""
    weights = {}
    for path in itertools.product(range(len(p)), repeat=len(rows)):
        steps = np.prod([K[a, b] for a, b in itertools.pairwise(path)])
        weights[path] = p[path[0]] * steps * np.prod([row[s] for row, s in zip(rows, path, strict=True)])
    total = sum(weights.values())
    table = [[sum(w for s, w in weights.items() if s[t] == i) for i in range(len(p))] for t in range(len(rows))]
    return np.array(table) / total, total


# hidden Markov models


@pytest.mark.parametrize("backend", [Jax("float64"), Loops()], ids=["jax", "loops"])
def test_categorical_as_hmmlearn(backend):
    hmm = pytest.importorskip("hmmlearn.hmm")
    p, K, E = random_hmm(0)
    K[0, 2], K[0] = 0.0, K[0] * [1, 1, 0] / K[0, :2].sum()
    y = np.random.default_rng(1).integers(0, 4, 300)
    peer = hmm.CategoricalHMM(3)
    peer.startprob_, peer.transmat_, peer.emissionprob_, peer.n_features = p, K, E, 4
    score, posterior = peer.score_samples(y[:, None])
    found = smooth(chain(p, K, 300), None, evidence(E, y), backend=backend)
    assert found.log_likelihood == pytest.approx(score, abs=1e-9)
    np.testing.assert_allclose(found.laws[1], posterior, atol=1e-10)


def test_gaussian_emissions_as_hmmlearn():
    hmm = pytest.importorskip("hmmlearn.hmm")
    p, K, _ = random_hmm(2)
    rng = np.random.default_rng(3)
    means, variances = rng.normal(size=(3, 2)), rng.random((3, 2)) + 0.3
    x = rng.normal(size=(200, 2)) * 2
    peer = hmm.GaussianHMM(3, "diag")
    peer.startprob_, peer.transmat_, peer.means_, peer.covars_ = p, K, means, variances
    score, posterior = peer.score_samples(x)
    z = (x[:, None] - means) ** 2 / variances + np.log(2 * np.pi * variances)
    found = smooth(chain(p, K, 200), None, likelihoods(-0.5 * z.sum(2)))
    assert found.log_likelihood == pytest.approx(score, abs=1e-9)
    np.testing.assert_allclose(found.laws[1], posterior, atol=1e-10)


def test_a_long_chain_neither_underflows_nor_drifts():
    p, K, E = random_hmm(4)
    y = np.random.default_rng(5).integers(0, 4, 20_000)
    slow, fast = (smooth(chain(p, K, 20_000), None, evidence(E, y), backend=b) for b in (None, Loops()))
    assert slow.log_likelihood < -20_000
    assert fast.log_likelihood == pytest.approx(slow.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(fast.laws[1], slow.laws[1], atol=1e-12)
    np.testing.assert_allclose(slow.laws[1].sum(1), 1.0, atol=1e-10)
    single = smooth(chain(p, K, 20_000), None, evidence(E, y), backend=Jax("float32"))
    np.testing.assert_allclose(single.laws[1], slow.laws[1], atol=1e-4)


def test_emissions_as_a_kernel_and_missing_symbols_are_the_same():
    p, K, E = random_hmm(6)
    S, y = Finite(3), np.array([0, 3, -1, 2])
    step = copy(S) >> (transition(K) @ (copy(S) >> (identity(S) @ transition(E, name="emission"))))
    model = prior(p) >> repeat(step, 4)
    hot = np.where(y[:, None] == -1, 1.0, np.eye(4)[np.maximum(y, 0)])
    one = smooth(model, None, None, (hot, np.zeros(4)))
    two = smooth(chain(p, K, 4), None, evidence(E, y, missing=-1))
    rows = [E[:, s] if s >= 0 else np.ones(3) for s in y]
    posterior, total = enumerated(p, K, rows)
    for found in (one, two):
        assert found.log_likelihood == pytest.approx(np.log(total))
        np.testing.assert_allclose(found.laws[1], posterior, atol=1e-12)
    np.testing.assert_allclose(one.laws[2][2], posterior[2] @ E, atol=1e-12)  # the missing symbol, predicted
    np.testing.assert_allclose(one.laws[2][0], hot[0], atol=1e-12)
    assert model.names == ("prior_0.matrix", "transition_0.matrix", "emission_0.matrix")


def test_corners():
    one = smooth(chain(np.ones(1), np.ones((1, 1)), 1), None, None)
    assert one.log_likelihood == 0.0
    assert one.laws[1].tolist() == [[1.0]]
    p, K, _ = random_hmm(7)
    nothing = smooth(chain(p, K, 3), None, None)
    np.testing.assert_allclose(nothing.laws[1], [p, p @ K, p @ K @ K])
    assert nothing.log_likelihood == pytest.approx(0.0, abs=1e-12)
    absorbed = smooth(chain(np.array([1.0, 0.0]), np.eye(2), 3), None, None)  # a state that is never reached
    assert absorbed.laws[1].tolist() == [[1.0, 0.0]] * 3


# trees


def test_a_tree_of_finite_states_by_enumeration():
    rng = np.random.default_rng(8)
    p, branches = rng.dirichlet(np.ones(3)), [rng.dirichlet(np.ones(3), 3) for _ in range(6)]
    S = Finite(3)
    a, b, c, d, e, f = map(transition, branches)
    leaves = (a >> copy(S) >> (c @ d)) @ (b >> copy(S) >> (e @ f))
    tree = prior(p) >> copy(S) >> (copy(S) @ identity(S)) >> (identity(S) @ leaves)
    seen = rng.random((4, 3))
    found = smooth(tree, None, *((row, np.array(0.0)) for row in seen))
    total, marginals = 0.0, np.zeros((5, 3))
    for r, u, v, *ends in itertools.product(range(3), repeat=7):
        A, B, C, D, E, F = branches
        w = p[r] * A[r, u] * B[r, v] * C[u, ends[0]] * D[u, ends[1]] * E[v, ends[2]] * F[v, ends[3]]
        w *= np.prod([row[s] for row, s in zip(seen, ends, strict=True)])
        total += w
        for k, s in enumerate((r, *ends)):
            marginals[k, s] += w
    assert found.log_likelihood == pytest.approx(np.log(total))
    np.testing.assert_allclose(np.stack(found.laws), marginals / total, atol=1e-12)
    again = prior(p) >> copy(S) >> (identity(S) @ copy(S))
    again = again >> (identity(S) @ (a >> copy(S) >> (c @ d)) @ (b >> (copy(S) >> (e @ f))))
    np.testing.assert_allclose(
        np.stack(smooth(again, None, *((row, np.array(0.0)) for row in seen)).laws), np.stack(found.laws), atol=1e-14
    )


def test_a_tree_of_normal_variables_by_dense_conditioning():
    rng = np.random.default_rng(9)

    def affine(rows, columns):
        root = rng.normal(size=(rows, rows))
        return rng.normal(size=(rows, columns)), root @ root.T + 0.1 * np.eye(rows), rng.normal(size=rows)

    m, P = rng.normal(size=2), np.diag([1.0, 0.0])
    (A, Q, b), (B, R, d), (C, U, e) = affine(3, 2), affine(1, 3), affine(2, 2)
    G, H = Gaussian(2), Gaussian(3)
    tree = gaussian_prior(m, P) >> copy(G) >> (copy(G) @ linear_gaussian(A, Q, b))
    tree = tree >> (identity(G) @ observation(C, U, e) @ (copy(H) >> (identity(H) @ observation(B, R, d))))
    z = rng.normal(size=3)
    found = smooth(tree, None, observed(z[:2]), None, observed(z[2:]))
    # x, y = A x + b + .., observations C x + e + .. and B y + d + ..
    J = np.block([[np.eye(2), np.zeros((2, 3))], [A, np.eye(3)]])
    joint, mean = J @ np.block([[P, np.zeros((2, 3))], [np.zeros((3, 2)), Q]]) @ J.T, np.concatenate([m, A @ m + b])
    seen = np.block([[C, np.zeros((2, 3))], [np.zeros((1, 2)), B]])
    noisy = seen @ joint @ seen.T + np.block([[U, np.zeros((2, 1))], [np.zeros((1, 2)), R]])
    gap, gain = z - seen @ mean - np.concatenate([e, d]), np.linalg.solve(noisy, seen @ joint).T
    after, spread = mean + gain @ gap, joint - gain @ seen @ joint
    value = -0.5 * (gap @ np.linalg.solve(noisy, gap) + np.linalg.slogdet(2 * np.pi * noisy)[1])
    assert found.log_likelihood == pytest.approx(value, abs=1e-10)
    for law, part in ((found.laws[0], slice(0, 2)), (found.laws[2], slice(2, 5))):
        assert law[0] == pytest.approx(0.0, abs=1e-10)
        np.testing.assert_allclose(law[1], after[part], atol=1e-10)
        np.testing.assert_allclose(law[2], spread[part, part], atol=1e-10)
    assert found.laws[1] == ()


# state-space models


def state_space(y, m, P, T, Q, Z, R):
    G = Gaussian(len(m))
    step = copy(G) >> (linear_gaussian(T, Q) @ (copy(G) >> (identity(G) @ observation(Z, R))))
    model = gaussian_prior(m, P) >> repeat(step, len(y))
    return smooth(model, None, None, observed(y, missing="nan"))


def kalman(y, m, P, T, Q, Z, R):
    """statsmodels' smoother for the same matrices."""
    module = pytest.importorskip("statsmodels.tsa.statespace.kalman_smoother")
    peer = module.KalmanSmoother(k_endog=y.shape[1], k_states=len(m))
    peer["design"], peer["transition"], peer["selection"] = Z, T, np.eye(len(m))
    peer["state_cov"], peer["obs_cov"] = Q, R
    peer.bind(np.asfortranarray(y.T.copy()))
    peer.initialize_known(m, P)
    return peer.smooth()


def nile():
    return pytest.importorskip("statsmodels.api").datasets.nile.load_pandas().data["volume"].to_numpy(float)[:, None]


def with_gaps(y):
    y = y.copy()
    y[20:40] = np.nan
    return y


LEVEL = (np.zeros(1), np.eye(1) * 1e6, np.eye(1), np.eye(1) * 1469.1, np.eye(1), np.eye(1) * 15099.0)
TREND = (
    np.zeros(2),
    np.eye(2) * 1e5,
    np.array([[1.0, 1.0], [0.0, 1.0]]),
    np.diag([1469.1, 0.0]),  # singular: the slope does not move
    np.array([[1.0, 0.0]]),
    np.eye(1) * 15099.0,
)


@pytest.mark.parametrize("matrices", [LEVEL, TREND], ids=["level", "trend"])
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_the_nile_as_statsmodels(matrices, gaps):
    y = with_gaps(nile()) if gaps else nile()
    check_against_statsmodels(y, matrices)


def test_two_series_with_single_entries_missing_as_statsmodels():
    rng = np.random.default_rng(10)
    y = rng.normal(size=(60, 2)).cumsum(0)
    y[rng.random(y.shape) < 0.2] = np.nan
    y[7] = np.nan
    root = rng.normal(size=(2, 2))
    R = root @ root.T + 0.2 * np.eye(2)
    T = np.array([[0.8, 0.2], [-0.1, 0.9]])
    check_against_statsmodels(y, (np.ones(2), np.eye(2), T, 0.3 * np.eye(2), rng.normal(size=(2, 2)), R))


def check_against_statsmodels(y, matrices):
    peer, found = kalman(y, *matrices), state_space(y, *matrices)
    assert found.log_likelihood == pytest.approx(peer.llf, abs=1e-8)
    _, mean, covariance = found.laws[1]
    np.testing.assert_allclose(mean, peer.smoothed_state.T, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(covariance, peer.smoothed_state_cov.transpose(2, 0, 1), rtol=1e-8, atol=1e-7)


# guides that are not the model


def test_weights_are_those_of_enumeration_and_correct_the_average():
    p, K, E = random_hmm(11, states=2)
    y, G = np.array([0, 2, 1]), np.array([[0.5, 0.5], [0.4, 0.6]])
    rows = E[:, y].T
    posterior, total = enumerated(p, K, rows)
    model = chain(p, K, 3, G)
    found = sample(model, None, evidence(E, y), count=10_000, seed=1)
    # the guided kernels, by hand: h_t likelihood of what is seen from t on, of the guide
    h = [None, None, rows[2]]
    for t in (1, 0):
        h[t] = rows[t] * (G @ h[t + 1])
    paths = found.points[1].argmax(2)
    exact, q = {}, {}
    for s in itertools.product(range(2), repeat=3):
        exact[s] = np.prod([(K @ h[t + 1])[s[t]] / (G @ h[t + 1])[s[t]] for t in (0, 1)])
        steps = [K[s[t], s[t + 1]] * h[t + 1][s[t + 1]] / (K @ h[t + 1])[s[t]] for t in (0, 1)]
        q[s] = p[s[0]] * h[0][s[0]] / (p @ h[0]) * np.prod(steps)
    np.testing.assert_allclose(np.exp(found.log_weights), [exact[tuple(s)] for s in paths], rtol=1e-10)
    weighted = np.array([[sum(q[s] * exact[s] for s in q if s[t] == i) for i in range(2)] for t in range(3)])
    np.testing.assert_allclose(weighted / sum(q[s] * exact[s] for s in q), posterior, atol=1e-12)
    w = np.exp(found.log_weights)
    np.testing.assert_allclose((found.points[1] * w[:, None, None]).sum(0) / w.sum(), posterior, atol=0.02)
    assert found.log_likelihood == pytest.approx(np.log(total), abs=0.01)
    for s in q:
        assert np.mean((paths == s).all(1)) == pytest.approx(q[s], abs=0.015)
    measures = smooth(model, None, evidence(E, y))  # the second pass on laws: exact masses on the last variable
    assert measures.log_likelihood == pytest.approx(np.log(p @ h[0]))
    np.testing.assert_allclose(measures.laws[1][2] * (p @ h[0]), posterior[2] * total, rtol=1e-10)


def test_paths_of_the_model_itself_have_weight_one_and_the_marginals():
    p, K, E = random_hmm(12)
    y = np.array([1, 0, 3, 2])
    model, seen = chain(p, K, 4), evidence(E, y)
    found = sample(model, None, seen, count=10_000, seed=3)
    np.testing.assert_allclose(found.log_weights, 0.0, atol=1e-12)
    posterior, total = enumerated(p, K, E[:, y].T)
    np.testing.assert_allclose(found.points[1].mean(0), posterior, atol=0.025)
    assert found.log_likelihood == pytest.approx(np.log(total))
    assert np.array_equal(found.points[1], sample(model, None, seen, count=10_000, seed=3).points[1])
    assert not np.array_equal(found.points[1], sample(model, None, seen, count=10_000, seed=4).points[1])


@pytest.mark.slow
def test_weighted_paths_of_normal_variables_converge():
    G = Gaussian(1)
    T, Q = np.array([[0.9]]), np.array([[0.5]])
    guide = (np.array([[0.6]]), np.array([[0.7]]), np.array([0.1]))
    y = np.array([[1.0], [-0.5], [0.3]])

    def model(**given):
        step = copy(G) >> (linear_gaussian(T, Q, **given) @ (copy(G) >> (identity(G) @ observation([[1.0]], [[0.4]]))))
        return gaussian_prior([0.0], [[1.0]]) >> repeat(step, 3)

    exact = smooth(model(), None, None, observed(y))
    found = sample(model(guide=guide), None, None, observed(y), count=20_000, seed=2)
    w = np.exp(found.log_weights)
    assert w.std() > 0.1
    mean = (found.points[1] * w[:, None, None]).sum(0) / w.sum()
    np.testing.assert_allclose(mean, exact.laws[1][1], atol=0.04)
    assert found.log_likelihood == pytest.approx(exact.log_likelihood, abs=0.02)
    spread = ((found.points[1] - mean) ** 2 * w[:, None, None]).sum(0) / w.sum()
    np.testing.assert_allclose(spread, exact.laws[1][2][:, 0], rtol=0.08)


# the derivative of the likelihood


def test_the_gradient_counts_expected_transitions():
    p, K, E = random_hmm(13)
    y = np.array([0, 1, 3, 2, 2])
    model = chain(p, K, 5)
    whole = model.log_likelihood.diagram
    run = Jax("float64")
    back = run.compile(run(cl.reverse_derivative(whole)))
    points = (*model.initial(), *Finite(3).nothing, *evidence(E, y))
    gradient = np.asarray(back(*points, 1.0)[1])
    rows = [*E[:, y].T, np.ones(3)]
    counts = np.zeros((3, 3))
    for path in itertools.product(range(3), repeat=6):
        w = p[path[0]] * np.prod([K[a, b] for a, b in itertools.pairwise(path)])
        w *= np.prod([row[s] for row, s in zip(rows, path, strict=True)])
        for a, b in itertools.pairwise(path):
            counts[a, b] += w
    total = enumerated(p, K, rows)[1]
    np.testing.assert_allclose(gradient * K, counts / total, atol=1e-10)
    # the second derivative, by differences of the first
    direction = np.random.default_rng(0).normal(size=(3, 3))
    twice = run.compile(run(cl.forward_derivative(cl.reverse_derivative(whole))))
    zeros = [np.zeros(np.shape(part)) for part in (*points, 1.0)]
    zeros[1] = direction
    second = np.asarray(tuple_of(twice(*points, 1.0, *zeros))[1])
    moved = [np.asarray(back(points[0], K + t * direction, *points[2:], 1.0)[1]) for t in (1e-5, -1e-5)]
    np.testing.assert_allclose(second, (moved[0] - moved[1]) / 2e-5, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_gradient_of_a_state_space_model_is_jax_s():
    y = observed(np.random.default_rng(1).normal(size=(6, 1)))
    G = Gaussian(2)
    step = copy(G) >> (linear_gaussian(np.eye(2) * 0.9, np.eye(2)) @ observation([[1.0, 0.5]], [[0.3]]))
    model = gaussian_prior([0.0, 0.0], np.eye(2)) >> repeat(step, 6)
    whole = model.log_likelihood.diagram
    points = (*model.initial(), *G.nothing, *y)
    run = Jax("float64")
    ours = run.compile(run(cl.reverse_derivative(whole)))(*points, 1.0)
    theirs = run.compile(jax.grad(run(whole), tuple(range(len(points)))))(*points)
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(yours), rtol=1e-8, atol=1e-8)


def test_a_transition_matrix_is_learnt_by_the_library_s_own_learner():
    p, K, E = np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.95, 0.05], [0.05, 0.95]])
    rng = np.random.default_rng(5)
    state, seen = 0, []
    for _ in range(400):
        state = rng.choice(2, p=K[state])
        seen.append(rng.choice(2, p=E[state]))
    kernel = chain(p, np.full((2, 2), 0.5), 400)
    likelihood = kernel.log_likelihood
    logits = cl.Space((2, 2), cl.REAL)

    def known(free):
        rows = functions.softmax(free)
        return functions.constant(likelihood.parameter[0], p[None]), rows

    model = likelihood.reparametrise(cl.trace(logits, known))
    learner = cl.supervised(model, losses.unlabelled, optimisers.adam(0.1))
    inputs = tuple(part[None] for part in (*Finite(2).nothing, *evidence(E, seen)))
    step = jax.jit(Jax()(learner.step(1)))
    parts = learner.initial(0)
    fixed = [np.float32(v) for v in learner.hyperparameters.values()]
    for _ in range(60):
        parts = step(*parts, *inputs, *fixed)
    found = np.asarray(jax.nn.softmax(np.asarray(learner.parameters_at()(*parts, *fixed)), axis=-1))
    counts = smooth(chain(p, found, 400), None, evidence(E, seen)).log_likelihood
    assert counts > smooth(chain(p, np.full((2, 2), 0.5), 400), None, evidence(E, seen)).log_likelihood + 50
    np.testing.assert_allclose(found, K, atol=0.08)


# what is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: transition([[0.5, 0.6], [0.1, 0.9]]),
            "row 0 of the matrix of transition must sum to 1; it sums to 1.1",
        ),
        (
            lambda: transition([[0.5, 0.5], [0.3, 0.6]], name="k"),
            "row 1 of the matrix of k must sum to 1; it sums to 0.9",
        ),
        (lambda: transition([[1.5, -0.5]]), r"entry \(0, 1\) is -0.5"),
        (lambda: transition([[np.nan, 1.0]]), r"entry \(0, 0\) is nan"),
        (lambda: transition([0.5, 0.5]), r"must be a matrix, a row for each state; got shape \(2,\)"),
        (lambda: transition(np.eye(2), np.full((2, 3), 1 / 3)), r"the guide of transition has shape \(2, 3\)"),
        (lambda: transition(np.full((2, 2), 0.5), np.eye(2)), r"is 0 at \(0, 1\), where its matrix is 0.5"),
        (lambda: prior([[1.0]]), r"a prior is a vector of probabilities; got shape \(1, 1\)"),
        (lambda: prior([0.5, 0.4]), "row 0 of the matrix of prior must sum to 1; it sums to 0.9"),
        (lambda: Finite(0), "at least 1; got 0"),
        (lambda: Gaussian(-1), "at least 0; got -1"),
        (lambda: evidence(np.eye(2), [0, 2]), r"symbol 2 at \(1,\) is none of the 2"),
        (lambda: evidence(np.eye(2), [0.0]), "symbols are whole numbers; got dtype float64"),
        (lambda: evidence(np.eye(2), np.zeros(0, int)), "the series of symbols is empty"),
        (lambda: likelihoods([np.nan]), "are no NaN"),
        (lambda: observed([[1.0], [np.nan]]), r"the observation at \(1, 0\) is nan; if NaN means missing"),
        (lambda: observed([[np.inf]], missing="nan"), r"the observation at \(0, 0\) is inf"),
        (lambda: observed(np.zeros((0, 1))), "are not empty"),
        (lambda: observed([[1.0]], missing="drop"), "missing is 'refused' or 'nan'; got 'drop'"),
        (lambda: linear_gaussian(np.eye(2), [[1.0, 0.5], [0.0, 1.0]]), "must be symmetric; entries differ by 0.5"),
        (
            lambda: linear_gaussian(np.eye(2), np.diag([1.0, -1.0])),
            "positive semi-definite; its least eigenvalue is -1",
        ),
        (lambda: linear_gaussian(np.eye(2), np.eye(3)), r"has shape \(2, 2\); got \(3, 3\)"),
        (lambda: linear_gaussian(np.eye(2), np.eye(2), [1.0]), "has length 2, as its matrix has rows; got 1"),
        (lambda: linear_gaussian([1.0], np.eye(1)), "a matrix of finite numbers"),
        (lambda: linear_gaussian(np.eye(1), np.eye(1), guide=np.eye(1)), r"is \(A, Q\) or \(A, Q, b\); got ndarray"),
        (lambda: linear_gaussian(np.eye(1), np.eye(1), guide=(np.ones((1, 2)), np.eye(1))), r"has shape \(1, 2\)"),
        (lambda: gaussian_prior([np.nan], np.eye(1)), "a vector of finite numbers"),
        (lambda: observation(np.eye(2), np.diag([1.0, 0.0])), "must be positive definite; its least eigenvalue is 0"),
        (lambda: repeat(copy(Finite(2)), 0), "at least 1 .is the series empty..; got 0"),
        (lambda: repeat(copy(Finite(2)), True), "got True"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_kernels_that_do_not_meet():
    K = transition(np.full((2, 3), 1 / 3))
    with pytest.raises(CompositionError, match="ends in 3 states, the right one starts in 2 states"):
        K >> K
    with pytest.raises(CompositionError, match="goes from S to S x L"):
        repeat(K, 3)
    with pytest.raises(CompositionError, match="starts in 2 states: put a prior before it"):
        smooth(K, None)
    with pytest.raises(CompositionError, match="put a prior before it"):
        sample(K, None, count=2)
    with pytest.raises(TypeError):
        K >> 3
    with pytest.raises(TypeError):
        K @ 3
    with pytest.raises(CompositionError, match="is no space of one point"):
        repeat(copy(Finite(2)), 2).cod[1].at_start(())


def test_evidence_that_does_not_fit():
    model = chain(np.array([0.5, 0.5]), np.eye(2), 3)
    with pytest.raises(InputError, match="has 2 leaves; got evidence for 1"):
        smooth(model, None)
    with pytest.raises(InputError, match=r"leaf 1, 3 x \(2 states\), has shapes .*; got"):
        smooth(model, None, evidence(np.eye(2), [0, 0]))
    with pytest.raises(InputError, match=r"negative entry -1.0 at \(0, 0\)"):
        smooth(model, None, (-np.ones((3, 2)), np.zeros(3)))
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="not finite everywhere; a missing observation is a message of ones"):
            smooth(model, None, (np.full((3, 2), bad), np.zeros(3)))
    series = gaussian_prior([0.0], [[1.0]]) >> observation([[1.0]], [[1.0]])
    with pytest.raises(InputError, match="not finite everywhere; what is missing must be said"):
        smooth(series, (np.array([np.nan]), np.ones(1)))
    with pytest.raises(InputError, match="1 or 0 of each entry"):
        smooth(series, (np.array([0.0]), np.full(1, 0.5)))
    with pytest.raises(InputError, match="at least 1; got 0"):
        sample(model, None, None, count=0)


def test_zero_likelihood_names_the_first_impossible_place():
    model = chain(np.array([0.5, 0.5]), np.eye(2), 6)
    y = np.array([0, 0, 0, 1, 0, 1])
    for call in (smooth, lambda *a: sample(*a, count=3)):
        with pytest.raises(InputError, match="leaf 1, place 3 has zero likelihood given the evidence before it"):
            call(model, None, evidence(np.eye(2), y))
    with pytest.raises(InputError, match="leaf 1 has zero likelihood"):
        smooth(
            prior([0.5, 0.5]) >> copy(Finite(2)),
            (np.array([1.0, 0.0]), np.array(0.0)),
            (np.array([0.0, 1.0]), np.array(0.0)),
        )


def test_paths_that_leave_the_model_have_no_weight():
    model = chain(np.array([0.5, 0.5]), np.eye(2), 3, np.full((2, 2), 0.5))
    nothing = np.ones((2, 2))
    found = sample(model, None, (np.vstack([nothing, [[0.0, 1.0]]]), np.zeros(3)), count=2_000)
    alive = np.isfinite(found.log_weights)
    assert found.points[1][alive][:, 0, 1].all()
    assert found.log_likelihood == pytest.approx(np.log(0.5), abs=0.05)
    with pytest.raises(InputError, match="none of the 2000 paths that the guide leads along is possible"):
        sample(model, None, evidence(np.eye(2), [0, 0, 1]), count=2_000)


# what smoothing brought to the core


def test_inverse_and_determinant_at_their_edges():  # their derivatives are in test_generators
    x = np.random.default_rng(0).normal(size=(2, 3, 3))
    x[1, 0] *= -1.0  # of two matrices, one has a negative determinant
    space, run = cl.Space(x.shape, cl.REAL), Jax("float64")
    np.testing.assert_allclose(run(cl.trace(space, inverse))(x), np.linalg.inv(x), atol=1e-12)
    sign, size = np.linalg.slogdet(x)
    np.testing.assert_allclose(run(cl.trace(space, log_determinant))(x), np.where(sign < 0, np.nan, size), atol=1e-12)
    assert (sign < 0).any()
    for wrong in (cl.Space((2, 3), cl.REAL), cl.Space((2, 2), cl.Z2), cl.Space(2, cl.REAL)):
        for make in (inverse, log_determinant):
            with pytest.raises(OperationError, match="square matrices over REAL"):
                cl.trace(wrong, make)


def test_a_constant_without_entries_has_its_shape():
    empty = cl.Space((0, 0), cl.REAL)
    assert Jax()(cl.trace((), lambda: functions.constant(empty, np.zeros((0, 0)))))().shape == (0, 0)


def test_optics_have_identities_and_symmetries():
    x, y = cl.Space(2, cl.REAL), cl.Space((), cl.Z2)
    one, two = Sides((x,), (y,)), Sides((y, x), ())
    assert Optic.identity(one).lens() == cl.Lens.identity(one)
    assert Optic.swap(one, two).lens() == cl.Lens.swap(one, two)
    assert (Optic.swap(one, two) >> Optic.swap(two, one)).lens() == cl.Lens.identity(one + two)
    assert Optic.identity(x).forward == unit(x)


def test_the_symmetry_exchanges_leaves():
    p, K, E = random_hmm(14)
    S, T = Finite(3), Finite(4)
    both = prior(p) >> copy(S) >> (transition(K) @ transition(E))
    a, b = (np.array([0.2, 0.5, 0.3]), np.array(0.0)), (np.array([0.1, 0.4, 0.3, 0.9]), np.array(-1.0))
    one, two = smooth(both, a, b), smooth(both >> swap(S, T), b, a)
    assert one.log_likelihood == pytest.approx(two.log_likelihood)
    np.testing.assert_allclose(one.laws[0], two.laws[1])
    assert sample(both >> swap(S, T), b, a, count=4).points[0].shape == (4, 4)
    assert str(both) == "kernel 1 states -> 3 states x 4 states"
    assert Observed(2).laws == ()


def test_a_copy_of_a_whole_chain_meets_place_by_place():
    p, K, E = random_hmm(16)
    S, y = Finite(3), np.array([0, 1, 3])
    model = chain(p, K, 3)
    both = model >> (identity(S) @ copy(model.cod[1]))
    found = smooth(both, None, evidence(E, y), evidence(E, y[::-1]))
    rows = E[:, y].T * E[:, y[::-1]].T
    posterior, total = enumerated(p, K, rows)
    assert found.log_likelihood == pytest.approx(np.log(total))
    for law in found.laws[1:]:
        np.testing.assert_allclose(law, posterior, atol=1e-12)
    drawn = sample(both, None, evidence(E, y), evidence(E, y[::-1]), count=5)
    assert np.array_equal(drawn.points[1], drawn.points[2])
    np.testing.assert_allclose(drawn.log_weights, 0.0, atol=1e-12)
    level = repeat(copy(Gaussian(1)) >> (linear_gaussian([[1.0]], [[0.5]]) @ identity(Gaussian(1))), 2)
    pair = gaussian_prior([0.0], [[1.0]]) >> level >> (identity(Gaussian(1)) @ copy(level.cod[1]))
    one = (np.zeros(2), np.ones((2, 1)), np.ones((2, 1, 1)))
    twice = smooth(pair, None, one, one)
    np.testing.assert_allclose(twice.log_likelihood, smooth(pair, None, None, [2 * x for x in one]).log_likelihood)


def test_chains_of_chains():
    p, K, E = random_hmm(15)
    S, y = Finite(3), np.array([[0, 1, 2], [3, 0, 1]])
    inner = repeat(copy(S) >> (transition(K) @ identity(S)), 3)
    found = smooth(prior(p) >> repeat(inner, 2), None, evidence(E, y))
    flat = smooth(chain(p, K, 6), None, evidence(E, y.ravel()))
    np.testing.assert_allclose(found.laws[1].reshape(6, 3), flat.laws[1], atol=1e-14)
    assert sample(prior(p) >> repeat(inner, 2), None, None, count=5).points[1].shape == (5, 2, 3, 3)


# loops on the host


def loop_bodies():
    v, m, number = cl.Space(3, cl.REAL), cl.Space((3, 3), cl.REAL), cl.Space((), cl.REAL)
    f = functions
    yield scan(cl.trace((m, v, number, v), lambda w, s, c, x: (f.tanh(w @ s + x), c + f.sum(x), s * c)), 5, 1, 2)
    yield scan(cl.trace((v, v, v), lambda a, b, x: (b, a, f.exp(-x) / (1.0 + f.square(a)), x)), 4, 0, 2, backward=True)
    yield scan(cl.trace((m, m), lambda s, x: (s @ x, f.transpose(s), f.einsum("ij->j", x))), 3, 0, 1)
    yield scan(cl.trace((number, number), lambda s, x: (f.maximum(s, x), f.relu(-x) + f.sigmoid(s), 2.5 * x)), 4, 0, 1)
    yield scan(cl.trace((v, v), lambda s, x: (s, f.constant(v, [1.0, 2.0, 3.0]) * x - s, f.step(x) * f.sign(s))), 4)


@pytest.mark.parametrize("body", list(loop_bodies()), ids=range(5))
def test_loops_are_the_scans(body):
    rng = np.random.default_rng(0)
    points = [rng.normal(size=space.shape) for space in body.dom]
    ours, theirs = (tuple_of(run(body)(*points)) for run in (Loops(), Jax("float64")))
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, yours, rtol=1e-12, atol=1e-12)
    single = tuple_of(Loops("float32")(body)(*points))
    assert {np.asarray(value).dtype for value in single} == {np.dtype(np.float32)}


def test_what_has_no_loop_runs_as_jax_runs_it():
    v = cl.Space(3, cl.REAL)
    body = scan(cl.trace((v, v), lambda s, x: (functions.softmax(s + x), s)), 3)
    points = (np.ones(3), np.arange(9.0).reshape(3, 3))
    for run in (Loops()(body), Loops().compile(Loops()(body))):
        np.testing.assert_allclose(run(*points)[1], Jax("float64")(body)(*points)[1])
    plain = scan(cl.trace((v, v), lambda s, x: (s + x, s)), 3)
    with jax.enable_x64(True):  # traced, there are no values to loop over
        np.testing.assert_allclose(jax.jit(Loops()(plain))(*points)[1], Jax("float64")(plain)(*points)[1])
    start = np.ones(3)
    Loops()(plain)(start, points[1])
    assert start.tolist() == [1.0] * 3
    assert repr(Loops()) == "Loops('float64')"


def test_loops_without_numba_say_what_to_install(monkeypatch):
    monkeypatch.setattr(loops, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="the functor Loops needs numba"):
        Loops()
    assert importlib.util.find_spec("numba")
