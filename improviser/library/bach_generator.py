"""The original's model files: JSON, a list of models, each a list of layers, each a list of its nodes' weights.

The weights of a node are those to every node of the next layer. In *object* models the output has none (`[]`), in
*matrix* models it has one.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.arrays import Float64Array
from improviser.core.echo.model import EchoModel
from improviser.core.echo.network import MAX_LAYERS, MAX_NODES, MAX_WEIGHT, EchoNetwork, EchoShape, LayerType
from improviser.errors import ModelError
from improviser.files import read_regular

MAX_FILE_BYTES = 64 * 2**20


def read_models(path: Path) -> list[Any]:
    """Return the models in the original's file, still unchecked.

    :raises ModelError: if it is not such a file.
    """
    try:
        if path.is_dir():
            raise ModelError(f"{path} is a folder; name a JSON file of bach_generator's")
        if not path.is_file():
            raise ModelError(f"there is no file {path}; name a JSON file of bach_generator's")
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise ModelError(f"{path} is too large ({size} bytes, the limit is {MAX_FILE_BYTES})")
        models = json.loads(read_regular(path, MAX_FILE_BYTES))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON; name a file that bach_generator saved") from error
    if not isinstance(models, list) or not models:
        raise ModelError(f"{path} holds no list of models; name a file that bach_generator saved")
    return models


def convert(name: str, layers: Any) -> EchoModel:
    """Return the model that `layers` describe, object or matrix layers by what they look like.

    :raises ModelError: if they describe none; says where.
    """
    if not isinstance(layers, list) or not 2 <= len(layers) <= MAX_LAYERS:
        raise ModelError(f"a model is a list of 2–{MAX_LAYERS} layers")
    for number, layer in enumerate(layers):
        if not isinstance(layer, list) or not 1 <= len(layer) <= MAX_NODES:
            raise ModelError(f"layer {number} is no list of 1–{MAX_NODES} nodes")
    layer_type: LayerType = "object" if layers[-1] == [[]] else "matrix"
    sizes = tuple(len(layer) for layer in layers)
    if sizes[-1] != 1:
        raise ModelError(f"it has {sizes[-1]} outputs; only models with one can play")
    targets = sizes[1:] if layer_type == "object" else (*sizes[1:], 1)
    weights = tuple(
        _matrix(number, layer, columns) for number, (layer, columns) in enumerate(zip(layers, targets, strict=False))
    )
    return EchoModel(name, EchoNetwork(EchoShape(sizes, layer_type), weights))


def _matrix(number: int, layer: Sequence[Any], columns: int) -> Float64Array:
    """Return the weights of one layer, a row for each node."""
    for node, weights in enumerate(layer):
        where = f"node {node} of layer {number}"
        if not isinstance(weights, list) or len(weights) != columns:
            found = len(weights) if isinstance(weights, list) else "no list of"
            raise ModelError(f"{where} has {found} weights; the next layer has {columns} nodes")
        for weight in weights:
            if type(weight) not in {int, float} or not abs(weight) <= MAX_WEIGHT:
                raise ModelError(
                    f"{where} has a weight that is no number between ±{MAX_WEIGHT:.0f}: {str(weight)[:20]}"
                )
    return np.array(layer, np.float64)
