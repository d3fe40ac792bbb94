"""A functor of one's own: diagrams as formulas in text, and their cost, each a table of rules.

A functor is a meaning for every generator; the meaning of a diagram follows.
"""

import catlearn as cl
from catlearn.generators.arithmetic import Add, Constant, Multiply

text = cl.Functor("text")
text.on(Add)(lambda generator, x, y: f"({x} + {y})")
text.on(Multiply)(lambda generator, x, y: f"{x}*{y}")
text.on(Constant)(lambda generator: generator.name)

depth = cl.Functor("depth")  # how many gates a signal passes at most
depth.on(Add)(lambda generator, x, y: 1 + max(x, y))
depth.on(Multiply)(lambda generator, x, y: 1 + max(x, y))
depth.on(Constant)(lambda generator: 0)

bit = cl.Space((), cl.Z2)


@cl.diagram(bit, bit, bit)
def full_adder(x, y, carry):
    half = x + y
    return half + carry, x * y + half * carry


print("sum, carry =", text(full_adder)("x", "y", "c"))
print("depth      =", depth(full_adder)(0, 0, 0))
print("derivative =", text(cl.reverse_derivative(full_adder))("x", "y", "c", "s'", "c'"))
