"""Model files: reading one, replacing its constants, running it, and what it must define.

A model file is ordinary Python. It defines `learner`, and either `data` or a function `load(data_dir)`; it may define
`epochs`, `batch_size`, `seed` and `shuffle`, further settings of `fit` as a dictionary `options`, and a function
`finish(result)` that is called at the end, to draw a picture say, and `netlist(result)`, the circuit that `catlearn
export` writes in place of the model's own. Whatever it raises becomes a `ModelFileError` that names its line.
"""

from __future__ import annotations

import ast
import operator
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import typer

from catlearn.errors import CatlearnError, ModelFileError, nearest

if TYPE_CHECKING:
    from catlearn.datasets import Data
    from catlearn.feeding import Stream
    from catlearn.learner import Learner
    from catlearn.result import Result

__all__ = [
    "Settings",
    "Source",
    "check_folder",
    "data_of",
    "described",
    "finish",
    "learner_of",
    "name_and_value",
    "train_model",
]

DATA_VARIABLE = "CATLEARN_DATA"
_MODULE_NAME = "catlearn_model"
DEFAULT_EPOCHS, DEFAULT_BATCH_SIZE, DEFAULT_SEED = 10, 32, 0


def described(error: BaseException) -> str:
    """The exception's class and the first line of its message, which for foreign exceptions can run to pages."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@dataclass(frozen=True)
class Source:
    """A model file as a syntax tree; `path` is as the user gave it."""

    path: Path
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read and parse the file. Raises `ModelFileError` where there is no such file or it is not Python."""
        if path.is_dir():
            raise ModelFileError(f"{path} is a folder: name a model file in it")
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ModelFileError(f"{path} does not exist: name a model file") from None
        except OSError as error:
            raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
        with _python_only(path):
            return cls(path, ast.parse(content, _filename(path)))

    @property
    def title(self) -> str:
        """The first line of the docstring, or nothing."""
        lines = (ast.get_docstring(self.tree) or "").strip().splitlines()
        return lines[0].strip() if lines else ""

    def replace(self, replacements: Mapping[str, str]) -> None:
        """Replace the values of top-level constants. Raises `ModelFileError` for an unknown name or another type."""
        found = _constants(self.tree)
        for name, text in replacements.items():
            if name not in found:
                raise ModelFileError(self._unknown(name, found))
            if len(found[name]) > 1:
                lines = ", ".join(str(constant.value.lineno) for constant in found[name])
                raise ModelFileError(f"{self.path} assigns {name} more than once (lines {lines}): --set needs one")
            constant = found[name][0]
            node = _fitting(self.path, name, constant.value, text)
            for part in ast.walk(node):
                ast.copy_location(part, constant.value)
            constant.put(node)

    def _unknown(self, name: str, found: Mapping[str, object]) -> str:
        if name in ("epochs", "batch_size", "seed"):
            return f"--set replaces upper-case constants: for {name} use --{name.replace('_', '-')}"
        hint = nearest(name, found) if found else "it has no upper-case constant at its top level"
        return f"{self.path} has no constant {name} that --set can replace: {hint}"

    @contextmanager
    def importable(self) -> Iterator[ModuleType]:
        """An empty module for the file, with the file's folder first on `sys.path`, until the end of the block."""
        module = ModuleType(_MODULE_NAME)
        module.__file__ = _filename(self.path)
        paths, registered = list(sys.path), sys.modules.get(_MODULE_NAME)
        sys.path.insert(0, str(self.path.resolve().parent))
        # Data classes and annotations look their module up there.
        sys.modules[_MODULE_NAME] = module
        try:
            yield module
        finally:
            sys.path[:] = paths
            sys.modules.pop(_MODULE_NAME, None)
            if registered is not None:
                sys.modules[_MODULE_NAME] = registered

    def run(self, module: ModuleType) -> None:
        """Run the file in the module. Raises `ModelFileError` where it raises."""
        with _python_only(self.path):
            # This file's own __future__ imports must not reach the model file.
            code = compile(self.tree, _filename(self.path), "exec", dont_inherit=True)
        with self.blamed("the file"):
            exec(code, vars(module))

    @contextmanager
    def blamed(self, what: str, hint: str = "") -> Iterator[None]:
        """Turn what `what` raises into a `ModelFileError` that names the exception and the line of the model file.

        catlearn's own errors that did not come through the file stay as they are.
        """
        try:
            yield
        except (Exception, SystemExit) as error:
            line = self._line(error)
            if isinstance(error, CatlearnError) and line is None:
                raise
            place = f"{self.path}, line {line}" if line is not None else f"{self.path}: {what}"
            raise ModelFileError(f"{place} raised {_described_fully(error)}{hint}") from error

    def _line(self, error: BaseException) -> int | None:
        """The innermost line of the file that the exception came through."""
        filename = _filename(self.path)
        frames = traceback.walk_tb(error.__traceback__)
        lines = [line for frame, line in frames if frame.f_code.co_filename == filename]
        return lines[-1] if lines else None


def _described_fully(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, CatlearnError) else described(error)


def _filename(path: Path) -> str:
    return str(path.absolute())


@contextmanager
def _python_only(path: Path) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise ModelFileError(f"{path}{line} is not Python: {error.msg}") from error
    except ValueError as error:  # a null byte, before Python 3.11.4
        raise ModelFileError(f"{path} is not Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise ModelFileError(f"{path} cannot be read as Python: {described(error)}") from error


# Constants


@dataclass(frozen=True)
class _Constant:
    """A constant's value in the syntax tree, and how to put another in its place."""

    value: ast.expr
    put: Callable[[ast.expr], None]


def name_and_value(text: str) -> tuple[str, str]:
    """The two sides of a text NAME=VALUE; raises `typer.BadParameter` for any other."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"write NAME=VALUE, such as HIDDEN=8; got {text!r}", param_hint="'--set'")
    return name, value


def _constants(tree: ast.Module) -> dict[str, list[_Constant]]:
    """The upper-case names that the file assigns at its top level, each with its values in the order of the file."""
    found: dict[str, list[_Constant]] = {}
    for statement in tree.body:
        for name, constant in _assigned(statement):
            if name.isupper():
                found.setdefault(name, []).append(constant)
    return found


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, _Constant]]:
    """The names that `NAME = value`, `NAME: type = value` or `A, B = value, value` assigns."""
    target: ast.expr
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    else:
        return
    if isinstance(target, ast.Name):
        yield target.id, _Constant(value, lambda node: setattr(statement, "value", node))
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        parts = [*target.elts, *value.elts]
        if any(isinstance(part, ast.Starred) for part in parts):
            return
        for k, part in enumerate(target.elts):
            if isinstance(part, ast.Name):
                yield part.id, _Constant(value.elts[k], _putter(value.elts, k))


def _putter(places: list[ast.expr], k: int) -> Callable[[ast.expr], None]:
    return lambda node: places.__setitem__(k, node)


def _fitting(path: Path, name: str, original: ast.expr, text: str) -> ast.expr:
    """The expression that stands for `text`, of the type of the original where that is a literal."""
    node, value = _parsed(text)
    try:
        before = ast.literal_eval(original)
    except ValueError:
        return node
    if before is None or type(value) is type(before):
        return node
    if type(before) is float and type(value) is int:
        return ast.Constant(float(value))
    wanted, got = type(before).__name__, type(value).__name__
    hint = f'; for text write --set {name}="{text!r}"' if isinstance(before, str) else ""
    raise ModelFileError(f"{name} in {path} is {before!r}, of type {wanted}: {text!r} is of type {got}{hint}")


def _parsed(text: str) -> tuple[ast.expr, Any]:
    """A Python literal as expression and value; what is not a literal is plain text."""
    try:
        return ast.parse(text.strip(), mode="eval").body, ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ast.Constant(text), text


# What the file defines


def learner_of(source: Source, names: Mapping[str, Any]) -> Learner:
    """The learner that a model file defined; raises `ModelFileError` where there is none."""
    from catlearn.learner import Learner

    if "learner" not in names:
        raise ModelFileError(
            f"{source.path} defines no learner: add one, such as learner = supervised(model, loss, optimiser)"
        )
    learner = names["learner"]
    if not isinstance(learner, Learner):
        raise ModelFileError(
            f"learner in {source.path} must be a Learner, such as supervised(model, loss, optimiser) gives; "
            f"got {_kind(learner)}"
        )
    return learner


def data_of(source: Source, names: Mapping[str, Any], data_dir: Path | None) -> Data | Stream:
    """The data that a model file defined or loads; raises `ModelFileError` where there is none."""
    from catlearn.datasets import Data
    from catlearn.feeding import Stream

    data, origin = names.get("data"), "data"
    if not isinstance(data, (Data, Stream)) and "load" in names:
        data, origin = _loaded(source, names["load"], data_dir), "what load(data_dir) returns"
    elif "data" not in names:
        raise ModelFileError(f"{source.path} defines no data: add data, or a function load(data_dir) that returns it")
    if not isinstance(data, (Data, Stream)):
        raise ModelFileError(
            f"{origin} in {source.path} must be a catlearn.datasets.Data or a catlearn.Stream; got {_kind(data)}"
        )
    return data


def _loaded(source: Source, load: Any, data_dir: Path | None) -> Any:
    if not callable(load):
        raise ModelFileError(f"load in {source.path} must be a function load(data_dir); got {_kind(load)}")
    if data_dir is None and os.environ.get(DATA_VARIABLE):
        data_dir = Path(os.environ[DATA_VARIABLE])
        check_folder(data_dir, f"the environment variable {DATA_VARIABLE}")
    with source.blamed("load", "" if data_dir else "; no --data-dir was given, so data_dir is None"):
        return load(data_dir)


def check_folder(folder: Path, origin: str) -> None:
    """Raise `ModelFileError` where a folder that `origin` named is not there."""
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise ModelFileError(f"{origin} names {folder}, which {problem}")


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"


@dataclass(frozen=True)
class Settings:
    """How to train: the flags where given, else the file's values, else the defaults."""

    epochs: int
    batch_size: int
    seed: int
    shuffle: bool
    options: Mapping[str, Any]

    @classmethod
    def choose(cls, source: Source, names: Mapping[str, Any], flags: Sequence[int | None], rows: int) -> Settings:
        """The settings for `rows` training rows. Raises `ModelFileError` for a value of the file that cannot be one."""

        def number(name: str, flag: int | None, least: int, default: int) -> int:
            return flag if flag is not None else _number(source, name, names.get(name, default), least)

        epochs, batch_size, seed = flags
        shuffle = names.get("shuffle", True)
        if not isinstance(shuffle, bool):
            raise ModelFileError(f"shuffle in {source.path} must be True or False; got {shuffle!r}")
        options = names.get("options", {})
        if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
            raise ModelFileError(
                f"options in {source.path} must be a dictionary of settings of fit, such as {{'patience': 5}}; "
                f"got {options!r}"
            )
        return cls(
            number("epochs", epochs, 0, DEFAULT_EPOCHS),
            number("batch_size", batch_size, 1, min(DEFAULT_BATCH_SIZE, rows)),
            number("seed", seed, 0, DEFAULT_SEED),
            shuffle,
            options,
        )


def train_model(
    source: Source,
    names: Mapping[str, Any],
    flags: Sequence[int | None],
    more: Mapping[str, Any],
    data_dir: Path | None,
    starting: Callable[[], None] = lambda: None,
) -> tuple[Settings, Result]:
    """Train the learner that a file defined, by its own settings, `flags` (epochs, batch size, seed) and `more`.

    `starting` is called when all is read and training starts.
    """
    from catlearn.datasets import Data
    from catlearn.training import fit

    learner = learner_of(source, names)
    data = data_of(source, names, data_dir)
    if isinstance(data, Data):
        with source.blamed("checking the data"):
            data.check(learner.model.dom, learner.loss.labels(learner.model.cod))
    settings = Settings.choose(source, names, flags, data.rows if isinstance(data, Data) else DEFAULT_BATCH_SIZE)
    starting()
    with source.blamed("training"):
        result = fit(
            learner,
            data,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            seed=settings.seed,
            shuffle=settings.shuffle,
            **{**settings.options, **more},
        )
        result.parameters, result.train_accuracy, result.test_accuracy  # noqa: B018  (computed when first read)
    return settings, result


def finish(source: Source, names: Mapping[str, Any], result: Result) -> None:
    """Call the file's own `finish(result)`, if it defines one."""
    last = names.get("finish")
    if last is None:
        return
    if not callable(last):
        raise ModelFileError(f"finish in {source.path} must be a function finish(result); got {_kind(last)}")
    with source.blamed("finish"):
        last(result)


def _number(source: Source, name: str, value: Any, least: int) -> int:
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ModelFileError(f"{name} in {source.path} must be an integer of at least {least}; got {value!r}")
    return number
