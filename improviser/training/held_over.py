"""How well a model knows which notes a voice holds over, and how many it holds over when left to itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from improviser.core.harmony.corpus import TOLERANCE_SECONDS
from improviser.core.harmony.holding import probability
from improviser.core.live.answering.decoding import choose
from improviser.core.music.note import Note
from improviser.core.music.piece import sounding_at
from improviser.core.networks.responder import Holder, Model
from improviser.training.holding import held_over


@dataclass(slots=True)
class HeldOver:
    """What was counted.

    :param onsets: notes of the players'.
    :param stays: where the corpus's voice stayed on its pitch; `held`: where it held the note over.
    :param bits: what that cost the model, all together; `right`: where it found likelier what came.
    :param expected: how many notes the model holds over by itself.
    """

    onsets: int = 0
    stays: int = 0
    held: int = 0
    bits: float = 0.0
    right: int = 0
    expected: float = 0.0

    def add(
        self, model: Model, player: Sequence[Note], own: Sequence[Note], rng: np.random.Generator, temperature: float
    ) -> None:
        """Count a piece; of a model that holds nothing over, nothing."""
        responder, alone = model.responder(), model.responder()
        if not isinstance(responder, Holder) or not isinstance(alone, Holder):
            return
        onsets = [note.onset_seconds for note in player]
        answers = sounding_at(own, onsets, tolerance_seconds=TOLERANCE_SECONDS)
        before: int | None = None
        played: int | None = None
        for note, answer, holds in zip(player, answers, held_over(player, own), strict=True):
            self.onsets += 1
            self.held += holds
            if answer is not None and answer == before:
                odds = responder.hold_odds(note.pitch, note.onset_seconds)
                self.stays += 1
                self.bits -= math.log2(probability(odds if holds else -odds))
                self.right += (odds > 0) == holds
            responder.learn(note.pitch, note.onset_seconds, answer)
            before = answer
            pitch = choose(alone.propose(note.pitch, note.onset_seconds), temperature, rng)
            if pitch == played:
                self.expected += probability(alone.hold_odds(note.pitch, note.onset_seconds), temperature)
            alone.learn(note.pitch, note.onset_seconds, pitch)
            played = pitch

    def figures(self) -> Mapping[str, float]:
        """Return the shares of the players' notes over which a note is held, and the bits and hits where one may be."""
        onsets, stays = self.onsets or math.nan, self.stays or math.nan
        return {
            "model": self.expected / onsets,
            "corpus": self.held / onsets,
            "bits_per_decision": self.bits / stays,
            "right": self.right / stays,
        }
