"""Every public name is documented, and the examples and the README run as written."""

import ast
import importlib
import inspect
import os
import pathlib
import pkgutil
import re
import subprocess
import sys

import pytest

import catlearn

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ["catlearn", *(m.name for m in pkgutil.walk_packages(catlearn.__path__, "catlearn."))]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_documented(name):
    module = importlib.import_module(name)
    assert inspect.getdoc(module), f"{name} has no docstring"
    for public in getattr(module, "__all__", []):
        thing = getattr(module, public)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{name}.{public} has no docstring"
            if inspect.isclass(thing) and thing.__module__ == name:
                for member, value in vars(thing).items():
                    if not member.startswith("_") and inspect.isfunction(value):
                        assert inspect.getdoc(getattr(thing, member)), f"{name}.{public}.{member} has no docstring"


def test_public_names_of_the_package_all_exist():
    assert all(getattr(catlearn, name) is not None for name in catlearn.__all__)
    assert set(dir(catlearn)) == set(catlearn.__all__)


@pytest.mark.parametrize("path", sorted((ROOT / "catlearn").rglob("*.py")), ids=lambda p: p.name)
def test_modules_stay_small(path):
    assert len(path.read_text().splitlines()) <= 450


def run(*arguments, folder=ROOT):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )


# Those that draw are run in test_examples, at a small size where they take long, the gallery in test_pictures_more.
PICTURES = {"deep_dream.py", "optimiser_zoo.py", "learners_as_morphisms.py", "invariants.py", "modes.py"}
PICTURES |= {"smoothing.py", "backward_zoo.py", "gallery.py"}


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path, tmp_path):
    if path.name in PICTURES:
        assert ast.get_docstring(ast.parse(path.read_text()))
        return
    done = run(str(path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_readme_runs_as_written(tmp_path):
    """The Python blocks of the README, one after another in one process."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks
    done = run("-c", "\n".join(blocks), folder=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_a_page_runs_as_written(path, tmp_path):
    """The Python blocks of a page, one after another in one process, and every file that it shows or names is there."""
    text = path.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    if blocks:
        done = run("-c", "\n".join(blocks), folder=tmp_path)
        assert done.returncode == 0, done.stderr
    for target in re.findall(r"\]\(([\w./-]+\.\w+)\)", text):
        assert (path.parent / target).exists(), target


def test_no_registry_address_in_any_file():
    words = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js"]
    for path in ROOT.rglob("*"):
        if (
            path.is_file()
            and path.suffix in {".py", ".md", ".toml", ".cfg", ".txt", ".yml"}
            and ".venv" not in path.parts
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not any(word in text for word in words), path
