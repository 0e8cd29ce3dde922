"""The tally of a session's events: what they change of what is shown."""

from improviser.core.live.player.votes import COMMANDS
from improviser.core.live.snapshot import News, Setup
from improviser.engine.events import event_of
from improviser.engine.protocol import MODEL, Adapted, AnyReport, Applied, Done, Ready, Weighed
from improviser.engine.session_tally import SessionTally

SETUP = Setup(("auto",))


def after(*reports: AnyReport) -> SessionTally:
    tally = SessionTally()
    for report in reports:
        tally.take(event_of(report))
    return tally


def test_who_is_listened_to_holds_until_others_play() -> None:
    weighed = Weighed({"folk-celtic": 0.7, "this session": 0.3})
    assert after(weighed).weights == weighed.weights
    assert after(weighed, Applied("temperature", 1.0)).weights == weighed.weights
    assert after(weighed, Applied(MODEL, ["no such"], "there is none")).weights == weighed.weights
    assert not after(weighed, Applied(MODEL, ["echo"])).weights
    assert not after(weighed, Ready("jack", "in", "out")).weights


def test_every_command_is_shown_as_news() -> None:
    for command in COMMANDS:
        (line,) = after(Done(command, 1.0)).snapshot(2.0, SETUP).warnings
        assert isinstance(line, News)


def test_an_adaptation_and_its_end_are_shown() -> None:
    said = after(Adapted(1.0, ["0" * 64]), Adapted(2.0, [])).snapshot(3.0, SETUP).warnings
    assert said == ("adapted to your playing", "as without adaptation")
