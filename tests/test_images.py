"""Images: IDX files of every type and with every fault, MNIST from files made by hand, and the embedded digits."""

import builtins
import gzip
import os
import pathlib
import random
import re
import struct
import sys
import tempfile
import tracemalloc
import types
import urllib.error
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catlearn import images
from catlearn.datasets import Data
from catlearn.errors import DataError

# The letters that `struct` has for the type codes, and NumPy's names.
LETTERS = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}
NAMES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def idx(code, shape, values):
    """An IDX file, entry by entry."""
    header = bytes([0, 0, code, len(shape)]) + b"".join(struct.pack(">I", size) for size in shape)
    return header + b"".join(struct.pack(">" + LETTERS[code], value) for value in values)


def byte_idx(array):
    """The same for an array of bytes, at once."""
    return idx(0x08, array.shape, []) + array.astype(np.uint8).tobytes()


@pytest.fixture
def put(tmp_path):
    def write(content, name="table"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def message_of(path):
    with pytest.raises(DataError) as caught:
        images.read_idx(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


VALUES = {
    0x08: [0, 1, 127, 128, 254, 255],
    0x09: [-128, -1, 0, 1, 126, 127],
    0x0B: [-32768, -2, 0, 1, 258, 32767],
    0x0C: [-(2**31), -2, 0, 1, 16909060, 2**31 - 1],
    0x0D: [-1.5, 0.0, 0.25, 1.0, 2.0**100, float("inf")],
    0x0E: [-1.5, 0.1, 1 / 3, 1.0, 2.0**1000, float("-inf")],
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("code", VALUES, ids=NAMES.get)
def test_every_type(put, code, packed):
    content = idx(code, (2, 3), VALUES[code])
    array = images.read_idx(put(gzip.compress(content) if packed else content))
    assert array.dtype == np.dtype(NAMES[code])
    assert array.dtype.isnative
    assert array.shape == (2, 3)
    assert array.tolist() == [VALUES[code][:3], VALUES[code][3:]]
    array[0, 0] = 1
    assert array[0, 0] == 1


def test_gzip_is_known_by_its_content_and_not_by_its_name(put):
    content = idx(0x0B, (2,), [258, -2])
    for name in ("a.gz", "a", "a.bin"):
        for written in (content, gzip.compress(content)):
            path = put(written, name)
            assert images.read_idx(path).tolist() == images.read_idx(str(path)).tolist() == [258, -2]


def test_a_gzip_of_several_members_is_one_file(put):
    content = idx(0x08, (3,), [7, 8, 9])
    assert images.read_idx(put(gzip.compress(content[:9]) + gzip.compress(content[9:]))).tolist() == [7, 8, 9]


def test_more_than_one_piece_is_read(put):
    array = np.arange(3_000_001) % 251
    np.testing.assert_array_equal(images.read_idx(put(gzip.compress(byte_idx(array), 1))), array)


@given(
    code=st.sampled_from(sorted(LETTERS)),
    shape=st.lists(st.integers(0, 4), max_size=5),
    packed=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_round_trip(code, shape, packed, seed):
    count = int(np.prod(shape, dtype=int))
    draw = random.Random(seed)
    raw = [draw.randbytes(struct.calcsize(LETTERS[code])) for _ in range(count)]
    # NaN is left out, since it equals nothing.
    values = [v if v == v else 0 for v in (struct.unpack(">" + LETTERS[code], entry)[0] for entry in raw)]
    content = idx(code, shape, values)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "table")
        path.write_bytes(gzip.compress(content) if packed else content)
        array = images.read_idx(path)
    assert array.shape == tuple(shape)
    assert array.dtype == np.dtype(NAMES[code])
    assert array.flatten().tolist() == values


@given(
    start=st.sampled_from(
        [b"", b"\0\0\x08\x01\0\0\0", b"\0\0\x0d\x02", b"\x1f\x8b", gzip.compress(b"\0\0\x08\x01\0\0\0", mtime=0)]
    ),
    rest=st.binary(max_size=40),
)
def test_any_content_gives_an_array_or_a_data_error(start, rest):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "table")
        path.write_bytes(start + rest)
        try:
            array = images.read_idx(path)
        except DataError:
            return
    content = start + rest if start[:1] != b"\x1f" else gzip.decompress(start + rest)
    assert len(content) == 4 + 4 * array.ndim + array.nbytes


def test_no_such_file(tmp_path, put):
    assert "there is no file" in message_of(tmp_path / "absent")
    assert "check the path" in message_of(put(b"") / "below-a-file")


def test_a_directory(tmp_path):
    assert "is a directory, where an IDX file is needed: name one of the files in it" in message_of(tmp_path)


@pytest.mark.parametrize("path", [7, None, b"bytes", "a\0b"])
def test_not_a_path(path):
    with pytest.raises(DataError, match="an IDX file is named by its path"):
        images.read_idx(path)


def test_a_file_that_cannot_be_read(put, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    path = put(idx(0x08, (1,), [1]))
    monkeypatch.setattr(builtins, "open", refuse)
    assert "that can be read; got: Permission denied" in message_of(path)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_an_empty_file(put, content):
    assert "is empty, where an IDX file begins with 4 bytes" in message_of(put(content))


@pytest.mark.parametrize(
    ("content", "head"),
    [
        (b"1,2,3\n", "31 2c 32 2c"),
        (b"\x89PNG\r\n\x1a\n\0\0", "89 50 4e 47"),
        (b"x", "78"),
        (b"\0\x01\x08\x01\0\0\0\0", "00 01 08 01"),
        (b"\0\0\x0a\x01\0\0\0\0", "00 00 0a 01"),
        (bytes(40), "00 00 00 00"),
        (struct.pack("<I", 0x0803) + bytes(12), "03 08 00 00"),
        (gzip.compress(b"text"), "74 65 78 74"),
    ],
    ids=["text", "PNG", "one byte", "second byte", "type 0a", "zeros", "little-endian", "text in gzip"],
)
def test_not_an_idx_file(put, content, head):
    message = message_of(put(content))
    assert "is not an IDX file: one begins with the bytes 00 00, a type code of 08, 09, 0b, 0c, 0d, 0e" in message
    assert f"got {head};" in message
    assert "give an IDX file, plain or gzip" in message


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_truncated(put, packed):
    whole = idx(0x0C, (2, 3), range(6))
    assert len(whole) == 36
    for length in range(2, 36):
        cut = gzip.compress(whole[:length]) if packed else whole[:length]
        message = message_of(put(cut))
        needed = "its header alone needs 4" if length < 4 else "its header alone needs 12" if length < 12 else ", 36"
        assert "is truncated: " in message
        assert f"{needed} bytes" in message
        assert f"and there are {length}; get the file again" in message
        assert ("(unpacked)" in message) == packed
    assert "shape (2, 3) and dtype int32" in message


def test_too_long(put):
    content = idx(0x0B, (2,), [1, 2])
    message = message_of(put(content + b"abc"))
    assert "is too long: by its header, of shape (2,) and dtype int16, 12 bytes are needed and there are 15;" in message
    message = message_of(put(gzip.compress(content + b"abc")))
    assert (
        "is too long: by its header, of shape (2,) and dtype int16, 12 bytes are needed and there are more;" in message
    )


def test_a_broken_gzip(put):
    packed = gzip.compress(idx(0x08, (200,), random.Random(0).randbytes(200)))
    broken = bytearray(packed)
    broken[-6] ^= 1  # the checksum
    garbled = packed[:10] + b"\xff" * 30
    for content in (packed[:-30], packed[:-1], packed[:2], bytes(broken), garbled, packed + b"after"):
        message = message_of(put(content))
        assert "begins as a gzip file, and a whole one is needed; got: " in message
        assert "get the file again" in message


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("sizes", [(2**32 - 1, 2**32 - 1, 2**32 - 1), (2**31,), (60_000, 784_000)])
def test_a_corrupt_header_allocates_nothing(put, sizes, packed):
    content = idx(0x0E, sizes, [1.0, 2.0])
    path = put(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        message = message_of(path)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()
    needed = 4 + 4 * len(sizes) + 8 * int(np.prod(np.array(sizes, dtype=object)))
    assert f"{needed} bytes are needed and there are {len(content)};" in message


def test_a_gzip_is_unpacked_no_further_than_one_byte_after_the_array(put):
    path = put(gzip.compress(idx(0x08, (2,), [1, 2]) + bytes(50_000_000), 1))
    tracemalloc.start()
    try:
        assert "there are more" in message_of(path)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [(1,) * 65, (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_a_shape_that_numpy_cannot_hold(put, shape):
    content = idx(0x08, shape, [1] if 0 not in shape else [])
    assert "needs a shape that NumPy can hold" in message_of(put(content))


# MNIST from files made by hand: row k has its number in its first three pixels, and the label k % 10.


def rows(count, part):
    pixels = np.zeros((count, 28, 28), np.uint8)
    numbers = np.arange(count)
    pixels[:, 0, 0], pixels[:, 0, 1], pixels[:, 0, 2] = numbers // 256, numbers % 256, part
    pixels[:, 27, 27] = 255
    return pixels, (numbers % 10).astype(np.uint8)


def numbers_and_part(inputs):
    pixels = np.rint(inputs[:, 0, :3, 0].astype(np.float64) * 255).astype(int)
    return pixels[:, 0] * 256 + pixels[:, 1], set(pixels[:, 2].tolist())


def write_mnist(folder, train=30, test=12, spelling=lambda name: name):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = [*rows(train, 1), *rows(test, 2)]
    for name, array in zip(FILES, arrays, strict=True):
        content = byte_idx(array)
        path = folder / spelling(name)
        path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return folder


@pytest.mark.parametrize("subfolder", ["", "mnist"])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_mnist_finds_every_spelling(tmp_path, subfolder, ending, separator):
    write_mnist(tmp_path / subfolder, spelling=lambda name: name.replace("-idx", separator + "idx") + ending)
    data = images.mnist(str(tmp_path), subset="all")
    assert isinstance(data, Data)
    for inputs, targets, count, part in (
        (data.train_inputs, data.train_targets, 30, 1),
        (data.test_inputs, data.test_targets, 12, 2),
    ):
        assert (inputs.shape, inputs.dtype) == ((count, 28, 28, 1), np.float32)
        assert (targets.shape, targets.dtype) == ((count,), np.int32)
        pixels, labels = rows(count, part)
        for row in range(count):
            for place in ((0, 0), (0, 1), (0, 2), (13, 13), (27, 27)):
                assert inputs[(row, *place, 0)] == np.float32(int(pixels[(row, *place)]) / 255)
        assert inputs.max() == 1
        assert inputs.min() == 0
        assert targets.tolist() == labels.tolist()


def test_mnist_takes_all_files_from_one_folder(tmp_path):
    write_mnist(tmp_path / "mnist", train=20)
    for name in FILES[:3]:
        (tmp_path / name).write_bytes(b"another data set")
    assert images.mnist(tmp_path, subset="all").rows == 20


def test_mnist_passes_over_folders_named_like_the_files(tmp_path):
    write_mnist(tmp_path, train=20, spelling=lambda name: name.replace("-idx", ".idx"))
    for name in FILES:
        (tmp_path / name).mkdir()
    assert images.mnist(tmp_path, subset="all").rows == 20


def test_the_subset_is_fixed_disjoint_and_from_the_test_file_alone(tmp_path):
    write_mnist(tmp_path, test=12_000)
    (tmp_path / FILES[0]).write_bytes(b"not to be read")
    (tmp_path / FILES[1]).write_bytes(b"not to be read")
    data = images.mnist(tmp_path)
    assert data.train_inputs.shape == (8000, 28, 28, 1)
    assert data.test_inputs.shape == (2000, 28, 28, 1)
    assert data.train_inputs.dtype == data.test_inputs.dtype == np.float32
    assert data.train_targets.dtype == data.test_targets.dtype == np.int32
    train, train_part = numbers_and_part(data.train_inputs)
    test, test_part = numbers_and_part(data.test_inputs)
    assert train_part == test_part == {2}
    assert len({*train.tolist(), *test.tolist()}) == 10_000
    assert data.train_targets.tolist() == (train % 10).tolist()
    assert data.test_targets.tolist() == (test % 10).tolist()
    # A random choice from all of the file: each quarter gives about its share, and in no order.
    for chosen, least in ((train, 1800), (test, 400)):
        assert min(np.bincount(chosen // 3000, minlength=4)) > least
        assert 0.4 < np.mean(np.diff(chosen) > 0) < 0.6
    again = numbers_and_part(images.mnist(tmp_path, split_seed=0).train_inputs)[0]
    other = numbers_and_part(images.mnist(tmp_path, split_seed=1).train_inputs)[0]
    assert train.tolist() == again.tolist()
    assert set(train.tolist()) != set(other.tolist())


def test_too_few_rows_for_the_subset(tmp_path):
    write_mnist(tmp_path, test=9_999)
    with pytest.raises(DataError, match=f"cuts 10000 rows to test; {re.escape(str(tmp_path))} has 9999: take 'all'"):
        images.mnist(tmp_path)


@pytest.mark.parametrize("subset", ["all", "8k/2k"])
@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path, name, subset):
    write_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / name).unlink()
    with pytest.raises(DataError) as caught:
        images.mnist(tmp_path, subset=subset)
    message = str(caught.value)
    assert f"{tmp_path / 'mnist'} lacks {name} (sought in {tmp_path} and {tmp_path / 'mnist'}," in message
    assert not any(other in message for other in FILES if other != name)


def test_a_folder_with_none_of_the_files(tmp_path):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path} lacks {', '.join(FILES)} (sought in ")):
        images.mnist(tmp_path)


def test_no_folder(tmp_path):
    for place in (tmp_path / "absent", write_mnist(tmp_path) / FILES[0]):
        with pytest.raises(
            DataError, match=re.escape(f"data_dir must be a folder, and {place} is none: give --data-dir")
        ):
            images.mnist(place)
    with pytest.raises(DataError, match="data_dir is a folder's path, a str or a Path, or None; got 7"):
        images.mnist(7)


def both(first, second, tail):
    return f"^{re.escape(str(first))} and {re.escape(str(second))} must hold {re.escape(tail)}"


@pytest.mark.parametrize("part", [0, 2], ids=["train", "test"])
def test_images_and_labels_that_do_not_belong_together(tmp_path, part):
    write_mnist(tmp_path)
    names = tmp_path / FILES[part], tmp_path / FILES[part + 1]
    pixels, labels = rows(20, 1)

    def faulty(new_pixels, new_labels, tail):
        names[0].write_bytes(new_pixels)
        names[1].write_bytes(new_labels)
        with pytest.raises(DataError, match=both(*names, tail)):
            images.mnist(tmp_path, subset="all")

    good, good_labels = byte_idx(pixels), byte_idx(labels)
    faulty(good, byte_idx(labels[:19]), "as many images as labels; got 20 and 19: take both from one place")
    shapes = "n images of 28x28 bytes and n labels; got shapes "
    faulty(byte_idx(pixels[:, :27]), good_labels, f"{shapes}(20, 27, 28) and (20,), dtypes uint8 and uint8")
    faulty(good_labels, good, f"{shapes}(20,) and (20, 28, 28), dtypes uint8 and uint8")
    faulty(good, byte_idx(labels[:, None]), f"{shapes}(20, 28, 28) and (20, 1)")
    faulty(good, idx(0x0D, (20,), labels), f"{shapes}(20, 28, 28) and (20,), dtypes uint8 and float32")
    faulty(idx(0x09, (20, 28, 28), [1] * 15680), good_labels, f"{shapes}(20, 28, 28) and (20,), dtypes int8 and uint8")
    range_ = "images with labels from 0 to 9; got the label "
    wrong = labels.copy()
    wrong[[7, 9]] = 10, 11
    faulty(good, byte_idx(wrong), f"{range_}10 in row 7 (from 0)")
    faulty(good, idx(0x09, (20,), [0] * 19 + [-1]), f"{range_}-1 in row 19 (from 0)")


def test_a_faulty_idx_file_is_named(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / FILES[1]).write_bytes(b"text")
    with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path / FILES[1]))} is not an IDX file"):
        images.mnist(tmp_path, subset="all")


@pytest.mark.parametrize("seed", [-1, 1.0, True, "0", None])
def test_bad_seeds(seed):
    for load in (images.mnist, images.digits):
        with pytest.raises(DataError, match=re.escape(f"split_seed must be an integer of at least 0; got {seed!r}")):
            load(split_seed=seed)


@pytest.mark.parametrize("subset", ["8k", "", None, ["all"]])
def test_bad_subsets(subset):
    with pytest.raises(DataError, match=re.escape(f"subset is '8k/2k' or 'all'; got {subset!r}")):
        images.mnist(subset=subset)


# Without a folder, through scikit-learn, of which the tests ask nothing from outside.


@pytest.fixture
def fetch_gives(monkeypatch):
    remote = pytest.importorskip("sklearn.datasets")

    def install(give):
        asked = []

        def fetch_openml(*arguments, **named):
            asked.append((arguments, named))
            return give()

        monkeypatch.setattr(remote, "fetch_openml", fetch_openml)
        return asked

    return install


def fetched_rows(dtype=np.float64):
    pixels = np.zeros((70_000, 784), np.uint8)
    numbers = np.arange(70_000)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = numbers // 65_536, numbers // 256 % 256, numbers % 256
    return types.SimpleNamespace(
        data=pixels.astype(dtype), target=np.array([str(k // 7 % 10) for k in numbers], dtype=object)
    )


def fetched_numbers(inputs):
    pixels = np.rint(inputs[:, 0, :3, 0].astype(np.float64) * 255).astype(int)
    return pixels @ np.array([65_536, 256, 1])


def test_mnist_without_a_folder_is_fetched(fetch_gives):
    asked = fetch_gives(lambda: fetched_rows(np.uint8))
    data = images.mnist()
    assert asked == [(("mnist_784",), {"version": 1, "as_frame": False, "parser": "liac-arff"})]
    train, test = fetched_numbers(data.train_inputs), fetched_numbers(data.test_inputs)
    assert len({*train.tolist(), *test.tolist()}) == 10_000
    assert 60_000 <= min(*train, *test) < max(*train, *test) < 70_000
    assert data.train_targets.tolist() == (train // 7 % 10).tolist()
    assert data.test_targets.tolist() == (test // 7 % 10).tolist()
    assert data.train_inputs.shape == (8000, 28, 28, 1)


def test_the_first_60000_of_what_is_fetched_are_to_train(fetch_gives):
    fetch_gives(fetched_rows)
    data = images.mnist(subset="all")
    assert fetched_numbers(data.train_inputs).tolist() == list(range(60_000))
    assert fetched_numbers(data.test_inputs).tolist() == list(range(60_000, 70_000))
    assert data.test_targets.tolist() == [k // 7 % 10 for k in range(60_000, 70_000)]
    assert data.train_inputs.dtype == np.float32
    assert data.train_targets.dtype == np.int32


@pytest.mark.parametrize(
    "error",
    [urllib.error.URLError("host.invalid"), TimeoutError(), ValueError("host.invalid"), zlib.error(), EOFError()],
    ids=lambda error: type(error).__name__,
)
def test_a_fetch_that_fails(fetch_gives, error):
    def give():
        warnings.warn("A network error occurred while downloading host.invalid. Retrying...", stacklevel=2)
        raise error

    fetch_gives(give)
    with pytest.raises(DataError) as caught:
        images.mnist()
    message = str(caught.value)
    assert f"failed with {type(error).__name__}, as it does offline" in message
    assert f"give --data-dir (in Python data_dir) a folder with the four IDX files {', '.join(FILES)}" in message
    assert "host.invalid" not in message


def test_what_is_fetched_is_checked(fetch_gives):
    def faulty(change, message):
        def give():
            table = types.SimpleNamespace(data=np.zeros((70_000, 784), np.uint8), target=np.array(["3"] * 70_000))
            change(table)
            return table

        fetch_gives(give)
        with pytest.raises(DataError, match=message):
            images.mnist()

    must = "fetch_openml must give 70000 rows of 784 numbers from 0 to 255 for mnist_784; got shape "
    faulty(lambda table: vars(table).update(data=table.data[1:]), re.escape(f"{must}(69999, 784), dtype uint8"))
    faulty(lambda table: vars(table).update(data=table.data.astype(np.int16) - 1), re.escape(f"{must}(70000, 784)"))
    faulty(lambda table: vars(table).update(data=table.data.astype(np.int16) + 256), re.escape(f"{must}(70000, 784)"))
    faulty(
        lambda table: vars(table).update(target=table.target[1:]),
        "the images of mnist_784 and the labels of mnist_784 must hold as many images as labels; got 70000 and 69999",
    )
    faulty(lambda table: vars(table).update(target=np.array(["cat"] * 70_000)), "failed with ValueError")


def test_scikit_learn_missing(monkeypatch, tmp_path):
    for name in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    for load, need in (
        (images.mnist, "mnist without data_dir needs scikit-learn"),
        (images.digits, "digits needs scikit"),
    ):
        with pytest.raises(DataError) as caught:
            load()
        message = str(caught.value)
        assert message.startswith(need)
        assert 'pip install scikit-learn, or the extra "examples"' in message
        assert ("--data-dir" in message) == (load is images.mnist)
    assert images.mnist(write_mnist(tmp_path), subset="all").rows == 30


def test_digits():
    theirs = pytest.importorskip("sklearn.datasets").load_digits()
    known = {tuple(map(int, row)): int(label) for row, label in zip(theirs.data, theirs.target, strict=True)}
    data = images.digits()
    both_inputs = np.concatenate([data.train_inputs, data.test_inputs])
    assert data.train_inputs.shape == (1437, 8, 8, 1)
    assert data.test_inputs.shape == (360, 8, 8, 1)
    assert data.train_inputs.dtype == data.test_inputs.dtype == np.float32
    assert data.train_targets.dtype == data.test_targets.dtype == np.int32
    assert (both_inputs.min(), both_inputs.max()) == (0, 1)
    table = [tuple((row * 16).astype(int).flatten().tolist()) for row in both_inputs]
    assert sorted(table) == sorted(tuple(map(int, row)) for row in theirs.data)
    targets = np.concatenate([data.train_targets, data.test_targets])
    assert [known[row] for row in table] == targets.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_digits_split_is_stratified_and_random(seed):
    theirs = pytest.importorskip("sklearn.datasets").load_digits()
    data = images.digits(split_seed=seed)
    shares = np.bincount(data.test_targets, minlength=10) - np.bincount(theirs.target) / 5
    assert np.abs(shares).max() < 1
    assert len(data.test_targets) == 360
    np.testing.assert_array_equal(data.test_inputs, images.digits(split_seed=seed).test_inputs)
    np.testing.assert_array_equal(data.train_inputs, images.digits(seed).train_inputs)
    assert not np.array_equal(data.test_inputs, images.digits(split_seed=seed + 1).test_inputs)
    # The table's order is the writers', so the rows to train must come in another.
    place = {tuple(row): k for k, row in enumerate(theirs.data.astype(int).tolist())}
    train = [place[tuple(row)] for row in (data.train_inputs.reshape(-1, 64) * 16).astype(int).tolist()]
    assert 0.4 < np.mean(np.diff(train) > 0) < 0.6


REAL = pathlib.Path(os.environ.get("CATLEARN_DATA") or "/nowhere")


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="the environment variable CATLEARN_DATA names no such folder")
def test_mnist_itself():
    data = images.mnist(REAL, subset="all")
    assert data.train_inputs.shape == (60_000, 28, 28, 1)
    assert data.test_inputs.shape == (10_000, 28, 28, 1)
    # As published for these files: the counts of the classes, the first labels, and the mean and the deviation.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.train_targets).tolist() == counts
    assert np.bincount(data.test_targets).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.train_targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test_targets[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.train_inputs.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert data.train_inputs.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
