"""The command line: `catlearn train`, its options, what it prints, and how it fails."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.testing
from matplotlib.image import imread

import catlearn
import catlearn.training
from catlearn import datasets
from catlearn.cli import app, main

ROOT = Path(__file__).resolve().parents[1]
CIRCUIT = ROOT / "models" / "iris_circuit.py"
IRIS = ROOT / "models" / "iris.py"

IMPORTS = "from catlearn import Data, datasets, layers, losses, optimisers, supervised\n"
DATA = "data = datasets.iris_sorted(2).binarised()\n"
LEARNER = (
    "learner = supervised(layers.lookup_table(4, 2), losses.exclusive_or, optimisers.reverse_derivative_ascent())\n"
)
SMALL = IMPORTS + DATA + LEARNER


def network(rate):
    """A model file of one linear layer on Iris, for one epoch, with that learning rate."""
    return (
        f"{IMPORTS}data = datasets.iris()\nmodel = layers.linear(4, 3)\n"
        f"learner = supervised(model, losses.mean_squared_error, optimisers.gd({rate}))\nepochs = 1\n"
    )


@pytest.fixture
def write(tmp_path):
    """Write a model file and give its path."""

    def written(text, name="model.py"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch):
    monkeypatch.delenv("CATLEARN_DATA", raising=False)


def train(*arguments):
    return typer.testing.CliRunner().invoke(app, ["train", *map(str, arguments)])


def train_json(*arguments):
    """The JSON object that a run prints, which must be all of its stdout."""
    result = train(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def failure(*arguments):
    """The message of a run that fails: one line on stderr, no traceback, no result."""
    result = train(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "accuracy" not in result.stdout
    return result.stderr.removeprefix("error: ").rstrip("\n")


@pytest.fixture
def fitted(monkeypatch):
    """The keyword arguments of the calls of fit, which are made all the same."""
    calls = []
    real = catlearn.training.fit

    def recorded(learner, data, **settings):
        calls.append(settings)
        return real(learner, data, **settings)

    monkeypatch.setattr(catlearn.training, "fit", recorded)
    return calls


@pytest.fixture
def never_fitted(monkeypatch):
    def fit(*arguments, **settings):
        raise AssertionError("training started")

    monkeypatch.setattr(catlearn.training, "fit", fit)


# The program


def test_version():
    result = typer.testing.CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"catlearn {catlearn.__version__}\n")


def test_help_names_the_command_and_what_it_does():
    result = typer.testing.CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert re.search(r"train +Train the learner of a model file, and say how well it does.\n", result.stdout)
    assert "--version" in result.stdout


def test_no_command_shows_the_help():
    result = typer.testing.CliRunner().invoke(app, [])
    assert "Commands:" in result.output


def test_train_is_a_word_of_the_program():
    result = typer.testing.CliRunner().invoke(app, [str(CIRCUIT)])
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_help_of_train_names_every_option():
    result = train("--help")
    assert result.exit_code == 0
    for option in (
        *("--epochs", "--batch-size", "--seed", "--data-dir", "--set", "--json", "--debug", "$CATLEARN_DATA"),
        *("--precision", "--validation", "--patience", "--keep-best", "--checkpoint", "--resume", "--save", "--plot"),
    ):
        assert option in result.stdout
    for default in ("`epochs` (else 10)", "`seed` (else 0)", "`shuffle` (else True)"):
        assert default in " ".join(result.stdout.split())


def test_the_module_loads_no_heavy_library():
    code = "import sys, catlearn.cli; print(sorted({'jax', 'sympy'} & set(sys.modules)))"
    assert _python("-c", code).stdout == "[]\n"


def test_main_names_the_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["somewhere/cli.py", "train", "--epochs", "-1", "x.py"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "Usage: catlearn train" in capsys.readouterr().err


def _python(*arguments, **settings):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=50,
        **settings,
    )


# What a run prints


def test_lines_of_a_run():
    result = train(CIRCUIT)
    assert result.exit_code == 0, result.output
    title, *lines = result.stdout.splitlines()
    assert title == (
        "Iris by a look-up-table circuit over Z2, trained by Reverse Derivative Ascent in the published order."
    )
    values = {line[:15].strip(): line[15:].strip() for line in lines}
    assert list(values) == ["parameters", "steps", "seconds", "train accuracy", "test accuracy"]
    assert float(values.pop("seconds")) < 50
    assert values == {"parameters": "48", "steps": "75", "train accuracy": "74.7 %", "test accuracy": "73.3 %"}


def test_json_in_its_own_process():
    result = _python("-m", "catlearn.cli", "train", CIRCUIT, "--json")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1
    values = json.loads(result.stdout)
    assert values.pop("seconds") > 0
    assert values == {
        "train_accuracy": pytest.approx(100 * 56 / 75),
        "test_accuracy": pytest.approx(100 * 55 / 75),
        "steps": 75,
        "parameters": 48,
        "epochs": 1,
        "batch_size": 1,
        "seed": 0,
        "loss": pytest.approx(16 / 75),
    }


def test_parameters_are_counted_over_all_layers():
    # 4 x 20 + 20 in the first layer, 20 x 3 + 3 in the second.
    values = train_json(IRIS, "--epochs", "2")
    assert (values["parameters"], values["steps"]) == (163, 14)


def test_no_docstring_prints_no_title(write):
    result = train(write(SMALL), "--epochs", "0")
    assert result.stdout.startswith("parameters ")


def test_the_title_is_the_first_line_that_says_something(write):
    result = train(write('"""\n\n  Title here.\nMore.\n"""\n' + SMALL), "--epochs", "0")
    assert result.stdout.splitlines()[:2] == ["Title here.", "parameters      32"]


def test_no_epochs_and_no_test_rows_are_null(write):
    part = "data = Data(data.train_inputs, data.train_targets, data.test_inputs[:0], data.test_targets[:0])\n"
    model = write(SMALL + part)
    values = train_json(model, "--epochs", "0")
    assert (values["loss"], values["test_accuracy"], values["steps"]) == (None, None, 0)
    assert values["train_accuracy"] is not None
    assert "test accuracy   none" in train(model, "--epochs", "0").stdout.splitlines()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_null(write, monkeypatch, value):
    monkeypatch.setattr(catlearn.training.Result, "train_accuracy", value)
    values = train_json(write(SMALL), "--epochs", "0")
    assert values["train_accuracy"] is None
    assert values["test_accuracy"] is not None


def test_with_json_what_the_file_prints_goes_to_stderr(write):
    text = (
        SMALL.replace("data = ", "made = ")
        + 'print("from the file")\ndef load(d):\n    print("loading")\n    return made\n'
    )
    model = write('"""Title."""\n' + text)
    result = train(model, "--epochs", "0", "--json")
    assert result.stderr == "from the file\nloading\n"
    assert result.stdout.startswith('{"train_accuracy"')
    assert train(model, "--epochs", "0").stdout.startswith("from the file\nloading\nTitle.\nparameters")


def test_a_failure_with_json_prints_nothing_on_stdout(write):
    result = train(write('"""Title."""\n' + SMALL), "--batch-size", "51", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")


def test_a_failure_after_training_prints_no_half_report(write, monkeypatch):
    def broken(self):
        raise catlearn.CatlearnError("no test accuracy")

    monkeypatch.setattr(catlearn.training.Result, "test_accuracy", property(broken))
    result = train(write('"""Title."""\n' + SMALL), "--epochs", "0")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "Title.\n", "error: no test accuracy\n")


# Settings


def test_defaults(write, fitted):
    values = train_json(write(SMALL))
    assert fitted == [{"epochs": 10, "batch_size": 32, "seed": 0, "shuffle": True}]
    assert (values["epochs"], values["batch_size"], values["seed"]) == (10, 32, 0)
    assert values["steps"] == 20


def test_the_default_batch_is_at_most_the_rows(write, fitted):
    part = "data = Data(data.train_inputs[:7], data.train_targets[:7], data.test_inputs, data.test_targets)\n"
    assert train_json(write(SMALL + part))["batch_size"] == 7
    assert fitted[0]["batch_size"] == 7


def test_the_file_gives_the_settings(write, fitted):
    train_json(write(SMALL + "epochs, batch_size, seed, shuffle = 3, 25, 5, False\n"))
    assert fitted == [{"epochs": 3, "batch_size": 25, "seed": 5, "shuffle": False}]


def test_flags_override_the_file(write, fitted):
    model = write(SMALL + "epochs, batch_size, seed, shuffle = 3, 25, 5, False\n")
    values = train_json(model, "--epochs", "2", "--batch-size", "10", "--seed", "9")
    assert fitted == [{"epochs": 2, "batch_size": 10, "seed": 9, "shuffle": False}]
    assert (values["epochs"], values["batch_size"], values["seed"], values["steps"]) == (2, 10, 9, 10)


def test_flags_of_zero_override_the_file(write, fitted):
    train_json(write(SMALL + "epochs, seed = 3, 5\n"), "--epochs", "0", "--seed", "0")
    assert (fitted[0]["epochs"], fitted[0]["seed"]) == (0, 0)


def test_flags_override_constants(write, fitted):
    model = write("EPOCHS = 1\n" + SMALL + "epochs = EPOCHS\n")
    train_json(model, "--set", "EPOCHS=2")
    train_json(model, "--set", "EPOCHS=2", "--epochs", "3")
    assert [call["epochs"] for call in fitted] == [2, 3]


def test_epochs_change_the_steps():
    assert train_json(CIRCUIT, "--epochs", "3")["steps"] == 225


def test_the_seed_changes_the_result(write):
    model = write(network("0.1"))
    first, second, again = (train_json(model, "--seed", seed)["loss"] for seed in (0, 1, 0))
    assert first == again
    assert first != second


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("epochs = -1", "epochs in {} must be an integer of at least 0; got -1"),
        ("epochs = True", "epochs in {} must be an integer of at least 0; got True"),
        ("epochs = None", "epochs in {} must be an integer of at least 0; got None"),
        ("epochs = 1.0", "epochs in {} must be an integer of at least 0; got 1.0"),
        ("batch_size = 0", "batch_size in {} must be an integer of at least 1; got 0"),
        ("seed = -1", "seed in {} must be an integer of at least 0; got -1"),
        ("seed = '1'", "seed in {} must be an integer of at least 0; got '1'"),
        ("shuffle = 'no'", "shuffle in {} must be True or False; got 'no'"),
        ("shuffle = 0", "shuffle in {} must be True or False; got 0"),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_settings_that_cannot_be(write, line, message):
    model = write(SMALL + line)
    assert failure(model) == message.format(model)


def test_a_flag_stands_in_for_a_wrong_setting(write):
    assert train_json(write(SMALL + "epochs = -1"), "--epochs", "1")["epochs"] == 1


def test_a_batch_larger_than_the_rows(write):
    assert failure(write(SMALL), "--batch-size", "51") == (
        "batch_size is 51 and there are 50 training rows: use at most 50"
    )


def test_flags_and_options_are_handed_to_fit(write, fitted, tmp_path):
    """Each flag alone, what the file's `options` say, and a flag in place of an option."""
    flags = {
        ("--precision", "float64"): {"precision": "float64"},
        ("--validation", "0.2"): {"validation": 0.2},
        ("--patience", "3"): {"patience": 3},
        ("--keep-best",): {"keep_best": True},
        ("--checkpoint", tmp_path / "a"): {"checkpoint": tmp_path / "a"},
        ("--checkpoint", tmp_path / "a", "--resume"): {"checkpoint": tmp_path / "a", "resume": True},
    }
    model = write(network("0.1"))
    usual = {"epochs": 0, "batch_size": 32, "seed": 0, "shuffle": True}
    for words, settings in flags.items():
        train_json(model, "--epochs", "0", *words)
        assert fitted.pop() == usual | settings
    model = write(network("0.1") + "options = {'patience': 5, 'precision': 'float64', 'drop_last': True}\n")
    train_json(model, "--epochs", "0", "--patience", "2")
    assert fitted.pop() == usual | {"patience": 2, "precision": "float64", "drop_last": True}
    train_json(model, "--epochs", "0")
    assert fitted.pop()["patience"] == 5


def test_a_run_is_kept_taken_up_saved_and_drawn(write, tmp_path):
    model, folder = write(network("0.1")), tmp_path / "kept"
    whole = train_json(model, "--epochs", "3", "--save", tmp_path / "whole.safetensors")
    train_json(model, "--epochs", "1", "--checkpoint", folder)
    files = ["--save", tmp_path / "a.safetensors", "--plot", tmp_path / "a.png"]
    again = train_json(model, "--epochs", "3", "--checkpoint", folder, "--resume", *files)
    assert {k: v for k, v in again.items() if k != "seconds"} == {k: v for k, v in whole.items() if k != "seconds"}
    assert len(list(folder.iterdir())) == 3
    one, other = (catlearn.load(tmp_path / f"{name}.safetensors") for name in ("whole", "a"))
    rows = datasets.iris().test_inputs
    assert one.predict(rows).tobytes() == other.predict(rows).tobytes()
    picture = imread(tmp_path / "a.png")[:, :, :3]
    assert picture.min() < 0.5 < picture.max()


def test_a_run_stops_early(write):
    """The learning rate is too large, so that no epoch is better than the first."""
    values = train_json(
        write(network("0.5")), "--epochs", "50", "--patience", "2", "--keep-best", "--validation", "0.2"
    )
    assert values["epochs"] == 50
    assert values["steps"] < 50 * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--precision", "float46"], "no precision is called 'float46': did you mean 'float64'?"),
        (["--validation", "2"], "validation=2.0 of 100 rows: give a share between 0 and 1"),
        (["--validation", "nan"], "validation=nan of 100 rows: give a share between 0 and 1"),
        (["--resume"], "resume=True needs the folder of the checkpoints: give checkpoint=FOLDER"),
        (["--checkpoint", __file__], f"checkpoints are kept in a folder; {__file__} is a file"),
        (["--save", "/proc/no/a"], "/proc/no/a ("),
        (["--plot", "/proc/no/a.png"], "FileNotFoundError: "),
        (["--plot", "a.word"], "ValueError: Format 'word' is not supported"),
    ],
)
def test_flags_that_cannot_be(write, arguments, message):
    assert failure(write(network("0.1")), *arguments).startswith(message)


def test_patience_of_no_epochs_is_wrong_usage(write):
    assert train(write(SMALL), "--patience", "0").exit_code == 2


@pytest.mark.parametrize("value", ["[1]", "None", "{3: 4}", "'patience'"])
@pytest.mark.usefixtures("never_fitted")
def test_options_that_cannot_be(write, value):
    model = write(SMALL + f"options = {value}\n")
    assert failure(model) == (
        f"options in {model} must be a dictionary of settings of fit, such as {{'patience': 5}}; got {value}"
    )


def test_an_option_that_fit_has_not_is_named(write):
    assert "'patienc'" in failure(write(SMALL + "options = {'patienc': 5}\n"))
    assert "'epochs'" in failure(write(SMALL + "options = {'epochs': 5}\n"))
    assert failure(write(SMALL + "options = {'patience': 0}\n")) == "patience must be an integer of at least 1; got 0"


def test_finish_is_called_with_the_result_at_the_end(write, tmp_path):
    text = SMALL + "def finish(result):\n    print('steps', result.steps, result.history.epochs)\n"
    result = train(write(text), "--epochs", "2")
    assert result.stdout.splitlines()[0] == "steps 4 2"
    assert "parameters" in result.stdout.splitlines()[1]
    result = train(write(text), "--epochs", "2", "--json")
    assert result.stderr == "steps 4 2\n"
    assert json.loads(result.stdout)["steps"] == 4


def test_a_finish_that_raises_or_is_none_is_named(write, tmp_path):
    model = write(SMALL + "def finish(result):\n    return 1 / 0\n")
    assert failure(model) == f"{model}, line 5 raised ZeroDivisionError: division by zero"
    model = write(SMALL + "def finish():\n    pass\n")
    assert failure(model).startswith(f"{model}: finish raised TypeError: finish() takes 0 positional arguments")
    model = write(SMALL + "finish = 3\n")
    assert failure(model) == f"finish in {model} must be a function finish(result); got a value of type int"
    assert train(write(SMALL + "finish = None\n"), "--epochs", "0").exit_code == 0


def test_a_stream_is_data_too(write):
    text = (
        "import numpy as np\nfrom catlearn import Stream\n"
        + network("0.1")
        + "rows = data\ndef batches(epoch):\n"
        + "    return ((rows.train_inputs[k : k + 25], rows.train_targets[k : k + 25]) for k in range(0, 100, 25))\n"
        + "data = Stream(batches, 3, rows.test_inputs, rows.test_targets)\n"
    )
    values = train_json(write(text), "--epochs", "2")
    assert (values["steps"], values["train_accuracy"], values["parameters"]) == (6, None, 12)
    assert 0 <= values["test_accuracy"] <= 100


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "-1"],
        ["--epochs", "x"],
        ["--epochs", "1.5"],
        ["--batch-size", "0"],
        ["--seed", "-1"],
        ["--set", "CLASSES"],
        ["--set", "=3"],
        ["--no-such-option"],
        ["another.py"],
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_wrong_usage(arguments):
    result = train(CIRCUIT, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")
    assert "Traceback" not in result.stderr


def test_no_model_is_wrong_usage():
    assert train().exit_code == 2


# Constants


def test_set_replaces_a_constant():
    values = train_json(CIRCUIT, "--set", "CLASSES=2")
    assert values["test_accuracy"] == pytest.approx(98.0)
    assert (values["steps"], values["parameters"]) == (50, 32)


def test_set_replaces_several():
    values = train_json(CIRCUIT, "--set", "CLASSES=2", "--set", "LABELS=binary")
    assert values["parameters"] == 16


def set_values(write, text, *replacements):
    """The constants of a file, as the file sees them after its first lines, with replacements."""
    shown = "raise RuntimeError(repr({k: v for k, v in globals().items() if k.isupper()}))\n"
    options = [word for replacement in replacements for word in ("--set", replacement)]
    message = failure(write(text + shown), *options)
    assert "RuntimeError: {" in message, message
    return eval(message.partition("RuntimeError: ")[2])


@pytest.mark.parametrize(
    ("original", "given", "value"),
    [
        ("3", "4", 4),
        ("3", "-4", -4),
        ("3", " 1_000", 1000),
        ("0.5", "0.25", 0.25),
        ("0.5", "1e-3", 0.001),
        ("0.5", "2", 2.0),
        ("True", "False", False),
        ("'a'", "b", "b"),
        ("'a'", "'3'", "3"),
        ("'a'", "two words", "two words"),
        ("'a'", "x=y", "x=y"),
        ("'a'", "", ""),
        ("(1, 2)", "(3, 'x')", (3, "x")),
        ("(1, 2)", "3,4", (3, 4)),
        ("[1]", "[2, -3]", [2, -3]),
        ("{'a': 1}", "{'b': [2]}", {"b": [2]}),
        ("None", "5", 5),
        ("None", "word", "word"),
        ("1 + 1", "5", 5),
        ("dict(a=1)", "word", "word"),
    ],
)
def test_values_of_set(write, original, given, value):
    found = set_values(write, f"NAME = {original}\nOTHER = NAME\n", f"NAME={given}")
    assert found == {"NAME": value, "OTHER": value}
    assert type(found["NAME"]) is type(value)


def test_set_leaves_other_constants(write):
    assert set_values(write, "A = 1\nB = A + 1\nC = 7\n", "A=5") == {"A": 5, "B": 6, "C": 7}


def test_set_replaces_what_the_file_never_runs(write):
    assert set_values(write, "A = int(undefined_name)\n", "A=5") == {"A": 5}


def test_the_last_set_wins(write):
    assert set_values(write, "A = 1\n", "A=5", "A=6") == {"A": 6}


def test_set_reaches_annotated_and_tuple_constants(write):
    text = "A: int = 1\nB, C = 2, 3\nD, e = 4, 5\n"
    assert set_values(write, text, "A=10", "C=30") == {"A": 10, "B": 2, "C": 30, "D": 4}
    assert set_values(write, text, "D=40", "B=20") == {"A": 1, "B": 20, "C": 3, "D": 40}


@pytest.mark.parametrize(
    ("original", "given", "wanted", "got"),
    [
        ("3", "4.0", "int", "float"),
        ("3", "True", "int", "bool"),
        ("True", "1", "bool", "int"),
        ("3", "three", "int", "str"),
        ("3", "", "int", "str"),
        ("3", "None", "int", "NoneType"),
        ("-0.5", "nan", "float", "str"),
        ("0.5", "True", "float", "bool"),
        ("[1]", "(1,)", "list", "tuple"),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_set_of_another_type(write, original, given, wanted, got):
    model = write(f"NAME = {original}\n" + SMALL)
    assert failure(model, "--set", f"NAME={given}") == (
        f"NAME in {model} is {original}, of type {wanted}: {given!r} is of type {got}"
    )


@pytest.mark.usefixtures("never_fitted")
def test_set_of_text_that_reads_as_a_number_says_how_to_write_it():
    assert failure(CIRCUIT, "--set", "LABELS=3").endswith(
        "is 'one-hot', of type str: '3' is of type int; for text write --set LABELS=\"'3'\""
    )


def test_set_of_an_unknown_name():
    assert failure(CIRCUIT, "--set", "CLASES=2") == (
        f"{CIRCUIT} has no constant CLASES that --set can replace: did you mean 'CLASSES'?"
    )
    assert failure(CIRCUIT, "--set", "QQ=2").endswith("known are CLASSES, LABELS")


def test_set_where_there_are_no_constants(write):
    text = "if True:\n    A = 1\ndef f():\n    B = 1\nC += 1\nlower = 1\n"
    for name in ("A", "B", "C", "lower"):
        message = failure(write(text), "--set", f"{name}=2")
        assert message.endswith("it has no upper-case constant at its top level")


def test_set_of_a_constant_that_is_assigned_twice(write):
    model = write("A = 1\nB = 2\nA = 3\n" + SMALL)
    assert failure(model, "--set", "A=5") == f"{model} assigns A more than once (lines 1, 3): --set needs one"


@pytest.mark.parametrize("name", ["epochs", "batch_size", "seed"])
def test_set_of_a_setting_names_its_option(name):
    option = "--" + name.replace("_", "-")
    assert failure(CIRCUIT, "--set", f"{name}=2").endswith(f"for {name} use {option}")


@pytest.mark.usefixtures("never_fitted")
def test_one_wrong_set_among_right_ones():
    assert "NOPE" in failure(CIRCUIT, "--set", "CLASSES=2", "--set", "NOPE=2")


# Data


LOAD = (
    IMPORTS
    + LEARNER
    + "def load(data_dir):\n    print(repr(data_dir))\n    return datasets.iris_sorted(2).binarised()\n"
)


def test_load_gets_the_folder(write, tmp_path):
    result = train(write(LOAD), "--data-dir", tmp_path, "--epochs", "0")
    assert result.stdout.splitlines()[0] == repr(tmp_path)


def test_load_gets_the_folder_of_the_environment(write, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("CATLEARN_DATA", str(tmp_path / "other"))
    assert train(write(LOAD), "--epochs", "0").stdout.splitlines()[0] == repr(tmp_path / "other")
    assert train(write(LOAD), "--epochs", "0", "--data-dir", tmp_path).stdout.splitlines()[0] == repr(tmp_path)


def test_load_gets_none_without_a_folder(write, monkeypatch):
    assert train(write(LOAD), "--epochs", "0").stdout.splitlines()[0] == "None"
    monkeypatch.setenv("CATLEARN_DATA", "")
    assert train(write(LOAD), "--epochs", "0").stdout.splitlines()[0] == "None"


def test_data_is_taken_before_load(write, tmp_path):
    text = SMALL + "def load(data_dir):\n    raise RuntimeError('load ran')\n"
    assert train(write(text), "--data-dir", tmp_path, "--epochs", "0").exit_code == 0


def test_load_is_taken_where_data_is_something_else(write):
    assert train(write("data = 3\n" + LOAD), "--epochs", "0").exit_code == 0


@pytest.mark.usefixtures("never_fitted")
def test_a_folder_that_does_not_exist(write, tmp_path):
    missing = tmp_path / "missing"
    message = f"--data-dir names {missing}, which does not exist"
    assert failure(write(LOAD), "--data-dir", missing) == message
    assert failure(write(SMALL), "--data-dir", missing) == message


@pytest.mark.usefixtures("never_fitted")
def test_a_folder_that_is_a_file(write):
    model = write(LOAD)
    assert failure(model, "--data-dir", model) == f"--data-dir names {model}, which is not a folder"


def test_a_folder_of_the_environment_that_does_not_exist(write, tmp_path, monkeypatch):
    monkeypatch.setenv("CATLEARN_DATA", str(tmp_path / "missing"))
    assert failure(write(LOAD)) == (
        f"the environment variable CATLEARN_DATA names {tmp_path / 'missing'}, which does not exist"
    )
    assert train(write(SMALL), "--epochs", "0").exit_code == 0


@pytest.mark.usefixtures("never_fitted")
def test_load_that_raises(write, tmp_path):
    model = write(IMPORTS + LEARNER + "def load(data_dir):\n    return open(data_dir / 'rows.csv')\n")
    message = failure(model, "--data-dir", tmp_path)
    assert message.startswith(f"{model}, line 4 raised FileNotFoundError: ")
    assert message.endswith("rows.csv'")
    assert failure(model).endswith("; no --data-dir was given, so data_dir is None")


@pytest.mark.usefixtures("never_fitted")
def test_load_without_an_argument(write, tmp_path):
    model = write(IMPORTS + LEARNER + "def load():\n    return 3\n")
    assert failure(model, "--data-dir", tmp_path) == (
        f"{model}: load raised TypeError: load() takes 0 positional arguments but 1 was given"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "{} defines no data: add data, or a function load(data_dir) that returns it"),
        ("data = [1]", "data in {} must be a catlearn.datasets.Data or a catlearn.Stream; got a value of type list"),
        (
            "data = None",
            "data in {} must be a catlearn.datasets.Data or a catlearn.Stream; got a value of type NoneType",
        ),
        ("data = Data", "data in {} must be a catlearn.datasets.Data or a catlearn.Stream; got the class Data"),
        ("load = 3", "load in {} must be a function load(data_dir); got a value of type int"),
        (
            "def load(data_dir): pass",
            "what load(data_dir) returns in {} must be a catlearn.datasets.Data or a catlearn.Stream; "
            "got a value of type NoneType",
        ),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_data_that_is_none(write, line, message):
    model = write(IMPORTS + LEARNER + line)
    assert failure(model) == message.format(model)


@pytest.mark.usefixtures("never_fitted")
def test_data_that_does_not_fit(write):
    message = failure(write(SMALL + "data = datasets.iris_sorted(3).binarised()\n"))
    assert message.startswith("train_targets needs rows of shape (2,)")
    assert message.endswith("got shape (75, 3)")


@pytest.mark.usefixtures("never_fitted")
def test_data_that_is_ragged(write):
    model = write(SMALL + "data = Data([[1], [2, 3]], data.train_targets, data.test_inputs, data.test_targets)\n")
    assert failure(model).startswith("data must be arrays, rows first, all rows alike: ")


@pytest.mark.usefixtures("never_fitted")
def test_data_without_rows(write):
    part = "data = Data(data.train_inputs[:0], data.train_targets[:0], data.test_inputs, data.test_targets)\n"
    assert failure(write(SMALL + part)) == "the training set is empty: give at least one row"


# The model file


@pytest.mark.usefixtures("never_fitted")
def test_a_file_that_is_not_there(tmp_path):
    missing = tmp_path / "missing.py"
    assert failure(missing) == f"{missing} does not exist: name a model file"


@pytest.mark.usefixtures("never_fitted")
def test_a_folder_for_a_file(tmp_path):
    assert failure(tmp_path) == f"{tmp_path} is a folder: name a model file in it"


@pytest.mark.usefixtures("never_fitted")
def test_a_path_through_a_file(write):
    model = write(SMALL)
    assert failure(model / "x.py") == f"cannot read {model / 'x.py'}: Not a directory"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\n\nb = = 2\n", "{}, line 3 is not Python: invalid syntax"),
        ("a = 1\nreturn 2\n", "{}, line 2 is not Python: 'return' outside function"),
        ("def f(:\n", "{}, line 1 is not Python: invalid syntax"),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_a_file_with_wrong_syntax(write, text, message):
    model = write(text)
    assert failure(model) == message.format(model)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00", b"a = '\xff'\n", b"a = 1\x00\n", b"(" * 5000])
@pytest.mark.usefixtures("never_fitted")
def test_a_file_that_is_not_text(write, content):
    model = write(content)
    message = failure(model)
    assert message.startswith(str(model))
    assert " is not Python: " in message


@pytest.mark.usefixtures("never_fitted")
def test_a_file_that_nests_too_deep(write):
    model = write("a = 1" + " + 1" * 100_000)
    assert failure(model).startswith(f"{model} cannot be read as Python: ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "{} defines no learner: add one, such as learner = supervised(model, loss, optimiser)"),
        (
            "learner = layers.lookup_table(4, 2)",
            "learner in {} must be a Learner, such as supervised(model, loss, optimiser) gives; "
            "got a value of type Para",
        ),
        (
            "def learner(data): pass",
            "learner in {} must be a Learner, such as supervised(model, loss, optimiser) gives; "
            "got a value of type function",
        ),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_a_learner_that_is_none(write, line, message):
    model = write(IMPORTS + DATA + line)
    assert failure(model) == message.format(model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = a / 0\n", "{}, line 2 raised ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError\n\n\nf()\n", "{}, line 2 raised ValueError"),
        ("raise ValueError('first\\nsecond')\n", "{}, line 1 raised ValueError: first"),
        (
            "import json\n\njson.loads('[')\n",
            "{}, line 3 raised JSONDecodeError: Expecting value: line 1 column 2 (char 1)",
        ),
        (
            "import no_such_module_at_all\n",
            "{}, line 1 raised ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("import sys\nsys.exit(3)\n", "{}, line 2 raised SystemExit: 3"),
        ("def f():\n    f()\nf()\n", "{}, line 2 raised RecursionError: maximum recursion depth exceeded"),
        (
            IMPORTS + "\nlayers.dense(4, 3) >> layers.dense(4, 3)\n",
            "{}, line 3 raised CompositionError: cannot compose",
        ),
    ],
)
@pytest.mark.usefixtures("never_fitted")
def test_a_file_that_raises(write, text, message):
    model = write(text)
    assert failure(model).startswith(message.format(model))


def test_a_message_without_debug_has_no_second_line(write):
    assert failure(write("raise ValueError('first\\nsecond')\n")).endswith("first")


def test_what_raises_while_it_trains_names_the_line(write, monkeypatch):
    monkeypatch.setattr(catlearn.training, "fit", lambda learner, data, **settings: learner.model.boom())
    text = SMALL + "\ndef boom():\n    raise KeyError('late')\n\nobject.__setattr__(learner.model, 'boom', boom)\n"
    model = write(text)
    assert failure(model) == f"{model}, line 6 raised KeyError: 'late'"


def test_what_raises_outside_the_file_is_one_line_too(write, monkeypatch):
    def fit(*arguments, **settings):
        raise TypeError("inside\nand more")

    monkeypatch.setattr(catlearn.training, "fit", fit)
    model = write(SMALL)
    assert failure(model) == f"{model}: training raised TypeError: inside"


def test_what_raises_in_the_accuracy_names_the_file(write, monkeypatch):
    def broken(self):
        raise TypeError("no accuracy")

    monkeypatch.setattr(catlearn.training.Result, "test_accuracy", property(broken))
    model = write(SMALL)
    assert failure(model, "--epochs", "0") == f"{model}: training raised TypeError: no accuracy"


def test_a_loss_that_is_not_finite(write):
    message = failure(write(network("1e30")))
    assert message.startswith("the loss is ")
    assert "lower the learning rate" in message


def test_debug_shows_the_traceback(write):
    model = write("a = 1\nb = a / 0\n")
    result = train(model, "--debug")
    assert result.exit_code == 1
    *traceback, last = result.stderr.splitlines()
    assert last == f"error: {model}, line 2 raised ZeroDivisionError: division by zero"
    assert "Traceback (most recent call last):" in traceback
    assert f'  File "{model}", line 2, in <module>' in traceback
    assert "    b = a / 0" in traceback


def test_debug_changes_nothing_where_all_is_well(write):
    result = train(write(SMALL), "--debug", "--epochs", "0")
    assert (result.exit_code, result.stderr) == (0, "")


def test_interruption(write):
    result = train(write('print("before")\nraise KeyboardInterrupt\n'), "--debug")
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


def test_interruption_of_training(write, monkeypatch):
    def fit(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(catlearn.training, "fit", fit)
    result = train(write(SMALL), "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "interrupted\n")


def test_an_error_and_an_interruption_in_their_own_process(write):
    signalled = write(
        "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.kill(os.getpid(), signal.SIGINT)\nwhile True:\n    pass\n",
        "signalled.py",
    )
    result = _python("-m", "catlearn.cli", "train", signalled)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "interrupted\n")
    result = _python("-m", "catlearn.cli", "train", "raises.py", cwd=write("\n1 / 0\n", "raises.py").parent)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: raises.py, line 2 raised ZeroDivisionError: division by zero\n"


def test_the_folder_of_the_file_is_importable_while_it_runs(write):
    write("VALUE = 2\n", "helper_of_the_file.py")
    write("VALUE = 2\n", "helper_of_load.py")
    model = write(
        IMPORTS
        + LEARNER
        + "import helper_of_the_file\ndef load(data_dir):\n    import helper_of_load\n"
        + "    return datasets.iris_sorted(helper_of_load.VALUE).binarised()\n"
    )
    before = list(sys.path)
    try:
        assert train(model, "--epochs", "0").exit_code == 0
        assert sys.path == before
        assert "catlearn_model" not in sys.modules
    finally:
        for name in ("helper_of_the_file", "helper_of_load"):
            sys.modules.pop(name, None)


def test_the_path_is_put_back_after_a_failure(write):
    before = list(sys.path)
    failure(write("import sys\nsys.path.append('nowhere')\nsys.path.pop(0)\n1 / 0\n"))
    assert sys.path == before
    assert "catlearn_model" not in sys.modules


def test_the_file_knows_its_name_and_is_no_script(write):
    model = write("raise RuntimeError((__file__, __name__ == '__main__', __doc__))\n")
    assert failure(model).endswith(repr((str(model), False, None)))


def test_data_classes_work_in_the_file(write):
    text = (
        "from __future__ import annotations\nimport dataclasses, typing\n"
        "@dataclasses.dataclass\nclass A:\n    a: typing.ClassVar[int] = 1\n    b: int = 2\n"
    )
    assert train(write(text + SMALL + "assert A(3).b == 3\n"), "--epochs", "0").exit_code == 0


def test_annotations_are_the_files_own(write):
    # The command line's own `from __future__ import annotations` would make them text.
    text = "def f(x: int): pass\nraise RuntimeError(f.__annotations__)\n"
    assert failure(write(text)).endswith("RuntimeError: {'x': <class 'int'>}")
