"""Going to and from other libraries: one module each, loaded when imported."""
