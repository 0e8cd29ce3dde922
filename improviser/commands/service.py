"""`improviser service`: have systemd start a session when the user's computer starts, and keep it playing."""

from typing import Annotated

import typer

from improviser.commands.options import Force


def service() -> None:
    """Run a session as a systemd service."""  # a group needs this as long as it has one command only


def install(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options for `play`, after two hyphens.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="CLIENT", help="The name it plays under.")] = "improviser",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit and write nothing.")] = False,
    force: Force = False,
) -> None:
    """Write a systemd user unit that runs `improviser play`."""
    import sys
    from pathlib import Path

    import platformdirs

    from improviser.console_output import say
    from improviser.errors import OutputError
    from improviser.files import check_writable, create_folder, write_atomically
    from improviser.remote.systemd import unit
    from improviser.settings.checking import check

    check("name", name, "--name")
    options = ["--no-display", "--wait-for-ports", *(arguments or [])]
    text = unit([sys.executable, "-m", "improviser", "play", "--name", name, *options], f"Improviser ({name})")
    if dry_run:
        for line in text.removesuffix("\n").split("\n"):
            say(line)
        return
    if not sys.platform.startswith("linux"):
        raise OutputError("systemd units are for Linux; --dry-run prints one")
    path = Path(platformdirs.user_config_path()) / "systemd" / "user" / f"{unit_name(name)}.service"
    create_folder(path.parent)
    check_writable(path, force=force)
    write_atomically(path, text.encode())
    say(path)
    say(
        "start it now, and with every login:  systemctl --user daemon-reload && systemctl --user enable --now",
        path.stem,
    )
    say("and at boot, without a login:        loginctl enable-linger")


def unit_name(name: str) -> str:
    """Return what a unit for a session's name is called: systemd allows few characters."""
    import re

    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return "improviser" if name == "improviser" else f"improviser-{plain}"
