"""Data sets: Iris, its splits, and labels as bits."""

import numpy as np
import pytest

from catlearn import datasets
from catlearn.datasets import Data
from catlearn.errors import DataError


def test_the_table_is_the_uci_files():
    features, labels, names = datasets.iris_table()
    assert features.shape == (150, 4)
    assert np.bincount(labels).tolist() == [50, 50, 50]
    assert names == ("setosa", "versicolor", "virginica")
    assert features[34].tolist() == features[37].tolist() == [4.9, 3.1, 1.5, 0.1]
    theirs = pytest.importorskip("sklearn.datasets").load_iris()
    rest = np.setdiff1d(np.arange(150), [34, 37])
    np.testing.assert_array_equal(features[rest], theirs.data[rest])
    np.testing.assert_array_equal(labels, theirs.target)


def test_the_split_is_stratified_and_loses_no_row():
    data = datasets.iris(split_seed=4)
    assert data.train_inputs.shape == (100, 4)
    assert data.test_inputs.shape == (50, 4)
    assert sorted(data.train_targets.sum(axis=0).tolist()) == [33, 33, 34]
    both = np.concatenate([data.train_inputs, data.test_inputs])
    table = datasets.iris_table()[0]
    assert sorted(map(tuple, both)) == sorted(map(tuple, table))
    np.testing.assert_array_equal(data.train_inputs, datasets.iris(split_seed=4).train_inputs)
    assert not np.array_equal(data.train_inputs, datasets.iris(split_seed=5).train_inputs)


def test_targets_belong_to_their_rows():
    features, labels, _ = datasets.iris_table()
    known = {}
    for row, label in zip(features, labels, strict=True):
        known.setdefault(tuple(row), set()).add(int(label))
    data = datasets.iris()
    for inputs, targets in ((data.train_inputs, data.train_targets), (data.test_inputs, data.test_targets)):
        for row, target in zip(inputs, targets, strict=True):
            assert int(np.argmax(target)) in known[tuple(row)]


def test_binarised_cuts_strictly_above_the_middle_of_the_rows_in_use():
    x, y = np.array([[0.0, 10.0], [1.0, 30.0]]), np.array([[1, 0], [0, 1]])
    test = np.array([[0.5, 20.0], [0.51, 20.1], [2.0, 0.0]])
    bits = Data(x, y, test, y[[0, 1, 0]]).binarised()
    assert bits.train_inputs.tolist() == [[0, 0], [0, 1]]
    assert bits.test_inputs.tolist() == [[0, 1], [0, 1], [1, 0]]
    assert bits.train_inputs.dtype == np.uint8


@pytest.mark.parametrize(("classes", "width"), [(2, 1), (3, 2), (4, 2), (5, 3)])
def test_labels(classes, width):
    numbers = np.arange(classes)
    binary = datasets.binary_labels(numbers, classes)
    assert binary.shape == (classes, width)
    assert (binary @ (2 ** np.arange(width))).tolist() == numbers.tolist()
    np.testing.assert_array_equal(datasets.one_hot_labels(numbers, classes), np.eye(classes))


def test_iris_sorted_is_the_published_order():
    features, labels, _ = datasets.iris_table()
    data = datasets.iris_sorted(3)
    order = [*range(25), *range(50, 75), *range(100, 125)]
    np.testing.assert_array_equal(data.train_inputs, features[order])
    np.testing.assert_array_equal(np.argmax(data.train_targets, axis=1), labels[order])
    assert len(data.test_inputs) == 75
    assert datasets.iris_sorted(2).train_targets.shape == (50, 2)


def test_mistakes():
    data = datasets.iris()
    with pytest.raises(DataError, match="labels are 'one-hot' or 'binary'; got 'bits'"):
        data.binarised(labels="bits")
    with pytest.raises(DataError, match="the label 3 is out of range: with 3 classes, labels are 0 to 2"):
        datasets.one_hot_labels(np.array([0, 3]), 3)
    with pytest.raises(DataError, match="one row of integers; got dtype float64"):
        datasets.binary_labels(np.array([0.0]), 3)
    constant = Data(np.ones((3, 2)), np.eye(3), np.ones((1, 2)), np.eye(3)[:1])
    with pytest.raises(DataError, match="feature 0 does not vary"):
        constant.binarised()
    with pytest.raises(DataError, match="take the first 2 or 3; got 4"):
        datasets.iris_sorted(4)
