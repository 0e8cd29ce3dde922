"""What comes of an event that is heard, or of time that passes: one value, which holds all that a caller needs."""

from typing import Any, NamedTuple

from improviser.core.live.player.knobs import Picked
from improviser.core.midi.event import Event


class Outcome(NamedTuple):
    """What a performer does, and has found out.

    :param events: what to send at once, in order.
    :param turned: the parameter that a knob has turned, and what it is now.
    :param picked: the model that the player has picked; `Performer.swap` brings it.
    :param done: the command (see `votes`) that a pedal of the player's gave, and that was carried out.
    :param foreseen: whether the answer had been computed before its note came.
    :param lost: whether a source of the player's was found to be gone.
    :param lost_input: which one's, counted from 0.
    :param echoing: whether our own notes come back in, and are passed over.
    :param circling: whether others answer our answers, in a ring, so that they come back, and are passed over.
    """

    events: list[Event]
    turned: tuple[str, Any] | None = None
    picked: Picked | None = None
    foreseen: bool = False
    lost: bool = False
    echoing: bool = False
    circling: bool = False
    lost_input: int = 0
    done: str | None = None
