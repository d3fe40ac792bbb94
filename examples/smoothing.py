"""Smoothing three things with one rule: a river's level, whether it is high or low, and ancestors of mammals.

Run `python examples/smoothing.py` (`--folder FOLDER` says where the picture goes). It prints what it found beside
statsmodels, hmmlearn and an enumeration of all states, and writes smoothing.png.

Above, the flow of the Nile at Aswan from 1871 to 1970, twice. First as a level that wanders, seen with noise: a chain
of linear Gaussian kernels, whose laws give the level with a band of 90 %. Then as a switch between a high and a low
regime: a chain of two-by-two matrices; it finds the year 1899, when the flow fell for good. Below, a tree: which
ancestors of ten mammals lived in water? The leaves are seen, a branch of t million years is the kernel of a switch
that changes at a small rate, and where branches part the kernel is a copy. No chain can say that; it is the same code.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

from catlearn.systems.smoothing import (
    Finite,
    Gaussian,
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
    smooth,
    transition,
)

parser = argparse.ArgumentParser(description="A river and a tree, smoothed.")
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

NILE = np.fromstring(
    """
    1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150
    1250 1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100 832
    764 821 768 845 864 862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801
    1040 860 874 848 890 744 749 838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740
    """,
    sep=" ",
)
YEARS = np.arange(1871, 1971)

# The level wanders: x -> x + noise, y = x + noise. Variances by maximum likelihood (Durbin and Koopman).
WANDER, NOISE, START = 1469.1, 15099.0, 1e6
line = Gaussian(1)
step = copy(line) >> (
    linear_gaussian([[1.0]], [[WANDER]]) @ (copy(line) >> (identity(line) @ observation([[1.0]], [[NOISE]])))
)
level = gaussian_prior([0.0], [[START]]) >> repeat(step, len(NILE))
smoothed_level = smooth(level, None, None, observed(NILE[:, None]))

# Two regimes, each with its mean, that rarely change.
MEANS, DEVIATION, STAY = np.array([1100.0, 850.0]), 125.0, 0.98
STARTING, CHANGE = np.array([0.5, 0.5]), np.array([[STAY, 1 - STAY], [1 - STAY, STAY]])
regime = Finite(2)
switch = prior(STARTING) >> repeat(copy(regime) >> (transition(CHANGE) @ identity(regime)), len(NILE))
logs = -0.5 * ((NILE[:, None] - MEANS) / DEVIATION) ** 2 - np.log(DEVIATION * np.sqrt(2 * np.pi))
smoothed_switch = smooth(switch, None, likelihoods(logs))

# A tree, its dates rough: (length of the branch in millions of years, name or the two parts).
# 1 at a leaf says that it lives in water.
TREE = (0, [
    (5, [
        (12, [
            (8, [
                (39, [(35, "blue whale"), (35, "dolphin")]),
                (74, "hippopotamus"),
            ]),
            (82, "cow"),
        ]),
        (20, [(74, "horse"), (29, [(45, "dog"), (45, "seal")])]),
    ]),
    (10, [(89, "human"), (19, [(70, "mouse"), (70, "beaver")])]),
])  # fmt: skip
WATER = {"blue whale", "dolphin", "seal", "hippopotamus", "beaver"}
LOSS, GAIN = 0.004, 0.004  # changes in a million years


def branch(years):
    """The kernel of a switch that changes at those rates for so long: the exponential of its rates."""
    left = np.exp(-(GAIN + LOSS) * years)
    high = GAIN / (GAIN + LOSS)
    up, down = high * (1 - left), (1 - high) * (1 - left)
    return np.array([[1 - up, up], [down, 1 - down]])


def kernel(parts):
    """Below a node: one leaf that says what it is, then its descendants; and the names of all leaves."""
    if isinstance(parts, str):
        return identity(Finite(2)), [parts]
    (t1, one), (t2, two) = parts
    (first, names), (second, others) = kernel(one), kernel(two)
    both = transition(branch(t1)) >> first, transition(branch(t2)) >> second
    whole = copy(Finite(2)) >> (identity(Finite(2)) @ (copy(Finite(2)) >> (both[0] @ both[1])))
    return whole, [None, *names, *others]


below, names = kernel(TREE[1])
tree = prior([0.5, 0.5]) >> below
seen = [None if name is None else evidence(np.eye(2), int(name in WATER)) for name in names]
smoothed_tree = smooth(tree, *seen)


def enumerated():
    """The same by summing over all states of all nodes."""
    edges = []

    def visit(parts, number):
        after = number + 1
        if not isinstance(parts, str):
            for years, part in parts:
                edges.append((number, after, branch(years)))
                after = visit(part, after)
        return after

    count = visit(TREE[1], 0)
    free = [k for k, name in enumerate(names) if name is None]
    total, marginals = 0.0, np.zeros((count, 2))
    for states in itertools.product((0, 1), repeat=len(free)):
        full = [int(name in WATER) if name else -1 for name in names]
        for k, state in zip(free, states, strict=True):
            full[k] = state
        weight = 0.5 * np.prod([matrix[full[a], full[b]] for a, b, matrix in edges])
        total += weight
        marginals[np.arange(count), full] += weight
    return np.log(total), marginals / total


def compare():
    value, marginals = enumerated()
    ours = np.stack(smoothed_tree.laws)
    print(
        f"tree, {len(names)} nodes: log-likelihood {smoothed_tree.log_likelihood:.6f}, from enumeration "
        f"{abs(value - smoothed_tree.log_likelihood):.1e}; marginals {np.abs(ours - marginals).max():.1e}"
    )
    try:
        from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother

        peer = KalmanSmoother(k_endog=1, k_states=1)
        for name in ("design", "transition", "selection"):
            peer[name] = np.eye(1)
        peer["state_cov"], peer["obs_cov"] = np.eye(1) * WANDER, np.eye(1) * NOISE
        peer.bind(NILE[:, None].copy())
        peer.initialize_known(np.zeros(1), np.eye(1) * START)
        found = peer.smooth()
        mean, variance = (
            np.abs(ours - theirs).max()
            for ours, theirs in (
                (smoothed_level.laws[1][1][:, 0], found.smoothed_state[0]),
                (smoothed_level.laws[1][2][:, 0, 0], found.smoothed_state_cov[0, 0]),
            )
        )
        print(
            f"level: log-likelihood {smoothed_level.log_likelihood:.6f}, from statsmodels "
            f"{abs(found.llf - smoothed_level.log_likelihood):.1e}; mean {mean:.1e}, variance {variance:.1e}"
        )
    except ImportError:
        print(f"level: log-likelihood {smoothed_level.log_likelihood:.6f}; statsmodels is not installed to compare")
    try:
        from hmmlearn.hmm import GaussianHMM

        peer = GaussianHMM(2, "diag")
        peer.startprob_, peer.transmat_ = STARTING, CHANGE
        peer.means_, peer.covars_ = MEANS[:, None], np.full((2, 1), DEVIATION**2)
        score, posterior = peer.score_samples(NILE[:, None])
        print(
            f"regimes: log-likelihood {smoothed_switch.log_likelihood:.6f}, from hmmlearn "
            f"{abs(score - smoothed_switch.log_likelihood):.1e}; "
            f"posterior {np.abs(smoothed_switch.laws[1] - posterior).max():.1e}"
        )
    except ImportError:
        print(f"regimes: log-likelihood {smoothed_switch.log_likelihood:.6f}; hmmlearn is not installed to compare")


def draw(path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9), layout="constrained")
    axes = figure.subplot_mosaic([["level", "regimes"], ["tree", "tree"]], height_ratios=[1, 1.15])
    mean, deviation = smoothed_level.laws[1][1][:, 0], np.sqrt(smoothed_level.laws[1][2][:, 0, 0])
    axes["level"].fill_between(YEARS, mean - 1.645 * deviation, mean + 1.645 * deviation, color="C0", alpha=0.25)
    axes["level"].plot(YEARS, mean, color="C0", label="level, with a band of 90 %")
    high = smoothed_switch.laws[1][:, 0]
    flow = MEANS[1] + (MEANS[0] - MEANS[1]) * high
    axes["regimes"].plot(YEARS, flow, color="C3", label="mean of the regimes, by probability")
    for name in ("level", "regimes"):
        axes[name].plot(YEARS, NILE, ".", color="0.4", markersize=4)
        axes[name].set(xlabel="year", ylabel="flow, 10⁸ m³", ylim=(400, 1450))
        axes[name].legend(loc="upper right")
    axes["level"].set_title("The Nile: a level that wanders")
    axes["regimes"].set_title("The Nile: a high and a low regime")
    plot_tree(axes["tree"])
    figure.savefig(path, dpi=100)


def plot_tree(plane):
    """The tree from left to right; the bluer a node, the more probable that it lived in water."""
    height = itertools.count()
    number = itertools.count()
    water = [law[1] for law in smoothed_tree.laws]

    def visit(parts, x):
        k = next(number)
        if isinstance(parts, str):
            y = -next(height)
            plane.text(x + 1.2, y, parts, va="center")
        else:
            places = [(x + years, visit(part, x + years)) for years, part in parts]
            y = float(np.mean([place[1] for place in places]))
            for there, level in places:
                plane.plot([x, x, there], [y, level, level], color="0.6", zorder=1)
        look = {"cmap": "YlGnBu", "vmin": 0.0, "vmax": 1.0, "edgecolors": "0.2", "zorder": 2}
        plane.scatter([x], [y], s=170, c=[water[k]], **look)
        if not isinstance(parts, str):
            plane.annotate(f"{water[k]:.2f}", (x, y), (-4, 10), textcoords="offset points", ha="right", fontsize=9)
        return y

    visit(TREE[1], 0)
    plane.set(
        title="Which ancestors lived in water? (probability at each; leaves are seen)",
        xlabel="millions of years from the common ancestor",
        xlim=(-6, 114),
        yticks=[],
    )


compare()
fell = int(YEARS[np.argmax(smoothed_switch.laws[1][:, 0] < 0.5)])
print(
    f"the low regime begins in {fell}; the level then falls from {smoothed_level.laws[1][1][20, 0]:.0f} (1891) to "
    f"{smoothed_level.laws[1][1][40, 0]:.0f} (1911)"
)
root, whales = smoothed_tree.laws[0][1], smoothed_tree.laws[names.index("blue whale") - 1][1]
print(f"lived in water: the common ancestor {root:.2f}, the ancestor of whale and dolphin {whales:.2f}")
draw(settings.folder / "smoothing.png")
print("wrote smoothing.png")
