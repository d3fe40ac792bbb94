"""Smoothing a hidden Markov model beside hmmlearn: length 100,000, 8 states, 16 symbols, posteriors and likelihood.

The ratio is the time of ours over that of hmmlearn's faster implementation ("scaling", in C++), in turn in one process
on one thread, from the symbols to the posteriors; the median [least, greatest]. Ours is the same diagram run three
ways: by Loops (numba), by XLA step by step, and by XLA in single precision. The posteriors must agree to 1e-8.

Run with `python benchmarks/smoothing.py`; needs hmmlearn and numba.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from catlearn.functors.jax import Jax
from catlearn.functors.loops import Loops
from catlearn.systems.smoothing import Finite, copy, evidence, identity, prior, repeat, smooth, transition


def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="how often each side is timed")
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--states", type=int, default=8)
    settings = parser.parse_args()
    try:
        from hmmlearn import hmm
    except ImportError:
        sys.exit("this compares with hmmlearn: pip install hmmlearn")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for both
    rng, n = np.random.default_rng(0), settings.states
    p, K, E = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n), n), rng.dirichlet(np.ones(16), n)
    y = rng.integers(0, 16, settings.length)
    peer = hmm.CategoricalHMM(n, implementation="scaling")
    peer.startprob_, peer.transmat_, peer.emissionprob_, peer.n_features = p, K, E, 16
    S = Finite(n)
    model = prior(p) >> repeat(copy(S) >> (transition(K) @ identity(S)), len(y))
    backends = {"Loops": Loops(), "XLA": Jax("float64"), "XLA, float32": Jax("float32")}

    def theirs() -> tuple[float, np.ndarray]:
        return peer.score_samples(y[:, None])

    def ours(backend: Any) -> Any:
        return smooth(model, None, evidence(E, y), backend=backend)

    score, posterior = theirs()
    for name, backend in backends.items():
        first = timed(lambda b=backend: ours(b))
        found = ours(backend)
        worst = float(np.abs(found.laws[1] - posterior).max())
        print(
            f"{name:<14} first call {first:5.1f} s, posteriors within {worst:.1e}, "
            f"likelihood within {abs(found.log_likelihood / score - 1):.1e}",
            flush=True,
        )
        if name != "XLA, float32" and worst > 1e-8:
            sys.exit("the posteriors differ")
    times = {name: [] for name in backends} | {"hmmlearn": []}
    for _ in range(settings.repeats):
        for name, backend in backends.items():
            times[name].append(timed(lambda b=backend: ours(b)))
        times["hmmlearn"].append(timed(theirs))
    print(f"hmmlearn: {1e3 * np.median(times['hmmlearn']):.1f} ms [{1e3 * min(times['hmmlearn']):.1f}]")
    for name in backends:
        ratios = np.array(times[name]) / times["hmmlearn"]
        print(
            f"{name:<14} {1e3 * np.median(times[name]):6.1f} ms   ours : hmmlearn   "
            f"{np.median(ratios):.2f} [{ratios.min():.2f}, {ratios.max():.2f}]"
        )


if __name__ == "__main__":
    main()
