"""The line-up: who of the models that play does what."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from improviser.core.chorale.model import ChoraleModel
from improviser.core.harmony.context import Experts
from improviser.core.harmony.model import HarmonyModel
from improviser.core.live.answering.foresight import likely_notes, likely_onsets
from improviser.core.live.answering.together import Together
from improviser.core.melody.mixture import MixedResponder
from improviser.core.music.parts import NAMES
from improviser.core.networks.responder import Accompanist, Imaginative, Model, Responder, Singer
from improviser.core.tasks.registry import TASKS

AT_ONCE = 16
"""So many onsets are looked up in one piece."""


class LineUp:
    """The models that play, with what each of them does; it does not change.

    :param models: the models that play.
    :param responders: what plays each of them.
    """

    def __init__(self, models: Sequence[Model], responders: Sequence[Responder]) -> None:
        self.models: Final = tuple(models)
        joined = [*zip(models, responders, strict=True)]
        self.choirs: Final = tuple(Together(model, part) for model, part in joined if isinstance(model, ChoraleModel))
        """Parts that are chosen together; they answer after the others."""
        alone = [(model, part) for model, part in joined if not isinstance(model, ChoraleModel)]
        self.parts: Final = tuple(part for _, part in alone)
        self.plays: Final = bool(joined)
        """Whether there is anybody to play."""
        contexts = [model if isinstance(model, Accompanist) else None for model, _ in alone]
        self.experts: Final = tuple(None if context is None else Experts(context.context) for context in contexts)
        """What weighs, for each part, all that the player sounds; None where nothing does."""
        self.basses: Final = tuple(context is not None and context.is_bass for context in contexts)
        """Which parts play the lowest voice."""
        self.named: Final = tuple(_part_of(model) for model, _ in alone)
        """Which part of a choir each is, if any."""
        self.has_bass: Final = any(self.basses)
        singers = [part for part in self.parts if isinstance(part, Singer)]
        self.singer: Final = singers[0] if singers else None
        self.imaginative: Final = self.singer if isinstance(self.singer, Imaginative) else None
        """The part that sings, if it can imagine notes, so that replies are composed."""
        echoes = [part for model, part in alone if _can_lead(model)]
        self.leader: Final = next(iter([*singers, *echoes]), None)
        self.leads: Final = None if self.leader is None else self.parts.index(self.leader)
        """The number of the part that leads a reply; None if no part can."""
        self.is_choral: Final = bool(self.choirs)
        """Whether parts are chosen together: then the player's line is answered, chord by chord."""
        self.accompanies: Final = not self.choirs and any(experts is not None for experts in self.experts)
        """Whether a part weighs all that the player sounds: then chords are answered, and else each note."""

    @property
    def members(self) -> list[Responder | Together]:
        """All parts: those that answer alone, then the groups that answer together."""
        return [*self.parts, *self.choirs]

    @property
    def draws(self) -> int:
        """How many numbers an answer takes, at most."""
        return 2 * len(self.parts) + sum([choir.draws for choir in self.choirs])

    @property
    def weights(self) -> Mapping[str, float]:
        """How much each of the models of the line has to say just now; nothing before the player has said anything."""
        singer = self.singer
        return singer.weights if isinstance(singer, MixedResponder) and singer.weighed else {}

    def likely(self, heard: Collection[tuple[int, float]]) -> Iterator[tuple[int, float] | None]:
        """Yield pitch and onset of notes of the player's that are likely to come after those `heard`, best first.

        None where there is more to think before the next is known: so that each piece is short.
        """
        pitches, times = [pitch for pitch, _ in heard], [onset for _, onset in heard]
        members, moments = self.members, []
        for number, (onset, weight) in enumerate(likely_onsets(times), start=1):
            moments.append((tuple(part.moment(onset) for part in members), onset, weight))
            if number % AT_ONCE == 0:
                yield None
        if moments:
            yield from likely_notes(pitches, moments)


def _part_of(model: Model) -> int | None:
    """Return which part of a choir a model sings, if any."""
    voice = model.settings.voice if isinstance(model, HarmonyModel) else ""
    return NAMES.index(voice) if voice in NAMES else None


def _can_lead(model: Model) -> bool:
    """Say whether a model's task lets it lead where there is no singer; a caller's own model may be of none."""
    return model.task in TASKS and TASKS[model.task].leads
