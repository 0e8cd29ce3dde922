"""Kernels that Numba compiles, for what evolution spends its time on; the core does without them."""
