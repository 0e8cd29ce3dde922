"""`improviser ports`: what MIDI there is on this machine."""

from typing import Annotated

import typer

NONE_BUT_VIRTUAL = "none but our own virtual ones"
VIRTUAL_INSTEAD = "`improviser play --input virtual` opens a port that others can connect to."
WITHOUT_VIRTUAL = (
    "`improviser play --web open` plays without, in a browser; to hear other programs, install loopMIDI and name its "
    "port."
)


def ports(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the MIDI systems that work here, and their ports. If there are none, say what to do."""
    from improviser.console_output import say, say_json
    from improviser.ports.survey import ApiReport, survey

    reports = survey()
    if json:
        say_json(reports, indent=2)
        return

    def show(report: ApiReport) -> None:
        if not report.available:
            say(f"{report.title}: not available ({report.problem}); to use it, {report.remedy}")
            return
        say(f"{report.title} (--api {report.api})")
        if report.reason:
            say(f"  {report.reason}")
        for title, names in (("inputs, to be heard by us", report.inputs), ("outputs, to play to", report.outputs)):
            say(f"  {title}:")
            for port in names or (NONE_BUT_VIRTUAL if report.has_virtual_ports else "none",):
                say(f"    {port}")

    for report in reports:
        show(report)
    if not any(report.inputs for report in reports):
        say()
    if not any(report.available for report in reports):
        say("No MIDI system works here. You can play all the same:")
        say("  improviser play --web open                  in a browser")
        say("  improviser play --input computer --sound    on the computer's keys")
        say("  improviser demo                             just listen")
    elif not any(report.inputs for report in reports):
        opens = any(report.available and report.has_virtual_ports for report in reports)
        say("No keyboard is connected.", VIRTUAL_INSTEAD if opens else WITHOUT_VIRTUAL)
