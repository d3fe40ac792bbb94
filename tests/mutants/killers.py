"""For each mutant a few laws that kill it, mostly within 100 examples, the fastest first."""

from __future__ import annotations

__all__ = ["KILLERS"]

KILLERS: dict[str, tuple[str, ...]] = {
    "add: one side only": (
        "CIRC.R",
        "INST.dual",
    ),
    "add: as multiply": (
        "INST.dual",
        "CIRC.R",
    ),
    "add: doubled": (
        "CIRC.R",
        "INST.dual",
    ),
    "subtract: no sign": ("RD.derivative",),
    "subtract: exchanged": ("RD.derivative",),
    "multiply: exchanged": (
        "CIRC.R",
        "CIRC.mul.unit",
    ),
    "multiply: half": (
        "CIRC.mul.unit",
        "CIRC.R",
    ),
    "multiply: squared": (
        "CIRC.R",
        "CIRC.mul.unit",
    ),
    "multiply: as add": (
        "CIRC.R",
        "RD.derivative",
    ),
    "multiply: one slope": (
        "CIRC.R",
        "CIRC.mul.unit",
    ),
    "multiply: times x y": (
        "CIRC.R",
        "CIRC.mul.unit",
    ),
    "multiply: shifted": (
        "CIRC.R",
        "RD.derivative",
    ),
    "divide: no sign": ("RD.derivative",),
    "divide: no square": ("RD.derivative",),
    "not: no sign": (
        "BIT.gates",
        "RD.derivative",
    ),
    "xor: as over Z2": (
        "BIT.gates",
        "RD.derivative",
    ),
    "xor: exchanged": (
        "BIT.gates",
        "RD.derivative",
    ),
    "and: as or": (
        "BIT.gates",
        "CIRC.R",
    ),
    "include: two votes a bit": ("RD.derivative",),
    "power: exponent not lowered": ("RD.derivative",),
    "power: no logarithm": ("RD.derivative",),
    "maximum: to the smaller": ("RD.derivative",),
    "maximum: to both": ("RD.derivative",),
    "exp'": ("RD.derivative",),
    "log'": ("RD.derivative",),
    "sqrt'": ("RD.derivative",),
    "sin'": ("RD.derivative",),
    "cos'": ("RD.derivative",),
    "tanh'": ("RD.derivative",),
    "sigmoid'": ("RD.derivative",),
    "softplus'": ("RD.derivative",),
    "erf'": ("RD.derivative",),
    "abs'": ("RD.derivative",),
    "sign'": ("RD.derivative",),
    "relu'": ("RD.derivative",),
    "step'": ("RD.derivative",),
    "relu' at the kink": ("SMOOTH.kink",),
    "log softmax: no total": ("RD.derivative",),
    "log softmax: total taken as one": (
        "RD.6",
        "RD.2",
    ),
    "constant: falsehood taken for zero": ("CIRC.mul.unit",),
    "zero of a space: the number 0": (
        "RD.derivative",
        "DAG.linear",
    ),
    "contract: its own factor": ("RD.derivative",),
    "contract: roles not exchanged": ("RD.derivative",),
    "contract: a mean for a sum": (
        "RD.derivative",
        "PARA.batch",
    ),
    "contract: batch axis last": ("PARA.batch",),
    "gather: scattered backwards": ("RD.derivative",),
    "scatter: gathered backwards": ("RD.derivative",),
    "scatter: the last one wins": ("RD.derivative",),
    "slice: padded on the wrong side": ("RD.derivative",),
    "concatenate: cut in the other order": ("RD.derivative",),
    "reshape: back by columns": ("RD.derivative",),
    "map: the first sample's change": (
        "RD.derivative",
        "PARA.batch",
    ),
    "scan: back in the same direction": ("RD.derivative",),
    "scan: the last shared change": ("RD.derivative",),
    "scan: reads the state after the step": ("RD.derivative",),
    "scan: no change through the state": ("RD.derivative",),
    "scan: backward emissions not turned": ("RD.derivative",),
    "R: the last use wins": (
        "RD.struct",
        "CIRC.R",
    ),
    "R: the first use wins": (
        "RD.struct",
        "CIRC.R",
    ),
    "R: the last output wins": (
        "RD.struct",
        "CIRC.R",
    ),
    "R: nodes in forward order": (
        "DAG.linear",
        "RD.6",
    ),
    "R: changes of inputs in reverse order": (
        "RD.struct",
        "CIRC.R",
    ),
    "R: changes to the wrong inputs": (
        "RD.derivative",
        "RD.6",
    ),
    "R: reads the output for the input": ("RD.derivative",),
    "R: a wire used twice counts its change twice": (
        "RD.struct",
        "CIRC.R",
    ),
    "fold: a sum with one zero is zero": ("RD.derivative",),
    "fold: 0 - x is x": ("RD.derivative",),
    "fold: every constant is zero": ("DAG.linear",),
    "fold: x + 0 is 0": ("RD.derivative",),
    "D: zero in the value slot": (
        "DAG.context",
        "RD.D",
    ),
    "D: the other projection": (
        "CD.3",
        "DAG.linear",
    ),
    "D: point and direction exchanged": (
        "CD.3",
        "DAG.linear",
    ),
    "D: the direction added to the point": (
        "DAG.context",
        "RD.D",
    ),
    "D: R of R once too few": (
        "CD.3",
        "DAG.linear",
    ),
    "dagger: the changes of the context": ("DAG.context",),
    "dagger: zeros for the context too": ("DAG.context",),
    "dagger: at one, not at zero": ("DAG.char",),
    "swap: nothing where it is typed": (
        "CIRC.add.copy",
        "CAT.swap",
    ),
    "copy: the second copy in reverse order": (
        "CIRC.copy.comm",
        "CIRC.copy.unit",
    ),
    "+ of maps: the first twice": ("CLAC.monoid",),
    "+ of maps: one input each": (
        "CIRC.add.unit",
        "RD.struct",
    ),
    "zero map: the one": (
        "RD.struct",
        "RD.3",
    ),
    "merge: nodes on other wires": (
        "CIRC.R",
        "CIRC.add.unit",
    ),
    "merge: parts on other wires": ("PARA.tie",),
    "merge: nodes that are not additive too": ("LENS.share",),
    "drop: nodes that are not additive too": ("LENS.share",),
    "drop: never": (
        "LENS.share",
        "COST.assoc",
    ),
    "tensor: the second factor on the first's wires": (
        "RD.struct",
        "RD.3",
    ),
    "lens ;: the later put left out": (
        "COST.assoc",
        "PARA.eta",
    ),
    "lens ;: the later put at zero": (
        "COST.assoc",
        "LENS.unit",
    ),
    "lens ;: the later put at the input": (
        "COST.assoc",
        "LENS.sym",
    ),
    "lens ;: the change goes past the later put": (
        "COST.assoc",
        "LENS.unit",
    ),
    "lens ;: the other order": ("OPTIC.def",),
    "lens x: wires not exchanged": (
        "PARA.eta",
        "PARA.plens",
    ),
    "lens x: changes exchanged": (
        "PARA.eta",
        "PARA.plens",
    ),
    "lens identity: the put is zero": (
        "LENS.id",
        "PARA.eta",
    ),
    "lens swap: changes not exchanged": (
        "LENS.R",
        "LENS.sym",
    ),
    "lens of a map: marks lost in the put": ("PARA.plens",),
    "lens of a map: changes at zero": ("COST.assoc",),
    "optic ;: residuals exchanged": (
        "OPTIC.def",
        "OPTIC.iso",
    ),
    "optic ;: by way of lenses": ("OPTIC.def",),
    "optic x: residuals exchanged": ("OPTIC.def",),
    "optic to lens: the residual is zero": (
        "OPTIC.iso",
        "OPTIC.slide",
    ),
    "slide: the map on both sides": ("OPTIC.slide",),
    "lens to optic: the output for a residual": ("OPTIC.iso",),
    "para ;: P Q for Q P": (
        "PARA.names",
        "PARA.eta",
    ),
    "para ;: parameters of one space exchanged": (
        "PARA.comp",
        "PARA.plens",
    ),
    "para x: parameters exchanged": ("PARA.tensor",),
    "para x: middle not exchanged": ("PARA.tensor",),
    "reparametrise: twice": ("PARA.reparam",),
    "reparametrise: the input instead": ("PARA.reparam",),
    "tie: keeps the last": ("PARA.names",),
    "names: a number for each clash": ("PARA.names",),
    "names: the later layer counted first": ("PARA.names",),
    "names: layers beside not counted on": ("PARA.names",),
    "para to lenses: parameter and input exchanged": (
        "PARA.plens",
        "PARA.R",
    ),
    "batch: a parameter for each sample": ("PARA.batch",),
    "batch: the first sample for all": ("PARA.batch",),
    "batch: what is shared computed once, additive or not": ("PARA.batch",),
    "eta: the change is lost": ("PARA.eta",),
    "discard: the change stays": ("PARA.discard",),
    "ascent: minus for plus": (
        "OPT.group",
        "OPT.factor",
    ),
    "ascent: the change in place of the parameter": (
        "OPT.gd",
        "OPT.factor",
    ),
    "gd: divides by the rate": (
        "OPT.gd",
        "OPT.adagrad",
    ),
    "gd: the rate is ignored": (
        "OPT.gd",
        "OPT.adagrad",
    ),
    "gd: minus for plus": (
        "OPT.adagrad.optax",
        "OPT.rmsprop",
    ),
    "momentum: s+ = -gamma s + ..": (
        "OPT.momentum",
        "OPT.nesterov",
    ),
    "momentum: the rate outside the trace": (
        "OPT.nesterov",
        "OPT.momentum",
    ),
    "momentum: damped": (
        "OPT.momentum",
        "OPT.nesterov",
    ),
    "momentum: passes the old trace on": (
        "OPT.nesterov",
        "OPT.momentum",
    ),
    "nesterov: the stored p for the get": (
        "OPT.nesterov",
        "OPT.nesterov.iso",
    ),
    "nesterov: looks ahead by s": (
        "OPT.nesterov",
        "OPT.nesterov.iso",
    ),
    "nesterov: looks back": (
        "OPT.nesterov",
        "OPT.nesterov.iso",
    ),
    "nesterov flat: the old trace": (
        "OPT.nesterov.flat",
        "OPT.nesterov.iso",
    ),
    "nesterov flat: not damped": (
        "OPT.nesterov.flat",
        "OPT.nesterov.iso",
    ),
    "adagrad: epsilon inside": ("OPT.adagrad",),
    "adagrad: starts at 0.1": ("OPT.scaleinv",),
    "adagrad: the old sum under the root": ("OPT.adagrad",),
    "adagrad: no square": (
        "OPT.adagrad.optax",
        "OPT.adagrad",
    ),
    "adagrad of optax: epsilon outside": ("OPT.adagrad.optax",),
    "rmsprop: epsilon inside": ("OPT.rmsprop",),
    "rmsprop of optax: epsilon outside": ("OPT.rmsprop.optax",),
    "rmsprop: weights exchanged": (
        "OPT.rmsprop",
        "OPT.rmsprop.optax",
    ),
    "rmsprop: no weight on the new": (
        "OPT.rmsprop",
        "OPT.rmsprop.optax",
    ),
    "adam: m corrected by beta2": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: v corrected by beta1": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: hats stored": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: not corrected": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: epsilon inside": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: betas exchanged": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: the old moment": (
        "OPT.adamw",
        "OPT.adam",
    ),
    "adam: t before incrementing": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adam: t is not stored": (
        "OPT.adam",
        "OPT.adamw",
    ),
    "adamw: decay with the new p": ("OPT.adamw",),
    "adamw: grows": ("OPT.adamw",),
    "adamw: decay before the moments": ("OPT.adamw",),
    "adamw: decay without the rate": ("OPT.adamw",),
    "clip: above only": (
        "OPT.odd",
        "OPT.chain",
    ),
    "clip by norm: a norm for each parameter": (
        "OPT.pytree",
        "OPT.tensor",
    ),
    "chain: the other order": (
        "OPT.adagrad.optax",
        "OPT.rmsprop",
    ),
    "init: parameters from zero": ("OPT.def",),
    "quadratic: no half": (
        "LOSS.quadratic",
        "LEARNER.simplify",
    ),
    "quadratic: components exchanged": (
        "LOSS.quadratic",
        "RDA.real",
    ),
    "mse: a sum for the mean": ("LOSS.mse",),
    "mse: with a half": ("LOSS.mse",),
    "softmax cross-entropy: as printed in ERR.2": (
        "LEARNER.simplify",
        "LOSS.softmaxce",
    ),
    "softmax cross-entropy: no sign": (
        "LEARNER.simplify",
        "LOSS.softmaxce",
    ),
    "softmax cross-entropy: no logarithm": (
        "LOSS.softmaxce",
        "LEARNER.simplify",
    ),
    "sigmoid cross-entropy: plus": ("LOSS.sigmoidbce",),
    "sigmoid cross-entropy: the other label": ("LOSS.sigmoidbce",),
    "dot: half": (
        "LOSS.dot",
        "DREAM.dot",
    ),
    "dot: descends": ("DREAM.dot",),
    "quadratic: ascends": (
        "LEARNER.simplify",
        "RDA.real",
    ),
    "difference: exchanged": ("LOSS.difference",),
    "difference: the value as cap": ("RDA.step",),
    "exclusive or: or": (
        "LOSS.xor",
        "RDA.step",
    ),
    "exclusive or: a constant cap": (
        "RDA.step",
        "RDA.lut",
    ),
    "loss: the prediction for the label": (
        "LOSS.softmaxce",
        "LOSS.sigmoidbce",
    ),
    "constant cap: the sign is lost": (
        "CAP.const",
        "CAP.lossdep",
    ),
    "constant cap: the value too": (
        "CAP.id",
        "CAP.const",
    ),
    "identity cap: a constant": ("CAP.id",),
    "negation cap: no sign": (
        "CAP.neg",
        "CAP.lossdep",
    ),
    "step: the model at the stored p": ("LEARNER.supervised",),
    "step: the put on the get": ("LEARNER.supervised",),
    "step: label and input exchanged": (
        "RDA.step",
        "DREAM",
    ),
    "dreaming: the parameter's wire": ("DREAM",),
    "Z4: sums do not wrap": ("CIRC.distrib",),
    "Z4: sums stop at the top": ("CIRC.distrib",),
    "Z4: products do not wrap": ("CIRC.distrib",),
    "Z4: negatives do not wrap": (
        "INST.poly",
        "RD.derivative",
    ),
    "Z4: negation is the complement": ("RDA.fixpoint",),
    "Z4: a difference is a sum": ("RDA.fixpoint",),
    "Z3: one bit too wide": ("CIRC.distrib",),
    "Z2: addition is or": (
        "DAG.frobenius",
        "CIRC.wrap",
    ),
    "Z2: multiplication is or": (
        "CIRC.mul.unit",
        "CIRC.annihil",
    ),
    "Z2: negation is not": ("RDA.step",),
    "Z2: one is zero": ("DAG.frobenius",),
    "Boolean: addition is exclusive or": (
        "CIRC.fc.monotone",
        "CIRC.wrap",
    ),
    "Boolean: operations exchanged": (
        "CIRC.annihil",
        "CIRC.mul.unit",
    ),
    "saturating: sums wrap": ("CIRC.fc.monotone",),
    "saturating: an overflow is zero": (
        "CIRC.add.assoc",
        "CIRC.distrib",
    ),
    "saturating: products do not stop": ("CIRC.distrib",),
    "saturating: a mean for a sum": (
        "CIRC.add.unit",
        "CIRC.add.assoc",
    ),
    "min-plus: zero is 0": (
        "CAP.id",
        "CIRC.add.unit",
    ),
    "min-plus: one is 1": (
        "INST.poly",
        "RD.derivative",
    ),
    "min-plus: the larger": ("CIRC.add.unit",),
    "min-plus: products": (
        "CIRC.annihil",
        "CIRC.mul.unit",
    ),
    "integers: negation is not": ("RDA.fixpoint",),
    "integers: a difference turned": ("LOSS.sigmoidbce",),
    "reals: a quotient turned": (
        "RD.derivative",
        "RDA.fixpoint",
    ),
    "negate: no sign": ("RD.derivative",),
    "one hot: one too far": ("INST.discrete",),
    "counter: one too far": ("INST.discrete",),
    "R: a zero change ends at any node": ("LENS.share",),
    "R: marks are not taken off": ("INST.marks",),
    "Z4: whole numbers stop at the top": ("INST.sums",),
    "bits: exclusive or is or": ("INST.values",),
    "bits: not is the same": ("INST.values",),
    "sums over an axis: an odd one is lost": ("INST.sums",),
    "whole numbers: digits from the wrong end": ("INST.sums",),
    "label cross-entropy: no sign": ("LOSS.label",),
    "optax adagrad: starts at 0": ("OPT.adagrad.optax",),
    "cap: a sum over the batch": ("LEARNER.batch",),
    "cap: not the one that is given": ("LEARNER.cap",),
    "frozen parameters move": ("LEARNER.roles",),
    "prediction at the stored p": ("LEARNER.prediction",),
    "penalty: no half": ("LOSS.penalty",),
    "loss times a number: penalties not": ("LOSS.penalty",),
    "sum of losses: the first alone": ("LOSS.sum",),
    "lens of a map: marks kept in the get": ("INST.marks",),
    "merge: never": ("CAT.share",),
}
