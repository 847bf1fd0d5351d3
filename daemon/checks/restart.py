"""Does an armed dead man's switch outlive a restart of the guard? Reckoned with what systemd on this machine waits.

Why read the units: from systemd 254 on the pause may grow with every start (`RestartSteps=`, `RestartMaxDelaySec=`),
and starts are counted until somebody starts the service by hand. So some restarts in a year are enough to make the
longest pause the usual one. Units: seconds. Source: systemd.service(5), systemd.time(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.model import Settings
from config.policy import SwitchMode
from daemon.checks.findings import Finding, advice, ok, problem
from daemon.exit_codes import ExitCode

RESTART_S: Final = 5
"""What the systemd unit waits before it starts the guard again (`RestartSec`)."""
COLD_START_S: Final = 10
"""From process start to the first feed of the switch: interpreter, recovery, connections, first picture."""
MARGIN_S: Final = 10
UNIT: Final = "seawall@.service"
UNIT_FOLDERS: Final = tuple(
    Path(each) for each in ("/usr/lib/systemd/system", "/usr/local/lib/systemd/system", "/etc/systemd/system")
)
"""Where packages, the installer and people lay units; the later ones count."""
_KEY: Final = re.compile(r"^[ \t]*(Restart(?:Sec|MaxDelaySec|Steps))[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_UNITS_S: Final = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec"), 0.001),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pauses:
    """How long the service manager waits before it starts the guard again."""

    first_s: float = RESTART_S
    longest_s: float = RESTART_S
    """After some starts in a row."""


def pauses_on_this_machine(instance: str, folders: tuple[Path, ...] = UNIT_FOLDERS) -> Pauses:
    """Return what the units of one guard say; those that this project ships where none is installed.

    Args:
        instance: What stands behind the @: the name of the settings file.
        folders: Where units are looked for, those that count most last.
    """
    said: dict[str, str] = {}
    for path in _files(instance, folders):
        said |= dict(_KEY.findall(_text(path)))
    first_s = _seconds(said, "RestartSec", RESTART_S)
    grows = said.get("RestartSteps", "0") not in {"", "0"}
    return Pauses(
        first_s=first_s, longest_s=max(first_s, _seconds(said, "RestartMaxDelaySec", 0)) if grows else first_s
    )


def switch_timeout(settings: Settings, pauses: Pauses) -> Finding:
    """An armed switch must outlive a restart of the guard."""
    switch = settings.policy.switch
    if switch.mode is SwitchMode.OFF:
        return ok("switch", "off: the dead man's switch is never written")
    after_start_s = COLD_START_S + MARGIN_S
    first_s, longest_s = pauses.first_s + after_start_s, pauses.longest_s + after_start_s
    parts = f"{COLD_START_S} s start, {MARGIN_S} s margin"
    if switch.timeout_s < first_s:
        grown = f", {longest_s:g} for when the pause has grown to {pauses.longest_s:g} s" if longest_s > first_s else ""
        text = (
            f"switch.timeout_s = {switch.timeout_s} does not outlive a restart of the guard "
            f"({pauses.first_s:g} s pause, {parts}): set it to {first_s:g} or more{grown}"
        )
        return problem("switch", text, ExitCode.BAD_INPUT)
    if switch.timeout_s < longest_s:
        text = (
            f"switch.timeout_s = {switch.timeout_s} outlives the first restarts of the guard, but the pause of"
            f" systemd grows to {pauses.longest_s:g} s ({parts} more): set it to {longest_s:g} or more, or lower"
            f" RestartMaxDelaySec of {UNIT}"
        )
        return advice("switch", text)
    words = f"a restart of the guard, a pause of {pauses.longest_s:g} s included"
    return ok("switch", f"its time-out of {switch.timeout_s} s outlives {words}")


def _files(instance: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    """The unit, then its drop-ins by their names, those of the instance last: as systemd reads them."""
    for name in (UNIT, f"seawall@{instance}.service"):
        found = [folder / name for folder in folders if (folder / name).is_file()]
        yield from found[-1:]
    drop_ins: dict[str, Path] = {}
    for name in (UNIT, f"seawall@{instance}.service"):
        for folder in folders:
            drop_ins |= {path.name: path for path in (folder / f"{name}.d").glob("*.conf")}
    yield from (drop_ins[name] for name in sorted(drop_ins))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # a drop-in for root's eyes: nothing is known of it


def _seconds(said: Mapping[str, str], key: str, otherwise: float) -> float:
    """Read a time span as systemd does; what is none, or has no end, is not reckoned with."""
    parts = _SPAN.findall(said.get(key, ""))
    if not parts or any(unit not in _UNITS_S for _, unit in parts):
        return otherwise
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)
