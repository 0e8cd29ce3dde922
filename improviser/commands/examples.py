"""Examples for the help of every command: what to type, and what it does."""

from collections.abc import Mapping

WIDEST = 78
"""Columns: help is read in terminals of 80."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "demo": (
        ("demo", "20 s; writes demo/session.mid and more"),
        ("demo --web open", "in a browser, with sound"),
        ("demo --sound", "aloud, too (needs the extra sound)"),
        ("demo --soundfont auto", "the WAV by FluidSynth"),
        ("demo --seed 7 --out take7", "another take, in another folder"),
    ),
    "play": (
        ("play", "one keyboard: just play"),
        ("play --input nanoKEY --output FLUID", "a part of each port's name"),
        ("play --input virtual --output virtual", "for a DAW"),
        ("play --input computer --sound", "no keyboard at hand"),
        ("play --web open", "in a browser: no synth"),
        ("play --soundfont auto", "aloud, with FluidSynth"),
        ("play --input tune.mid --loop", "a file is the player"),
        ("play --mode answer --scale 'D minor'", "reply after each phrase"),
        ("play --learn temperature", "move a knob to assign it"),
    ),
    "ports": (("ports", "what works here, and what to do where nothing does"),),
    "latency": (
        ("latency", "inside the engine"),
        ("latency --load", "with a display and an MQTT client busy"),
        ("latency --api jack", "through real ports, too"),
    ),
    "train": (
        ("train songs/ --task melody", "plays like them"),
        ("train songs/ --task melody --resume", "go on after Ctrl-C"),
        ("train songs/ -o my.safetensors --minutes 5", "an accompaniment"),
        ("train tune.mid -o my.safetensors --task echo", "the experiment"),
    ),
    "tune": (
        ("tune songs/ --task melody", "half an hour's search"),
        ("tune songs/ --task melody --resume", "go on after Ctrl-C"),
        ("tune songs/ --cluster tcp://HOST:8786", "on many machines"),
    ),
    "learn": (
        ("learn", "from all that is recorded"),
        ("learn --except 'session-2026-11-28*'", "a guest played then"),
        ("learn takes/ -o mine.safetensors", "from a folder, into a file"),
    ),
    "render": (
        ("render tune.mid answers.mid", "the answers alone"),
        ("render tune.mid both.mid --with-input", "tune and answers"),
        ("render tune.mid out.mid --mode answer", "a live session, off line"),
    ),
    "replay": (
        ("replay session.jsonl", "does it play the same?"),
        ("replay session.jsonl again.mid", "and write the notes"),
    ),
    "status": (
        ("status", "every session that plays here"),
        ("status --json", "for a program to read"),
    ),
    "picture": (
        ("picture demo/session.mid -o roll.svg", "who played what, when"),
        ("picture bach-bass -o listens.svg", "what moves a network"),
        ("picture my.jsonl -o curve.svg", "how its training went"),
    ),
    "report": (
        ("report demo/session.mid", "writes demo/session.html"),
        ("report session.jsonl -o take.html", "with latency and settings"),
    ),
    "models": (("models", "what can be played by name"),),
    "inspect": (
        ("inspect bach-bass", "what it is, where it is from"),
        ("inspect my.safetensors --json", "for a program to read"),
    ),
    "evaluate": (
        ("evaluate bach-bass bach-chorales", "on all of its corpus"),
        ("evaluate my.safetensors songs/ --json", "on your own"),
    ),
    "cache": (
        ("cache", "what is kept, and where"),
        ("cache --clear", "make room"),
    ),
    "import-bach-generator": (
        ("import-bach-generator models.json a.safetensors", "the 1st"),
        ("import-bach-generator models.json b.safetensors --index 1", "the 2nd"),
    ),
    "config init": (("config init", "every setting, explained; edit what you need"),),
    "config check": (("config check", "every value, and where it is set"),),
    "service install": (("service install -- --mqtt mqtt://localhost", "starts when you log in"),),
}


def epilog_of(command: str) -> str | None:
    """Return what the help of a command ends with; None for a command without examples."""
    examples = EXAMPLES.get(command)
    if examples is None:
        return None
    widest = max(len(typed) for typed, _ in examples)
    lines = [f"improviser {typed:<{widest}}  {does}" for typed, does in examples]
    return "\n".join(["Examples:", *lines])
