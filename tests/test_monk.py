"""The MONK's problems: the files as they are, the rules that made their labels, and files that are wrong."""

import os
import pathlib

import numpy as np
import pytest

from catlearn import datasets
from catlearn.errors import DataError

HEADER = [
    "@relation ' '",
    "",
    "@attribute class {0,1}",
    *(f"@attribute a{k} {{{values}}}" for k, values in enumerate(("1,2,3", "1,2,3", "1,2", "1,2,3", "1,2,3,4", "1,2"))),
    "",
    "@data",
]
ROWS = ["1,1,1,1,1,3,1", "0,3,2,2,1,4,2"]


def write(folder, lines=(*HEADER, *ROWS), part="train", number=1):
    folder.mkdir(exist_ok=True)
    for name in ("train", "test"):
        text = "\n".join(lines if name == part else (*HEADER, *ROWS)) + "\n"
        (folder / f"m{number}.{name}").write_text(text)


@pytest.mark.parametrize("subfolder", ["", "monk"])
def test_a_small_file_by_hand(tmp_path, subfolder):
    write(tmp_path / subfolder, number=2)
    data = datasets.monk(2, tmp_path)
    assert data.train_inputs.tolist() == [
        [1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0],
        [0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1],
    ]
    assert data.train_targets.tolist() == data.test_targets.tolist() == [1, 0]
    assert (data.train_inputs.dtype, data.train_targets.dtype) == (np.uint8, np.int32)
    plain = datasets.monk(2, str(tmp_path), bits=False)
    assert plain.test_inputs.tolist() == [[1, 1, 1, 1, 3, 1], [3, 2, 2, 1, 4, 2]]
    assert plain.test_inputs.dtype == np.uint8


def test_comments_spaces_and_large_letters_are_no_matter(tmp_path):
    lines = ["% a comment", *(line.replace("@attribute", "@ATTRIBUTE") for line in HEADER[:-1])]
    lines = [line.replace("{1,2,3}", "{ 1, 2, 3 }") for line in lines]
    write(tmp_path, [*lines, "@DATA", "% another", " 1, 1,1,1,1,3,1 ", "", ROWS[1]])
    assert datasets.monk(1, tmp_path).train_targets.tolist() == [1, 0]


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    write(tmp_path / "monk", number=3)
    monkeypatch.setenv("CATLEARN_DATA", str(tmp_path))
    assert datasets.monk(3).rows == 2
    for number in (1, 3):
        with pytest.raises(DataError, match=r"data_dir must be a folder, and .*other is none: give --data-dir"):
            datasets.monk(number, tmp_path / "other")
    monkeypatch.delenv("CATLEARN_DATA")
    with pytest.raises(DataError, match="monk needs data_dir, or the environment variable CATLEARN_DATA"):
        datasets.monk(3)


@pytest.mark.parametrize("number", [0, 4, True, "1", None])
def test_other_problems(number, tmp_path):
    with pytest.raises(DataError, match="the MONK's problems are 1, 2 and 3; got "):
        datasets.monk(number, tmp_path)


def test_missing_files(tmp_path):
    write(tmp_path)
    (tmp_path / "m1.test").unlink()
    with pytest.raises(DataError, match=r"m1.train and m1.test must lie in one folder, .* neither has both"):
        datasets.monk(1, tmp_path)
    with pytest.raises(DataError, match=r"m2.train and m2.test must lie in one folder"):
        datasets.monk(2, tmp_path)
    with pytest.raises(DataError, match=r"data_dir is a folder's path, a str or a Path, or None; got 3.5"):
        datasets.monk(1, 3.5)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines[:12], "1,1,1,1,1,3"], r"line 13: a row has 7 values, the class first; got 6: 1,1,1"),
        (lambda lines: [*lines, "1,1,1,3,1,3,1"], r"line 14: value 3 \(from 0\) is one of 1, 2; got '3'"),
        (lambda lines: [*lines, "2,1,1,1,1,3,1"], r"line 14: value 0 \(from 0\) is one of 0, 1; got '2'"),
        (lambda lines: [*lines, "1,1,?,1,1,3,1"], r"line 14: value 2 \(from 0\) is one of 1, 2, 3; got '\?'"),
        (lambda lines: lines[:11], r"has no rows: an ARFF file has them after a line @data"),
        (lambda lines: [], r"has no rows"),
        (lambda lines: lines[:3] + lines[4:], r"line 5: declaration 3 is @attribute name \{1,2,3\}; got .*a2 \{1,2\}"),
        (lambda lines: lines[:8] + lines[9:], r"line 10: declaration 7 is @attribute name \{1,2\}; got @data"),
        (lambda lines: lines[:9] + lines[8:], r"line 10: declaration 8 is @data; got @attribute a5 \{1,2\}"),
        (lambda lines: ["hello", *lines], r"line 1: declaration 1 is @attribute name \{0,1\}; got hello"),
    ],
)
def test_wrong_lines(tmp_path, part, change, message):
    write(tmp_path, change([*HEADER, *ROWS]), part)
    with pytest.raises(DataError, match=rf"m1.{part}.*{message}"):
        datasets.monk(1, tmp_path)


def test_files_that_cannot_be_read(tmp_path):
    write(tmp_path)
    (tmp_path / "m1.train").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"m1.train must be an ARFF file, which is plain text; got: "):
        datasets.monk(1, tmp_path)


REAL = pathlib.Path(os.environ.get("CATLEARN_DATA") or "/nowhere")


@pytest.mark.skipif(not (REAL / "monk").is_dir(), reason="the environment variable CATLEARN_DATA names no such folder")
@pytest.mark.parametrize(
    ("number", "rows", "wrong", "rule"),
    [
        (1, 124, 0, lambda a: (a[:, 0] == a[:, 1]) | (a[:, 4] == 1)),
        (2, 169, 0, lambda a: (a == 1).sum(axis=1) == 2),
        (3, 122, 6, lambda a: ((a[:, 4] == 3) & (a[:, 3] == 1)) | ((a[:, 4] != 4) & (a[:, 1] != 3))),
    ],
)
def test_the_real_files_obey_their_rules(number, rows, wrong, rule):
    data = datasets.monk(number, REAL, bits=False)
    assert (data.rows, len(data.test_inputs)) == (rows, 432)
    assert len(np.unique(data.test_inputs, axis=0)) == 432
    np.testing.assert_array_equal(data.test_targets, rule(data.test_inputs))
    assert (data.train_targets != rule(data.train_inputs)).sum() == wrong
    bits = datasets.monk(number, REAL)
    first = np.concatenate(
        [np.eye(n, dtype=int)[data.train_inputs[:, k] - 1] for k, n in enumerate((3, 3, 2, 3, 4, 2))], 1
    )
    np.testing.assert_array_equal(bits.train_inputs, first)
