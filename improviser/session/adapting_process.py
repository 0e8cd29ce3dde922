"""The process that breeds adaptations while somebody plays: `python -m improviser.session.adapting_process 19`.

It runs at the lowest priority (the niceness that it is told), and only answers. Each line on stdin is a `Lesson`, each
line on stdout the `Learned` that comes of it; the same lessons have the same answers. When stdin ends, so does it.
"""

import sys

import msgspec

from improviser.engine.priority import step_back
from improviser.engine.protocol import Loaded
from improviser.errors import ImproviserError
from improviser.library import former
from improviser.library.adaptations import Pupil, adaptable_models, to_bytes
from improviser.signals import pass_over_interrupts


class Lesson(msgspec.Struct, frozen=True):
    """Notes that were heard, pitch and onset; with `models`, these are to be adapted from now on, from nothing.

    :param share: how much of what is bred is to be played, 0–1.
    """

    notes: list[tuple[int, float]]
    models: list[Loaded] | None = None
    seed: int = 0
    share: float = 1.0


class Learned(msgspec.Struct, frozen=True):
    """What is to be played: the files of adaptations, None before there is any telling; how many models can be adapted.

    :param without, ahead: bits a note of the last of them on what came after, as it is and as it was bred.
    """

    files: list[bytes] | None
    adaptable: int
    without: float = 0.0
    ahead: float = 0.0


class Learner:
    """Takes lessons, for all the models that play."""

    def __init__(self) -> None:
        self._pupils: list[Pupil] = []

    def take(self, lesson: Lesson) -> Learned:
        """Take in a lesson; return what came of all so far.

        :raises ImproviserError: if a model cannot be loaded.
        """
        if lesson.models is not None:
            models = [former.load(model.name, model.sha256) for model in lesson.models]
            self._pupils = [Pupil(model, lesson.seed) for model in models if any(adaptable_models([model]))]
        for pupil in self._pupils:
            for pitch, onset in lesson.notes:
                pupil.hear(pitch, onset)
        found = [pupil.learn(lesson.share) for pupil in self._pupils]
        told = [adaptations for adaptations in found if adaptations is not None]
        files = [to_bytes(each) for adaptations in told for each in adaptations] if told else None
        without, ahead = self._pupils[-1].bits if self._pupils else (0.0, 0.0)
        return Learned(files, sum(pupil.models for pupil in self._pupils), without, ahead)


def main() -> int:
    """Answer lessons until there are no more; return the exit code."""
    pass_over_interrupts()
    step_back(int(sys.argv[1]))
    learner = Learner()
    decode, encode = msgspec.json.Decoder(Lesson).decode, msgspec.json.Encoder().encode
    try:
        for line in sys.stdin.buffer:
            sys.stdout.buffer.write(encode(learner.take(decode(line))) + b"\n")
            sys.stdout.buffer.flush()
    except (ImproviserError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
