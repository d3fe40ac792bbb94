"""Input coding: bits against their definition entry by entry, levels against counts, and mistakes."""

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest

from catlearn.coding import Columns, OneHot, Thermometer, fit_coding, threshold
from catlearn.errors import DataError, InputError


def bits_of(rows, levels):
    """The definition, an entry at a time, in Python numbers."""
    coded = []
    for row in rows.tolist():
        own = levels if isinstance(levels[0], list) else [levels] * len(row)
        coded.append([int(x > level) for x, several in zip(row, own, strict=True) for level in several])
    return coded


DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8, np.uint64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
def test_a_bit_is_whether_the_entry_is_above_the_level(dtype, seed):
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 100, size=(30, 4)).astype(dtype)
    shared = [-7.5, 0.0, 12.0, 12.25, 99.0, 3e5]
    own = np.sort(generator.choice(np.arange(-20, 140) / 2, size=(4, 5), replace=False), axis=1).tolist()
    for levels in (shared, own):
        bits = Thermometer(levels).encode(rows)
        assert bits.dtype == np.uint8
        assert bits.tolist() == bits_of(rows, levels)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_integers_at_the_ends_of_their_range(dtype):
    least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    rows = np.array([[least, least + 1, greatest - 1, greatest]], dtype)
    levels = [-1e30, least - 1.0 if least > -100 or dtype == np.int8 else -1e20, 0.5, 1e30]
    levels = sorted({*levels})
    assert Thermometer(levels).encode(rows).tolist() == bits_of(rows, levels)


def test_levels_are_rounded_to_single_precision_where_the_rows_are():
    pixels = np.arange(256)
    rows = (pixels.astype(np.float32) / np.float32(255))[:, None]
    bits = threshold(pixels / 255).encode(np.repeat(rows, 256, axis=1))
    np.testing.assert_array_equal(bits, pixels[:, None] > pixels)
    assert Thermometer([0, 1e300]).encode(np.float32([[3.0]])).tolist() == [[1, 0]]


def test_bits_of_images_lie_along_the_channels():
    images = np.random.default_rng(0).integers(0, 256, size=(5, 3, 4, 2)).astype(np.uint8)
    levels = [32, 96, 160]
    bits = Thermometer(levels).encode(images)
    assert bits.shape == (5, 3, 4, 6)
    for channel in range(2):
        for number, level in enumerate(levels):
            np.testing.assert_array_equal(bits[..., 3 * channel + number], images[..., channel] > level)
    np.testing.assert_array_equal(bits.reshape(5, -1), Thermometer(levels).encode(images.reshape(5, -1)))
    own = np.sort(np.random.default_rng(1).random((3, 4, 2, 2)) * 255, axis=-1)
    each = Thermometer(own).encode(images)
    np.testing.assert_array_equal(each.reshape(5, 3, 4, 2, 2), images[..., None] > own)
    np.testing.assert_array_equal(each.reshape(5, -1), Thermometer(own.reshape(24, 2)).encode(images.reshape(5, 24)))


def test_many_rows_are_coded_in_blocks(monkeypatch):
    monkeypatch.setattr("catlearn.coding._BLOCK", 50)
    rows = np.random.default_rng(0).random((123, 7))
    assert Thermometer([0.25, 0.5]).encode(rows).tolist() == bits_of(rows, [0.25, 0.5])
    rows[100, 3] = np.nan
    with pytest.raises(DataError, match="row 100, feature 3 is nan"):
        Thermometer([0.25, 0.5]).encode(rows)


def test_no_rows_lists_and_truth_values():
    assert Thermometer([1, 2]).encode(np.empty((0, 3))).shape == (0, 6)
    assert Thermometer([[1, 2], [3, 4]]).encode(np.empty((0, 2), int)).shape == (0, 4)
    assert OneHot(((1, 2), (3,))).encode(np.empty((0, 2))).shape == (0, 3)
    assert Columns(2, ((1, threshold(0)),)).encode(np.empty((0, 2))).shape == (0, 1)
    assert threshold(0).encode([[True, False]]).tolist() == [[1, 0]]
    assert Thermometer([1.5]).encode(np.empty((4, 0))).shape == (4, 0)


@pytest.mark.parametrize("shape", [(40, 5), (40, 2, 3, 1)])
def test_quantiles_leave_equal_shares_between_levels(shape):
    rows = np.random.default_rng(0).permuted(np.arange(math.prod(shape)).reshape(shape), axis=0)
    coding = Thermometer.fit(rows, levels=3)
    above = coding.encode(rows).reshape(40, -1, 3).sum(axis=0)
    np.testing.assert_array_equal(above, np.broadcast_to([30, 20, 10], above.shape))
    shared = Thermometer.fit(rows, levels=1, shared=True)
    assert shared.levels == ((rows.size - 1) / 2,)
    assert shared.encode(rows).sum() == rows.size // 2


def test_uniform_levels_cut_the_range_into_equal_parts():
    rows = np.array([[-2.0, 5.0], [6.0, 5.5], [0.0, 5.5]])
    assert Thermometer.fit(rows, 3, "uniform") == Thermometer([[0, 2, 4], [5.125, 5.25, 5.375]])
    assert Thermometer.fit(rows, 1, by="uniform", shared=True) == Thermometer([2])


def test_codings_are_data():
    codings = [
        Thermometer(np.array([[1, 2], [3, 4]])),
        threshold([1, 3]),
        OneHot([[1, 2], [3]], unknown="zeros"),
        fit_coding(np.random.default_rng(0).random((20, 3))),
    ]
    for coding in codings:
        again = pickle.loads(pickle.dumps(coding))
        assert again == coding
        assert hash(again) == hash(coding)
        assert eval(repr(coding)) == coding
    assert len(set(codings)) == 4
    assert threshold([1, 3]) == Thermometer([[1], [3]])
    assert threshold(2) == Thermometer([2]) != Thermometer([3])


def test_names():
    assert Thermometer([[0.5, 1.5], [1, 1e6]]).names() == ("x0 > 0.5", "x0 > 1.5", "x1 > 1", "x1 > 1e+06")
    assert threshold(3).names(["length", "width"]) == ("length > 3", "width > 3")
    assert OneHot(((1, 2), (0.5,))).names() == ("x0 = 1", "x0 = 2", "x1 = 0.5")
    coding = Columns(3, ((0, threshold(1)), (2, OneHot(((4, 5),)))))
    assert coding.names() == ("x0 > 1", "x2 = 4", "x2 = 5")
    assert coding.names("abc") == ("a > 1", "c = 4", "c = 5")
    assert coding.dropped == (1,)
    with pytest.raises(InputError, match="this coding has 3 features; got 2 names"):
        coding.names(["a", "b"])
    with pytest.raises(InputError, match="levels that hold for all entries do not say how many there are"):
        threshold(3).names()


def test_one_hot_has_one_bit_a_column():
    rows = np.random.default_rng(0).integers(-1, 3, size=(50, 3))
    coding = OneHot.fit(rows)
    assert coding.categories == ((-1, 0, 1, 2),) * 3
    bits = coding.encode(rows).reshape(50, 3, 4)
    np.testing.assert_array_equal(bits.sum(axis=2), 1)
    np.testing.assert_array_equal(np.argmax(bits, axis=2) - 1, rows)
    assert OneHot(((3, 1),)).encode([[1.0], [3.0]]).tolist() == [[0, 1], [1, 0]]


def test_what_is_no_category():
    with pytest.raises(DataError, match="row 1, column 0 is 7, and the categories are 1, 2: mend it, or take"):
        OneHot(((1, 2),)).encode([[1], [7]])
    assert OneHot(((1, 2),), unknown="zeros").encode([[1], [7]]).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
@pytest.mark.parametrize("levels", [1, 2, 5])
def test_automatic_coding_tells_few_values_apart_and_every_bit_varies(seed, dtype, levels):
    generator = np.random.default_rng(seed)
    rows = np.stack([generator.integers(0, n, size=60) * 3 for n in (1, 2, 3, 6, 80)], axis=1).astype(dtype)
    coding = fit_coding(rows, levels)
    assert coding.dropped == (0,)
    bits = coding.encode(rows)
    assert (bits.min(axis=0) == 0).all()
    assert (bits.max(axis=0) == 1).all()
    for column, part in coding.parts:
        values = sorted({*rows[:, column].tolist()})
        midpoints = [(a + b) / 2 for a, b in pairwise(values)]
        assert set(part.levels) <= set(midpoints)
        assert len(part.levels) <= levels
        if len(midpoints) <= levels:
            assert list(part.levels) == midpoints


def test_automatic_levels_are_the_cuts_nearest_to_equal_shares():
    column = np.repeat([0.0, 1.0, 2.0, 3.0, 10.0], [70, 4, 4, 12, 10])
    # Below the midpoints 0.5, 1.5, 2.5 and 6.5 lie 70, 74, 78 and 90 of 100 rows.
    assert fit_coding(column[:, None], 3).parts[0][1] == Thermometer([0.5, 1.5])
    assert fit_coding(column[:, None], 1).parts[0][1] == Thermometer([0.5])
    assert fit_coding(-column[:, None], 3).parts[0][1] == Thermometer([-1.5, -0.5])
    wide = np.random.default_rng(0).permutation(1000)[:, None]
    assert fit_coding(wide, 3).parts[0][1] == Thermometer([249.5, 499.5, 749.5])


def test_neighbouring_numbers_and_great_ones_are_told_apart():
    for dtype in (np.float32, np.float64):
        one = dtype(1)
        rows = np.array([[one, -np.finfo(dtype).max], [np.nextafter(one, dtype(2)), np.finfo(dtype).max]])
        assert fit_coding(rows).encode(rows).tolist() == [[0, 0], [1, 1]]
        odd = np.nextafter(one, dtype(2))  # what lies midway to its neighbour is rounded up, to even
        rows = np.array([[odd, np.finfo(dtype).max / 2], [np.nextafter(odd, dtype(2)), np.finfo(dtype).max]])
        coding = fit_coding(rows)
        assert coding.encode(rows).tolist() == [[0, 0], [1, 1]]
        assert coding.parts[1][1].levels[0] == pytest.approx(0.75 * float(np.finfo(dtype).max))
    rows = np.array([[0], [2**64 - 1]], np.uint64)
    assert fit_coding(rows).encode(rows).tolist() == [[0], [1]]


def test_nominal_columns_are_one_hot():
    rows = np.array([[5, 1.5], [2, 2.5], [9, 1.5]])
    coding = fit_coding(rows, nominal=[0])
    assert coding.names() == ("x0 = 2", "x0 = 5", "x0 = 9", "x1 > 2")
    assert coding.encode(rows).tolist() == [[0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]]
    assert coding.encode([[3, 3]]).tolist() == [[0, 0, 0, 1]]
    for wrong in (2, -1, True, "0"):
        with pytest.raises(InputError, match="nominal columns are 0 to 1; got"):
            fit_coding(rows, nominal=[wrong])


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([1, 1], r"levels must increase strictly; got 1.0 and then 1.0"),
        ([[1, 2, 3], [1, 3, 2]], r"levels must increase strictly \(feature 1\); got 3.0 and then 2.0"),
        (np.zeros((2, 2, 2)), r"levels must increase strictly \(entry \(0, 0\)\); got 0.0 and then 0.0"),
        ([], r"levels have shape \(L,\) or \(\*row shape, L\), L at least 1; got shape \(0,\)"),
        (3, r"got shape \(\)"),
        ([1, np.nan], r"levels must be finite; got nan"),
        ([1, np.inf], r"levels must be finite; got inf"),
        (["1", "2"], r"levels must be numbers, all rows of one length; got \['1', '2'\]"),
        ([[1, 2], [3]], r"levels must be numbers, all rows of one length"),
        (None, r"levels must be numbers"),
    ],
)
def test_wrong_levels(levels, message):
    with pytest.raises(InputError, match=message):
        Thermometer(levels)


CODINGS = [Thermometer([[1], [2]]), OneHot(((1, 2), (1, 2))), Columns(2, ((0, threshold(1)),)), threshold(1)]


@pytest.mark.parametrize("coding", CODINGS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, math.nan]], "row 0, feature 1 is nan: mend or drop such rows first"),
        ([[1.0, 1.0], [-math.inf, 1.0]], "row 1, feature 0 is -inf"),
        ([["a", "b"]], "rows must be numbers; got dtype <U1: turn words into numbers first"),
        ([[1, None]], "rows must be numbers; got dtype object"),
        ([[1, 2], [3]], "rows must be numbers, all rows alike"),
        ([[1j, 2j]], "rows must be numbers; got dtype complex128"),
        ([1.0, 2.0], r"got shape \(2,\)"),
        (3.0, r"got shape \(\)"),
    ],
)
def test_wrong_rows(coding, rows, message):
    with pytest.raises(DataError, match=message):
        coding.encode(rows)


@pytest.mark.parametrize("coding", CODINGS[:3], ids=lambda c: type(c).__name__)
def test_the_number_of_columns_is_remembered(coding):
    with pytest.raises(DataError, match=r"shape \(rows, 2\).*; got shape \(4, 3\)"):
        coding.encode(np.ones((4, 3)))


FITS = [Thermometer.fit, OneHot.fit, fit_coding]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.empty((0, 3)), r"a coding is fitted on rows of shape \(rows, ...\), not empty; got shape \(0, 3\)"),
        (np.empty((3, 0)), r"not empty; got shape \(3, 0\)"),
        ([], r"not empty; got shape \(0,\)"),
        ([1, 2], r"got shape \(2,\)"),
        ([[1, math.nan], [2, 3]], "row 0, feature 1 is nan"),
        ([[1, 2], [2, math.inf]], "row 1, feature 1 is inf"),
        ([["a"], ["b"]], "rows must be numbers; got dtype <U1"),
    ],
)
def test_wrong_training_rows(fit, rows, message):
    with pytest.raises(DataError, match=message):
        fit(rows)


def test_what_cannot_be_fitted():
    with pytest.raises(DataError, match="feature 1 does not vary and has no levels: leave it out, or take fit_coding"):
        Thermometer.fit([[1, 5], [2, 5]], 1)
    with pytest.raises(DataError, match=r"entry \(0, 1, 0\) does not vary"):
        Thermometer.fit(np.arange(4).reshape(2, 1, 2, 1) * [[1], [0]], 1, "uniform")
    with pytest.raises(DataError, match="the whole of the rows does not vary"):
        Thermometer.fit(np.ones((3, 2)), shared=True)
    with pytest.raises(DataError, match="feature 0 has too few different values for 3 levels by quantile: take fewer"):
        Thermometer.fit([[0], [0], [0], [0], [1]])
    with pytest.raises(DataError, match="no column of the table varies, so there is nothing to learn from"):
        fit_coding(np.ones((4, 2)))
    with pytest.raises(InputError, match="levels are fitted by 'quantile' or 'uniform'; got 'mean'"):
        Thermometer.fit([[1], [2]], 1, "mean")
    for fit in (Thermometer.fit, fit_coding):
        for levels in (0, 2.0, True, None):
            with pytest.raises(InputError, match="the number of levels is an integer of at least 1; got"):
                fit([[1], [2]], levels)
    for fit in (OneHot.fit, fit_coding):
        with pytest.raises(DataError, match=r"a table of shape \(rows, columns\) is needed; got shape \(2, 2, 1\)"):
            fit(np.arange(4).reshape(2, 2, 1))


def test_wrong_categories_and_parts():
    with pytest.raises(InputError, match=r"the categories of column 1 must be different numbers.* got \[1.0, 1.0\]"):
        OneHot(((1, 2), (1, 1)))
    with pytest.raises(
        InputError, match=r"the categories of column 0 must be different numbers, at least one; got \[\]"
    ):
        OneHot(((),))
    with pytest.raises(InputError, match="needs the categories of at least one column; got none"):
        OneHot(())
    with pytest.raises(InputError, match="categories must be numbers"):
        OneHot((("red", "blue"),))
    with pytest.raises(InputError, match=r"categories are, for each column, its values; got \(1, 2\)"):
        OneHot((1, 2))
    with pytest.raises(InputError, match="unknown is 'error' or 'zeros'; got 'drop'"):
        OneHot(((1,),), "drop")
    for numbers in ((), (1, 0), (0, 0), (2,), (-1,)):
        with pytest.raises(InputError, match="parts are columns 0 to 1, at least one, in order and each once"):
            Columns(2, tuple((number, threshold(1)) for number in numbers))
