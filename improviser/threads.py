"""Keeps linear algebra to one thread; imports nothing that would import numpy, which reads this only once."""

import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What tells numpy's linear algebra, whichever it is, how many threads to use."""


def use_one_thread() -> None:
    """Keep linear algebra to one thread, here if numpy is not imported yet, and in every process started from here."""
    for name in THREADS:
        os.environ[name] = "1"
