"""Arrays of numbers, called by what they hold."""

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
"""What networks compute with: genomes, inputs, activations."""
Float64Array = NDArray[np.float64]
"""What is encoded, decoded and measured."""
