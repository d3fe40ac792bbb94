"""Images with class numbers: MNIST, scikit-learn's digits, and the IDX files that MNIST comes in.

An IDX file is two zero bytes, a type code, the rank, the sizes as big-endian 32-bit numbers, and the entries in
row-major order, big-endian too. Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998).

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "table-idx2-ubyte")
...     written = path.write_bytes(bytes([0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
...     read_idx(path)
array([[1, 2, 3],
       [4, 5, 6]], dtype=uint8)
"""

from __future__ import annotations

import gzip
import importlib
import io
import math
import os
import stat
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from catlearn.datasets import Data
from catlearn.errors import DataError

__all__ = ["digits", "mnist", "read_idx"]

_ENTRIES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CHUNK = 1 << 20
_AGAIN = "get the file again"
_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_GIVE_FOLDER = (
    f"give --data-dir (in Python data_dir) a folder with the four IDX files {', '.join(_FILES)}, plain or .gz"
)
_SUBSETS = ("8k/2k", "all")
_TRAIN_ROWS, _TEST_ROWS = 8_000, 2_000


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, plain or gzip (by its content, whatever its name).

    The header says the shape, and the dtype: uint8, int8, int16, int32, float32 or float64. The result has just these,
    in native byte order, and may be written to. Nothing is allocated on the header's word: a plain file's length is
    compared first, and a gzip is unpacked in pieces, one byte further than the header asks for at most.

    Raises `DataError` where there is no such file, where it is a directory, empty, no IDX file, truncated, too long, or
    a broken gzip. Source: as for the module.
    """
    try:
        place = Path(path)
        if place.is_dir():
            raise DataError(f"{place} is a directory, where an IDX file is needed: name one of the files in it")
        with open(place, "rb") as file:
            if file.peek(2)[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    return _array(unpacked, f"{place} (unpacked)", None)
            status = os.fstat(file.fileno())
            return _array(file, str(place), status.st_size if stat.S_ISREG(status.st_mode) else None)
    except DataError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"there is no file {path}, where an IDX file is needed: check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} begins as a gzip file, and a whole one is needed; got: {error}; {_AGAIN}") from None
    except OSError as error:
        raise DataError(
            f"{path} must be an IDX file that can be read; got: {error.strerror}; mend that first"
        ) from None
    except (TypeError, ValueError) as error:
        raise DataError(f"an IDX file is named by its path, a str or a Path; got {path!r}: {error}") from None


def _array(source: io.BufferedIOBase, name: str, length: int | None) -> np.ndarray:
    """The array that `source` holds; `length` is the number of its bytes where that is known before reading."""
    magic = source.read(4)
    if not magic:
        raise DataError(f"{name} is empty, where an IDX file begins with 4 bytes for its type and rank; {_AGAIN}")
    if any(magic[:2]) or (len(magic) > 2 and magic[2] not in _ENTRIES):
        raise DataError(
            f"{name} is not an IDX file: one begins with the bytes 00 00, a type code of "
            f"{', '.join(f'{code:02x}' for code in _ENTRIES)}, and the rank; got {magic.hex(' ')}; give an IDX file, "
            "plain or gzip"
        )
    header = 4 + 4 * magic[3] if len(magic) == 4 else 4
    sizes = source.read(header - 4)
    if len(magic) + len(sizes) < header:
        raise DataError(
            f"{name} is truncated: its header alone needs {header} bytes "
            f"and there are {len(magic) + len(sizes)}; {_AGAIN}"
        )
    shape, entry = struct.unpack(f">{magic[3]}I", sizes), _ENTRIES[magic[2]]
    needed = header + math.prod(shape) * entry.itemsize
    content, there = bytearray(), length
    if there is None or there == needed:
        content = _at_most(source, needed - header + 1)
        there = header + len(content)
    if there != needed:
        fault = "truncated" if there < needed else "too long"
        count = "more" if there > needed and length is None else there
        raise DataError(
            f"{name} is {fault}: by its header, of shape {shape} and dtype {entry.name}, {needed} bytes are needed "
            f"and there are {count}; {_AGAIN}"
        )
    try:
        array: np.ndarray = np.ndarray(shape, entry, buffer=content)
    except ValueError as error:
        raise DataError(f"{name} needs a shape that NumPy can hold; got {shape}: {error}; {_AGAIN}") from None
    return array.astype(entry.newbyteorder("="), copy=False)


def _at_most(source: io.BufferedIOBase, count: int) -> bytearray:
    """The next `count` bytes of `source`, or as many as there are."""
    content = bytearray()
    # Piece by piece, since a read of n bytes allocates n bytes at once, and n is the header's word.
    while len(content) < count and (piece := source.read(min(_CHUNK, count - len(content)))):
        content += piece
    return content


def mnist(data_dir: str | os.PathLike[str] | None = None, *, subset: str = "8k/2k", split_seed: int = 0) -> Data:
    """MNIST: images of handwritten digits, 28 x 28, and which digit each is.

    With `data_dir`, from the four IDX files in that folder, or in its subfolder mnist: train-images-idx3-ubyte,
    train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each also with .idx in place of -idx,
    and with .gz. Without it, through scikit-learn's `fetch_openml`, which keeps what it fetched.

    `subset` "all" is every row in the order of the files, 60,000 to train and 10,000 to test in MNIST itself; "8k/2k"
    is the file of the test rows alone, cut by `split_seed` into 8,000 and 2,000 for quick work: what is chosen on it
    may not be reported on "all".

    Inputs are float32 of shape (n, 28, 28, 1) in [0, 1], one entry a byte divided by 255; targets are class numbers
    0 to 9, int32 of shape (n,), for `label_cross_entropy`.

    Raises `DataError` for a missing file, a file that is wrong (as `read_idx`), images and labels that do not belong
    together, an unknown subset, a bad seed, and where scikit-learn is missing or the fetch fails.
    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998).
    """
    _check_seed(split_seed)
    if subset not in _SUBSETS:
        raise DataError(f"subset is '8k/2k' or 'all'; got {subset!r}")
    *train, test = _fetched() if data_dir is None else _from_folder(data_dir, subset)
    if subset == "all":
        return Data(*_prepared(*train[0]), *_prepared(*test))
    images, labels = test
    needed = _TRAIN_ROWS + _TEST_ROWS
    if len(images) < needed:
        raise DataError(f"subset '8k/2k' cuts {needed} rows to test; {data_dir} has {len(images)}: take 'all'")
    order = np.random.default_rng(split_seed).permutation(len(images))[:needed]
    first, second = order[:_TRAIN_ROWS], order[_TRAIN_ROWS:]
    return Data(*_prepared(images[first], labels[first]), *_prepared(images[second], labels[second]))


def digits(split_seed: int = 0) -> Data:
    """The digits that scikit-learn brings along: 1,797 images, 8 x 8, of which 1,437 to train and 360 to test.

    Inputs are float32 of shape (n, 8, 8, 1) in [0, 1], the counts 0 to 16 divided by 16; targets are class numbers 0 to
    9, int32 of shape (n,). `split_seed` chooses the rows; both parts have the same share of each class, up to one row.

    Raises `DataError` for a bad seed, and where scikit-learn is missing.
    Source: Alpaydin and Kaynak, Optical recognition of handwritten digits (1998), the part for testing.
    """
    _check_seed(split_seed)
    table = _scikit_learn("digits needs scikit-learn").load_digits()
    images = np.asarray(table.images, np.float32)[..., None] / np.float32(16)
    labels = np.asarray(table.target, np.int32)
    generator = np.random.default_rng(split_seed)
    order = generator.permutation(len(labels))
    # Every fifth row of a random order that is then sorted by class is a fifth of each class.
    test = np.sort(order[np.argsort(labels[order], kind="stable")][::5])
    train = generator.permutation(np.setdiff1d(order, test))
    return Data(images[train], labels[train], images[test], labels[test])


def _check_seed(split_seed: int) -> None:
    if isinstance(split_seed, bool) or not isinstance(split_seed, int) or split_seed < 0:
        raise DataError(f"split_seed must be an integer of at least 0; got {split_seed!r}")


def _prepared(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes as numbers in [0, 1], with an axis for the one channel, and class numbers as int32."""
    inputs = images[..., None].astype(np.float32)
    inputs /= 255
    return inputs, labels.astype(np.int32)


def _from_folder(data_dir: str | os.PathLike[str], subset: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The images and labels to test, as bytes; with subset "all" those to train first."""
    files = _located(data_dir)
    pairs = []
    for images_file, labels_file in (files[:2], files[2:]) if subset == "all" else (files[2:],):
        images, labels = read_idx(images_file), read_idx(labels_file)
        _check_pair(images, labels, str(images_file), str(labels_file))
        pairs.append((images, labels))
    return pairs


def _located(data_dir: str | os.PathLike[str]) -> list[Path]:
    """The four files, all from one folder, since files of two folders need not belong together."""
    try:
        folders = (Path(data_dir), Path(data_dir, "mnist"))
    except TypeError:
        raise DataError(f"data_dir is a folder's path, a str or a Path, or None; got {data_dir!r}") from None
    if not os.path.isdir(folders[0]):
        raise DataError(f"data_dir must be a folder, and {folders[0]} is none: {_GIVE_FOLDER}")
    found = [[_variant(folder, name) for name in _FILES] for folder in folders]
    missing = [[name for name, file in zip(_FILES, files, strict=True) if file is None] for files in found]
    for files, lacking in zip(found, missing, strict=True):
        if not lacking:
            return [file for file in files if file is not None]
    fullest = 0 if len(missing[0]) <= len(missing[1]) else 1
    raise DataError(
        f"MNIST's four files must lie in one folder, and {folders[fullest]} lacks {', '.join(missing[fullest])} "
        f"(sought in {folders[0]} and {folders[1]}, also with .idx in place of -idx and with .gz): "
        "add them, or name another folder"
    )


def _variant(folder: Path, name: str) -> Path | None:
    spellings = (name, name.replace("-idx", ".idx"))
    files = (folder / (spelling + ending) for spelling in spellings for ending in ("", ".gz"))
    # Some archives unpack into folders named like the files, so a path that exists need not be the file.
    return next((file for file in files if os.path.isfile(file)), None)


def _fetched() -> list[tuple[np.ndarray, np.ndarray]]:
    """The images and labels to train and to test, as bytes, through scikit-learn."""
    remote = _scikit_learn(f"mnist without data_dir needs scikit-learn (else {_GIVE_FOLDER})")
    try:
        with warnings.catch_warnings():
            # Its warnings name hosts, once a retry; a failure is told below.
            warnings.simplefilter("ignore")
            table = remote.fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff")
        pixels, labels = np.asarray(table.data), np.asarray(table.target).astype(np.int32)
    except Exception as error:  # what a failed fetch raises, from sockets to parsers, is not documented
        raise DataError(
            "without data_dir MNIST must be fetched by scikit-learn's fetch_openml, which failed with "
            f"{type(error).__name__}, as it does offline: connect this machine, or {_GIVE_FOLDER}"
        ) from error
    if pixels.shape != (70_000, 784) or not 0 <= pixels.min() <= pixels.max() <= 255:
        raise DataError(
            "fetch_openml must give 70000 rows of 784 numbers from 0 to 255 for mnist_784; got shape "
            f"{pixels.shape}, dtype {pixels.dtype}: empty scikit-learn's data folder and fetch again, or {_GIVE_FOLDER}"
        )
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    _check_pair(images, labels, "the images of mnist_784", "the labels of mnist_784")
    return [(images[:60_000], labels[:60_000]), (images[60_000:], labels[60_000:])]


def _check_pair(images: np.ndarray, labels: np.ndarray, images_name: str, labels_name: str) -> None:
    """Raise `DataError`, naming both files, where they are not MNIST's images and the digits on them."""
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{images_name} and {labels_name} must hold n images of 28x28 bytes and n labels; got shapes "
            f"{images.shape} and {labels.shape}, dtypes {images.dtype} and {labels.dtype}: give MNIST's files"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{images_name} and {labels_name} must hold as many images as labels; "
            f"got {len(images)} and {len(labels)}: take both from one place"
        )
    bad = np.flatnonzero((labels < 0) | (labels > 9))
    if bad.size:
        raise DataError(
            f"{images_name} and {labels_name} must hold images with labels from 0 to 9; "
            f"got the label {labels[bad[0]]} in row {bad[0]} (from 0): give MNIST's files"
        )


def _scikit_learn(need: str) -> Any:
    try:
        return importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise DataError(
            f'{need}, and it cannot be imported ({error}): pip install scikit-learn, or the extra "examples"'
        ) from None
