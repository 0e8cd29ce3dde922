"""Threads: one for linear algebra, and those of C libraries that Python is to know again.

Imports nothing that would import numpy, which reads the number of its threads only once.
"""

import ctypes
import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What tells numpy's linear algebra, whichever it is, how many threads to use."""


def use_one_thread() -> None:
    """Keep linear algebra to one thread, here if numpy is not imported yet, and in every process started from here."""
    for name in THREADS:
        os.environ[name] = "1"


def remember_this_thread() -> None:
    """Let Python keep what it knows of a C library's thread that calls into Python again and again.

    Else it makes all that anew for each call, and gives it back to the system: with two system calls and the faults of
    fresh memory that is 25 µs of a note's way. Where Python is not CPython, nothing happens.
    """
    python = getattr(ctypes, "pythonapi", None)
    if python is not None:
        python.PyGILState_Ensure()  # never released: so the thread stays known after the call that it is in
