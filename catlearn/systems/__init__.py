"""Further systems over the core: each a category, a functor, or an invariant of its own, with a page in docs/.

| system | modules | what it is |
| --- | --- | --- |
| Learn | `learn`, `discrepancy` | learners that hand on requests; the functor from parametrised maps |
| machines | `moore`, `poly`, `invariants` | learners as Moore machines; what training keeps, proved or refuted |
| causal maps | `causal`, `sequences`, `delayed_trace`, `loops` | state, feedback, derivatives without unrolling |
| sequential circuits | `registers`, `automata` | circuits with registers, learnt from words; finite-state machines |
| modes | `modes`, `linear_maps`, `taylor` | one derivative, several kinds of linear map; Taylor expansions |
| schemas | `schema`, `schema_training` | architectures from a graph with equations between its paths |
| smoothing | `smoothing` (with `kernels`, `chains`, `finite_kernels`, `gaussian_kernels`) | Markov kernels, as optics |
| backward passes | `backward` (with `rewriting`, `residuals` and one module a kind) | the same get, another put |
"""
