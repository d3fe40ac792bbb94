"""A first tour: diagrams, derivatives, lenses, parametrised maps, learners. Ten minutes to read; run it and compare."""

import jax
import numpy as np

import catlearn as cl
from catlearn import datasets, functions, functors, layers, losses, optimisers
from catlearn.functors.symbolic import polynomials

# 1. Diagrams. An object is a tuple of spaces; a space is a shape over a carrier.
number = cl.Space((), cl.INTEGERS)


@cl.diagram(number, number)
def area(width, height):
    return width * height


print("1.", area, "at 3, 4:", area(3, 4))

# Diagrams compose with >> and stand side by side with @; types are checked when they meet.
doubled = cl.copy(number) >> area  # x -> x * x
print("   ", [int(doubled(x)) for x in range(5)])
try:
    area >> area
except cl.CatlearnError as error:
    print("   ", error)

# 2. Derivatives. R[f] takes the inputs and a cotangent for each output, and gives one for each input.
back = cl.reverse_derivative(area)
print("2. R[area](3, 4, 10) =", tuple(map(int, back(3, 4, 10))))
print("    as polynomials:", polynomials(back))
print("    and R of R:", polynomials(cl.reverse_derivative(back)))

# 3. The same diagram has many meanings. Over Z2 it is a circuit, over the reals a smooth map.
smooth = cl.trace(cl.Space((3,), cl.REAL), lambda x: functions.sum(functions.tanh(x) * x))
point = np.array([0.1, 0.2, 0.3])
print("3.", smooth(point), "with gradient", cl.reverse_derivative(smooth)(point, 1.0))
print("    the same gradient by JAX:", jax.grad(smooth)(point.astype("float32")))
print("    without rounding:", functors.Exact()(area)(10**20, 10**20))

# 4. Bits that change by votes: the value is 0 or 1, the change an integer that says how much it should rise.
bit = cl.Space((), cl.BITS)
either = cl.trace((bit, bit), functions.union)
votes = cl.reverse_derivative(either)
print("4.", votes.dom, "->", votes.cod, ":", tuple(map(int, votes(0, 1, 5))))

# 5. Lenses: a diagram and its reverse derivative, composing by the chain rule.
lens = cl.Lens.of(doubled) >> cl.Lens.of(doubled)
print("5. x^4 at 3:", int(lens.get(3)), "and its derivative:", int(lens.put(3, 1)))

# 6. Parametrised maps: a layer is P x A -> B, and a model their composite.
model = layers.dense(4, 8, "tanh") >> layers.dense(8, 3)
print("6.", model.names)

# 7. Learners: model, loss and optimiser wired into one lens, whose put is the training step, again a diagram.
learner = cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.02))
print("7.", learner.step(), "with", learner.hyperparameters)
result = cl.fit(learner, datasets.iris(), epochs=100, batch_size=10, seed=0)
print("    test accuracy", result.test_accuracy, "%")
