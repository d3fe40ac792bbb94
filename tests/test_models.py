"""The model files, by the command line at small sizes: what they print, the pictures that they write, bad texts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

MODELS = Path(__file__).resolve().parents[1] / "models"
# Small sizes, the file's own picture, and what it prints besides the lines of every run.
DATA = os.environ.get("CATLEARN_DATA", "")
NEEDS_DATA = {"monk": "the environment variable CATLEARN_DATA names no folder with the MONK's problems"}
TINY = {
    "iris": (["--epochs", "2"], None, []),
    "iris_circuit": ([], None, [r"steps           75", r"test accuracy   73\.3 %"]),
    "mod_circuit": ([], None, [r"test accuracy   100\.0 %"]),
    "digits_circuit": (["--epochs", "4", "--set=TABLES=500"], None, [r"test accuracy   [89]\d\.\d %"]),
    "mnist_circuit": (["--epochs", "1", "--set=TABLES=200"], None, []),
    "adder": ([], None, [r"0 of 65536 sums .* are wrong", r"test accuracy   100\.0 %"]),
    "monk": (["--epochs", "100", "--data-dir", str(DATA)], None, [r"test accuracy   ([6-9]\d|100)\.\d %"]),
    "mnist_conv": (["--epochs", "1", "--batch-size", "479"], "mnist_conv.png", []),
    "char_transformer": (
        ["--epochs", "1", *(f"--set={text}" for text in ("LENGTH=16", "WIDTH=8", "HEADS=2", "BLOCKS=1", "STEPS=4"))]
        + [f"--set={text}" for text in ("BATCH=4", "TEST_WINDOWS=20", "WRITTEN=10")],
        "char_transformer.png",
        [rf"bits per held-out character, {name}: \d\.\d\d" for name in ("single characters", "pairs", "transformer")],
    ),
    "char_recurrent": (
        ["--epochs", "1", *(f"--set={text}" for text in ("LENGTH=16", "WIDTH=8", "HIDDEN=16", "STEPS=4"))]
        + [f"--set={text}" for text in ("BATCH=4", "TEST_WINDOWS=20", "WRITTEN=10")],
        "char_recurrent.png",
        [
            rf"bits per held-out character, {name}: \d\.\d\d"
            for name in ("single characters", "pairs", "gru, windows of 16", "gru, its state kept")
        ],
    ),
    "state_machine": (
        ["--epochs", "4", "--set=MACHINE=threes", "--set=COPIES=8"],
        "state_machine.png",
        [
            r"training words all right in the best of 8 copies: 100\.0 %",
            r"proved: right on all words, of every length \(threes\)",
        ],
    ),
    "learn_digits": (
        ["--epochs", "1", "--set=HIDDEN=8"],
        "learn_digits.png",
        [r"images asked for that are then read as what they were asked for: \d+ %"],
    ),
    "cyclegan_digits": (
        ["--epochs", "1", "--set=CHANNELS=2", "--set=CRITIC_CHANNELS=2", "--set=SHOWN=4"],
        "cyclegan_digits.png",
        [
            r"thicken: distance to the truth \d\.\d{3}, before 0\.207",
            r"thin: distance to the truth \d\.\d{3}",
            r"thicken ; thin: distance to the start \d\.\d{3}",
            r"thin: the nearest neighbours of \d+\.\d% of what",
        ],
    ),
    "feedback_alignment": (
        ["--epochs", "2", "--set=HIDDEN=8"],
        "feedback_alignment.png",
        [r"angle to the gradient, layer 3: 0 degrees before, 0 after"],
    ),
    "wgan_digits": (
        ["--epochs", "2", "--set=HIDDEN=8", "--set=MADE=70"],
        "wgan_digits.png",
        [r"real digits with .*: \d+\.\d%", r"made digits with .*: \d+\.\d%", r"classes made, .*: \d+\.\d of 10"],
    ),
}


def run(name, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(MODELS.parent)}
    environment.pop("CATLEARN_DATA", None)
    return subprocess.run(
        [sys.executable, "-m", "catlearn.cli", "train", str(MODELS / f"{name}.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
        timeout=200,
    )


def looked_at(path):
    """The picture's colours, of which a blank one has a single one."""
    picture = imread(path)
    assert picture.shape[0] > 100
    assert picture.shape[1] > 100
    return np.unique(picture.reshape(-1, picture.shape[2]), axis=0)


def test_every_model_file_is_run_here():
    assert {path.stem for path in MODELS.glob("*.py")} == set(TINY)


@pytest.mark.parametrize("name", TINY)
def test_a_model_runs_prints_its_numbers_and_draws(name, tmp_path):
    if name in NEEDS_DATA and not Path(DATA, name).is_dir():
        pytest.skip(NEEDS_DATA[name])
    arguments, picture, printed = TINY[name]
    result = run(name, tmp_path, *arguments, "--plot", "plot.png")
    assert result.returncode == 0, result.stderr
    for line in (*printed, r"parameters      \d+", r"test accuracy   (\d+\.\d %|none)"):
        assert re.search(f"^{line}", result.stdout, re.MULTILINE), (line, result.stdout)
    pictures = {"plot.png"} | ({picture} if picture else set())
    assert {path.name for path in tmp_path.iterdir()} == pictures
    for path in pictures:
        assert len(looked_at(tmp_path / path)) > 20, path
    assert not picture or f"wrote {picture}\n" in result.stdout


SHORT = ("--epochs=0", "--set=LENGTH=8", "--set=WIDTH=8", "--set=BLOCKS=1", "--set=WRITTEN=5")


def failure(folder, *arguments):
    """What a run of the transformer says that fails, in one line."""
    result = run("char_transformer", folder, *SHORT, *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_text_that_is_not_there(tmp_path):
    assert "there is no file nowhere.txt: put a text there, or name another by --set TEXT=FILE" in failure(
        tmp_path, "--set=TEXT=nowhere.txt"
    )


def test_a_folder_without_texts(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty has no file *.txt: put a text there" in failure(tmp_path, "--data-dir", "empty")


def test_a_text_shorter_than_two_windows(tmp_path):
    (tmp_path / "short.txt").write_text("x" * 17)
    assert "the text needs 18 characters and has 17: give more, or --set LENGTH" in failure(
        tmp_path, "--set=TEXT=short.txt"
    )
    (tmp_path / "empty.txt").write_text("")
    assert "has 0: give more" in failure(tmp_path, "--set=TEXT=empty.txt")


def test_the_shortest_text_and_any_symbol(tmp_path):
    (tmp_path / "one.txt").write_bytes("a$\tß€ \\\n$".encode())
    (tmp_path / "two.txt").write_bytes(b"\xff\x00b_^{} c\r")
    result = run("char_transformer", tmp_path, *SHORT, "--data-dir", ".")
    assert result.returncode == 0, result.stderr
    assert "bits per held-out character, transformer: " in result.stdout
    assert len(looked_at(tmp_path / "char_transformer.png")) > 20
