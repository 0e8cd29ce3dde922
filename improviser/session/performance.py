"""A live session from its settings to its end: the service, what it says, and what it shows."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from improviser.console_output import say
from improviser.core.addresses.port_choice import AUTO, VIRTUAL
from improviser.core.live.snapshot import News
from improviser.engine.bus import Bus, Subscriber
from improviser.engine.handle import EngineProcess
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import OutputError
from improviser.files import user_path
from improviser.library import catalogue
from improviser.logs import start_log
from improviser.ports.interface import LOOPBACK
from improviser.ports.jack_choice import shown
from improviser.recordings.midi_recording import default_folder
from improviser.recordings.pruning import Limits
from improviser.recordings.recorder import Recorder
from improviser.remote.session_services import SessionServices
from improviser.session.adapting import Adapting
from improviser.session.live import live
from improviser.session.midi_learn import Learning
from improviser.session.page import SessionPage
from improviser.session.players import COMPUTER, COMPUTER_LEGEND, Player, api_for, player_for
from improviser.session.silence import Silence
from improviser.settings.config import PROFILE_VARIABLE, Config, Settings
from improviser.settings.keeping import check_keepable, keep
from improviser.settings.page_address import parse_page
from improviser.shell import quoted
from improviser.show.loudspeaker import Loudspeaker
from improviser.show.soundfont import OFF
from improviser.signals import run_until_signal

if TYPE_CHECKING:
    from improviser.session.display import Display

log = logging.getLogger("improviser")

ON_PAGE = "the page's keys"


def session_of(config: Config, random_seed: int, player: Player | None = None) -> Session:
    """Return the session that the settings describe; `random_seed` holds if they give none.

    :param player: who plays, if it is not a MIDI port; then a virtual one is opened beside it.

    :raises ModelError: if one of the models is not there.
    """
    settings = config.settings
    for model in (*settings.model, *settings.program_models):
        catalogue.check(model)
    ports = (*(settings.input if player is None else ()), *settings.output)
    has_page = parse_page(settings.web) is not None
    others = f"{settings.listen_to} (over MQTT)" if settings.listen_to is not None else ""
    plays_without = player.name if player is not None else ON_PAGE if has_page else others
    api = api_for(settings.api, ports, plays_without=bool(plays_without))
    spare_input = plays_without if player is not None or set(settings.input) == {AUTO} else ""
    heard = [player.name] if player is not None else [ON_PAGE] if has_page and api == LOOPBACK else []
    return Session(
        api=api,
        name=settings.name,
        input=settings.input if player is None else (VIRTUAL,),
        output=settings.output,
        models=settings.model,
        parameters=config.live,
        seed=random_seed if settings.seed is None else settings.seed,
        wait_for_ports=settings.wait_for_ports,
        choices=choices_of(settings),
        player=" and ".join([*heard, *([others] if others and (heard or api == LOOPBACK) else [])]),
        also_hears=others if not heard and api != LOOPBACK else "",
        spare_input=spare_input,
        spare_output=set(settings.output) == {AUTO} and bool(plays_without or sounds(settings)),
    )


def choices_of(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Return what program changes pick from: each model that was named alone and, after those of play, all together.

    Nothing where it is the library.
    """
    if settings.program_models:
        return tuple((name,) for name in settings.program_models)
    return (*((name,) for name in settings.model), settings.model) if len(settings.model) > 1 else ()


def recorder_of(config: Config) -> Recorder:
    """Return what keeps the session; it is off if the session is not to be kept, until a key says otherwise.

    :raises OutputError: if the folder that was asked for cannot be created.
    """
    record, settings = config.settings.record, config.settings
    folder = default_folder() if isinstance(record, bool) else user_path(record)
    limits = Limits(kept_days=settings.record_days, kept_megabytes=settings.record_megabytes)
    try:
        return Recorder(folder, limits, on=record is not False)
    except OutputError as error:
        if record is not True:
            raise
        # Nobody asked for this folder: a home that cannot be written must not keep anybody from playing.
        log.warning("the session is not recorded: %s", error)
        return Recorder(folder, limits, on=False)


def loudspeaker_of(config: Config) -> Loudspeaker | None:
    """Return what plays the session aloud, if that is wanted: with `sound`, or with a `soundfont` alone."""
    return Loudspeaker(font=_font(config.settings)) if sounds(config.settings) else None


def sounds(settings: Settings) -> bool:
    """Return whether the session is to be played aloud."""
    return bool(_font(settings)) if settings.sound is None else settings.sound


def _font(settings: Settings) -> str:
    return "" if settings.soundfont == OFF else settings.soundfont


def display_of(recorder: Recorder, *, on_keys: bool) -> "Display":
    """Return what shows the session; `on_keys`: it is played on the computer's keyboard."""
    # Here, because who plays without a display need not wait for all that draws it.
    from improviser.session.display import Display
    from improviser.session.key_commands import legend

    return Display(keys=COMPUTER_LEGEND if on_keys else legend(record=True), recording=lambda: recorder.on)


def saved_in(recorder: Recorder) -> str:
    """Return where what is played is kept.

    :raises OutputError: if it is not.
    """
    if not recorder.on:
        raise OutputError("there is nothing to save: the session is not recorded")
    return str(recorder.folder)


def learning_of(config: Config, parameters: Sequence[str], profile: str | None) -> Learning:
    """Return what learns which knobs turn `parameters`, and keeps that in the user's settings.

    :raises ConfigError: if there is no such parameter, or what is learned could not be kept.
    """
    check_keepable(config)
    return Learning(parameters, lambda controls: keep(config, controls, profile or os.environ.get(PROFILE_VARIABLE)))


async def give(
    config: Config,
    random_seed: int,
    load: Callable[[], Config] | None = None,
    learning: Learning | None = None,
    engine: EngineProcess | None = None,
) -> int:
    """Play until a signal ends it; return the exit code.

    :param load: reads the settings again, when SIGHUP asks for it.
    :param learning: what is to be learned meanwhile.
    :param engine: one that was started already.
    :raises ImproviserError: if models or ports cannot be opened.
    """
    start_log(config.settings.log_format, config.settings.log_level)
    wants_display = config.settings.display
    shown = sys.stdout.isatty() if wants_display is None else wants_display
    player = player_for(config.settings.input, loop=config.settings.loop, strict=config.settings.strict)
    for remark in player.remarks if player is not None else ():
        log.warning("%s", remark)
    on_keys = config.settings.input == (COMPUTER,)
    recorder = recorder_of(config)
    display = display_of(recorder, on_keys=on_keys) if shown else None
    loudspeaker = loudspeaker_of(config)
    silence, adapting = Silence(), Adapting(config.settings.seed or 0)
    services = SessionServices(config, load, partial(saved_in, recorder))
    bus = bus_of(
        {
            "the end of a session by silence": silence,
            "what is told of the session": services,
            "the recording": recorder,
            "the sound": loudspeaker,
            "the player": player,
            "learning": learning,
            "adapting to the player": adapting,
        }
    )
    if display is not None:
        bus.subscribe_slow("the display", display.take)
    tell_user = log.info if config.settings.log_format == "json" else say
    page = SessionPage(config.settings, recorder, tell_user, covered=shown)
    try:
        async with page.taking(bus), live(session_of(config, random_seed, player), bus, engine) as playing:
            service = playing.service
            playing.beside("the display", _follow(service, display, recorder, tell_user))
            playing.beside("the end of a session by silence", silence.end(service))
            playing.beside("what is told of the session", services.run(service))
            playing.beside("the page", page.run(service))
            playing.beside("adapting to the player", adapting.run(service))
            if learning is not None:
                playing.beside("learning", learning.run(service, log.info if shown else tell_user))
            if shown or on_keys:
                from improviser.session.key_commands import steer

                instrument = player.press if player else lambda _: False
                playing.beside("steering by keys", steer(service, tell, instrument, recorder))
            if player is not None:
                playing.beside("the player", player.play(service))
            return await run_until_signal(playing.ended(), service.stop, lambda: services.reload(service))
    finally:
        services.close()
        recorder.close()
        _tell_what_next(recorder, tell_user)
        if loudspeaker is not None:
            loudspeaker.close(wait=False)


def bus_of(subscribers: Mapping[str, Subscriber | None]) -> Bus:
    """Return a bus for all of these that there are; each is called what it belongs to."""
    bus = Bus()
    for part, subscriber in subscribers.items():
        if subscriber is not None:
            bus.subscribe(part, subscriber.take)
    return bus


def tell(line: str) -> None:
    """Put what a key has brought about into the log, where the display finds it too."""
    log.log(logging.INFO if isinstance(line, News) else logging.WARNING, "%s", line)


def _tell_what_next(recorder: Recorder, told: Callable[[str], None]) -> None:
    """Say what was recorded last, and what can be done with it."""
    if (path := recorder.newest) is None:
        return
    told("recorded; see and hear it as a page with")
    told(f"  improviser report {quoted(str(path))}")


async def _follow(service: Service, display: "Display | None", recorder: Recorder, told: Callable[[str], None]) -> None:
    """Say what was opened, then show the session."""
    await service.opened()
    hears, plays_to = service.connections
    plays_to = "no port" if service.api == LOOPBACK else plays_to
    told(
        f"playing on {service.api}{shown(service.jack_server)}: hears {hears}, plays to {plays_to} "
        f"({service.parameters.mode}, {', '.join(service.models)})"
    )
    if service.api == LOOPBACK:
        told("no MIDI system works here; improviser ports says why")
    told("change the ports with --input and --output; end with Ctrl-C")
    if recorder.on:
        told("recording the session (--no-record keeps none) in")
        told(f"  {recorder.folder}")
    if display is not None:
        await display.show(service)
