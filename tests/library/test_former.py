"""Personal models that were replaced: what was played with them is still to be had, also as a part of the mixture."""

import os
from pathlib import Path

import numpy as np
import pytest

from improviser.core.melody.mixture import MixedModel
from improviser.core.melody.model import MelodyModel
from improviser.errors import ModelError
from improviser.library import catalogue, former
from improviser.library.catalogue import AUTO, PERSONAL, bundled_folder


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the personal model is to be; there is none."""
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path))
    return tmp_path / "me.safetensors"


def learn(own: Path, like: str) -> None:
    """Replace the personal model by one that is bundled."""
    former.keep(own)
    own.write_bytes((bundled_folder() / f"{like}.safetensors").read_bytes())
    former.keep(own)


def personal(model: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None:
    """Return the genomes of the personal model in a model, if there is one."""
    models = model.models if isinstance(model, MixedModel) else (model,)
    return next((each.genomes for each in models if isinstance(each, MelodyModel) and each.name == PERSONAL), None)


def test_what_was_played_with_a_model_that_was_replaced_can_be_played_again(own: Path) -> None:
    digests = {AUTO: [catalogue.digest(AUTO)], PERSONAL: list[str]()}
    bred = []
    for like in ("folk-german", "folk-celtic", "bach-melody"):
        learn(own, like)
        for name, known in digests.items():
            known.append(catalogue.digest(name))
        bred.append(personal(catalogue.load_model(PERSONAL)))
    own.unlink()
    assert personal(former.load(AUTO, digests[AUTO][0])) is None
    for name, known in digests.items():
        for digest, genomes in zip(known[-3:], bred, strict=True):
            found = former.load(name, digest)
            assert found.name == name
            assert np.array_equal(personal(found), genomes)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="has changed since"):
        former.load(AUTO, "0" * 64)
    with pytest.raises(ModelError, match="no model named"):
        former.load(PERSONAL, "0" * 64)


def test_the_last_ones_are_kept_and_nothing_where_there_is_none(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former.keep(own)
    assert not former.folder().exists()
    monkeypatch.setattr(former, "MOST", 2)
    for number in range(4):
        own.write_bytes(b"%d" % number)
        for file in former.folder().glob("*"):
            os.utime(file, (number, number))
        former.keep(own)
    kept = sorted(file.read_bytes() for file in former.folder().iterdir())
    assert len(kept) == 2
    assert b"3" in kept
    assert catalogue.names() == tuple(sorted({PERSONAL, *catalogue.names()})), "they are no models of the library"
