"""Checkpoints: a learner, its state and where its training stands, in one file written all at once.

A file is in the format of safetensors: the arrays, and as its metadata one JSON object with the version, the learner as
data (`catlearn.serial`), the settings and the progress. Nothing in it is run when it is read. It is written beside its
place and moved there when it is whole, so that a full disk or a crash leaves the file before untouched.

    fit(.., checkpoint="runs/a")               keeps the run there after every epoch, and when a signal ends it
    fit(.., checkpoint="runs/a", resume=True)  goes on from the newest, to the very bits of a run never interrupted
    result.save("model.safetensors"), load("model.safetensors")

Requires the extra `checkpoints`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catlearn.errors import CatlearnError, CheckpointError, missing_extra
from catlearn.running import lowered, on_host
from catlearn.serial import decode_learner, describe_difference, encode_learner

if TYPE_CHECKING:
    from catlearn.learner import Learner
    from catlearn.result import Result

__all__ = ["CheckpointWarning", "Checkpoints", "load", "save"]

VERSION = 1
_NAME = re.compile(r"step-(\d+)\.safetensors")


class CheckpointWarning(UserWarning):
    """A checkpoint could not be read, and the one before it is used."""


@dataclass(frozen=True)
class Checkpoints:
    """A folder of checkpoints: one after every `every` epochs, the newest `keep` of them kept.

    Raises `CheckpointError` for numbers that are not positive, and for a path that is no folder.
    """

    folder: str | Path
    every: int = 1
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("every", "keep"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise CheckpointError(f"{name} must be an integer of at least 1; got {value!r}")
        path = Path(self.folder)
        if path.exists() and not path.is_dir():
            raise CheckpointError(f"checkpoints are kept in a folder; {path} is a file")
        _library()

    def due(self, epoch: int, *, last: bool) -> bool:
        """Whether one is to be written after that epoch, counted from 0."""
        return last or (epoch + 1) % self.every == 0

    def paths(self) -> list[Path]:
        """The files, the newest first."""
        found = {path: _NAME.fullmatch(path.name) for path in Path(self.folder).glob("step-*.safetensors")}
        steps = {path: int(match.group(1)) for path, match in found.items() if match}
        return sorted(steps, key=steps.__getitem__, reverse=True)

    def write(self, result: Result, arrays: dict[str, Any], facts: dict[str, Any], progress: dict[str, Any]) -> Path:
        """Write a checkpoint, drop those beyond the newest `keep`, and give its path."""
        path = Path(self.folder) / f"step-{result.steps:09d}.safetensors"
        written = _write(path, arrays, _description(result) | {"facts": facts, "progress": progress})
        if written:
            for old in self.paths()[self.keep :]:
                old.unlink(missing_ok=True)
        return path

    def newest(self, learner: Learner, facts: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The arrays and the progress of the newest checkpoint that can be read; None where there is none.

        Warns of those that cannot be read. Raises `CheckpointError` for one of another learner or other settings.
        """
        paths = self.paths()
        for place, path in enumerate(paths):
            try:
                arrays, description = _read(path)
                break
            except CheckpointError as error:
                if place + 1 == len(paths):
                    raise
                warnings.warn(f"{error}; the one before it, {paths[place + 1]}, is used", CheckpointWarning, 2)
        else:
            return None
        _same_learner(path, description, learner)
        for name, wanted in facts.items():
            kept = description.get("facts", {}).get(name)
            if kept != wanted:
                raise CheckpointError(
                    f"{path} was written with {name} = {kept!r} and this run has {wanted!r}: give the same, or "
                    "another folder"
                )
        return arrays, description["progress"]


def save(result: Result, path: str | Path) -> Path:
    """Write a result to a file: the learner, its state, its settings and its history.

    Raises `CheckpointError` where the file cannot be written; the file that was there before is then untouched.
    """
    _library()
    arrays = {f"state.{k}": value for k, value in enumerate(result.state)}
    progress = {"steps": result.steps, "seconds": result.seconds, "history": vars(result.history)}
    _write(Path(path), arrays, _description(result) | {"progress": progress})
    return Path(path)


def load(path: str | Path, *, learner: Learner | None = None, data: Any = None) -> Result:
    """The result that `save`, or a checkpoint, keeps in a file.

    The learner is made from the file, unless it is given: then the two are compared, and it may hold functions that
    have no name in `catlearn.registry`. `data` is what the result's accuracies are about.
    Raises `CheckpointError` for a file that cannot be read, or that is of another learner.
    """
    from catlearn.datasets import Data
    from catlearn.generators.precision import Lower
    from catlearn.history import History
    from catlearn.result import Result

    _library()
    arrays, description = _read(Path(path))
    kind, _, precision = description["backend"].partition(":")
    if learner is None:
        try:
            learner = decode_learner(description["learner"])
        except CatlearnError as error:
            raise CheckpointError(
                f"the learner in {path} cannot be made: {error}. If you have it in Python: load(path, learner=..)"
            ) from error
    else:
        if precision == "mixed" and not any(isinstance(g, Lower) for g, _, _ in learner.model.diagram.nodes):
            learner = lowered(learner)
        _same_learner(Path(path), description, learner)
    backend = _backend(kind, precision)
    names, spaces = learner.state_names, learner.state
    state = tuple(
        backend.accept(space, _array(arrays, f"state.{k}", path), f"the state's {name}")
        for k, (space, name) in enumerate(zip(spaces, names, strict=True))
    )
    wires = [wire for wire in learner.context if not wire.stored]
    settings = tuple(
        backend.accept(wire.space, np.asarray(description["hyperparameters"].get(wire.name, wire.start)), wire.name)
        for wire in wires
    )
    progress = description["progress"]
    empty = Data((), (), (), ())
    return Result(
        learner,
        state,
        empty if data is None else data,
        backend,
        settings,
        description["seed"],
        History(**progress["history"]),
        progress["steps"],
        progress["seconds"],
    )


def _backend(kind: str, precision: str) -> Any:
    """The functor of that name; what was trained by `Bits` runs under JAX where its kernels cannot."""
    from catlearn.functors import Bits, Exact, Jax
    from catlearn.functors.bits import available

    if kind == "bits":
        return Bits() if available() else Jax()
    return Jax(precision) if kind == "jax" else Exact()


def _array(arrays: dict[str, Any], name: str, path: Any) -> Any:
    if name not in arrays:
        raise CheckpointError(f"{path} lacks the array {name}: it is damaged, or of another learner")
    return arrays[name]


def _same_learner(path: Path, description: dict[str, Any], learner: Learner) -> None:
    difference = describe_difference(description["learner"], json.loads(json.dumps(_learner(learner))))
    if difference is not None:
        raise CheckpointError(f"{path} is of another learner than this one: {difference}")


def _learner(learner: Learner) -> Any:
    return encode_learner(learner, opaque="name")


def _description(result: Result) -> dict[str, Any]:
    """What a file says besides its arrays."""
    precision = getattr(result.backend, "precision", None)
    names = result.learner.hyperparameters
    return {
        "format": "catlearn",
        "version": VERSION,
        "learner": _learner(result.learner),
        "backend": result.backend.name if precision is None else f"jax:{precision}",
        "seed": result.seed,
        "hyperparameters": {n: np.asarray(v).item() for n, v in zip(names, result.settings, strict=True)},
    }


def _library() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise missing_extra("safetensors", "checkpoints", "a checkpoint") from error
    return safetensors


def _write(path: Path, arrays: dict[str, Any], description: dict[str, Any]) -> bool:
    """Write a file all at once; of several processes the first does. Whether this one did."""
    plain = {name: on_host(value) for name, value in arrays.items()}
    if _process():
        return False
    exact = {name: list(map(str, a.ravel())) for name, a in plain.items() if a.dtype == object}
    description["exact"] = {name: [list(plain[name].shape), values] for name, values in exact.items()}
    description["bfloat16"] = [name for name, a in plain.items() if a.dtype.name == "bfloat16"]
    stored = {
        name: np.ascontiguousarray(a.view(np.uint16) if a.dtype.name == "bfloat16" else a).reshape(a.shape)
        for name, a in plain.items()
        if name not in exact
    }
    text = json.dumps(description)
    data = _library().numpy.save(stored, {"catlearn": text, "sha256": _digest(text, stored)})
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise CheckpointError(
            f"{path} ({len(data):,} bytes) could not be written: {error.strerror or error}; what was there before is "
            "untouched. Free some space, or give another place"
        ) from error
    return True


def _process() -> int:
    """The number of this process among those that train together."""
    import jax

    return int(jax.process_index())


def _digest(text: str, arrays: dict[str, Any]) -> str:
    """What shows damage that leaves a file readable."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the description in a file."""
    library = _library()
    try:
        with library.safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            if "catlearn" not in metadata:
                raise CheckpointError(f"{path} is a file of arrays, but no checkpoint of catlearn")
            arrays: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("sha256") != _digest(metadata["catlearn"], arrays):
            raise ValueError("its contents are not those that were written")
        description = json.loads(metadata["catlearn"])
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}") from error
    except (library.SafetensorError, json.JSONDecodeError, OSError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} cannot be read, it is cut off, damaged or no checkpoint ({error})") from error
    if description.get("format") != "catlearn" or description.get("version") != VERSION:
        raise CheckpointError(
            f"{path} has version {description.get('version')!r} of the format and this catlearn reads {VERSION}: "
            "use the catlearn that wrote it"
        )
    import jax.numpy as jnp

    for name in description["bfloat16"]:
        arrays[name] = arrays[name].view(jnp.bfloat16)
    for name, (shape, values) in description["exact"].items():
        arrays[name] = np.array([int(v) for v in values] + [None], object)[:-1].reshape(shape)
    return arrays, description
