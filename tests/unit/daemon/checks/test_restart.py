"""An armed switch against the pause before a restart: the project's own, and what systemd here really makes of it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from config.load import load_settings
from config.model import Settings
from config.policy import Policy, SwitchMode, SwitchPolicy
from config.venue import Environment, venue_settings
from daemon.checks.findings import Standing
from daemon.checks.restart import COLD_START_S, MARGIN_S, RESTART_S, Pauses, pauses_on_this_machine, switch_timeout

REPOSITORY = Path(__file__).resolve().parents[4]
UNIT = REPOSITORY / "deploy" / "systemd" / "seawall@.service"
DROP_IN = REPOSITORY / "deploy" / "systemd" / "254" / "growing-delay.conf"
AFTER_START_S = COLD_START_S + MARGIN_S


def with_switch(mode: SwitchMode, timeout_s: float) -> Settings:
    """Settings with another switch."""
    switch = SwitchPolicy(mode=mode, timeout_s=Decimal(str(timeout_s)))
    return replace(Settings(venue=venue_settings(Environment.TESTNET)), policy=Policy(switch=switch))


def test_the_restart_that_is_reckoned_with_is_the_one_of_the_unit() -> None:
    """The systemd unit and the check must not drift apart."""
    restart = re.search(r"^RestartSec=(\d+)$", UNIT.read_text(), flags=re.MULTILINE)
    assert restart is not None
    assert int(restart.group(1)) == RESTART_S


@pytest.mark.parametrize(
    ("mode", "short_by", "standing"),
    [
        (SwitchMode.AUTO, 1, Standing.PROBLEM),
        (SwitchMode.ALWAYS, 1, Standing.PROBLEM),
        (SwitchMode.AUTO, 0, Standing.OK),
        (SwitchMode.OFF, 1, Standing.OK),
    ],
)
def test_an_armed_switch_must_outlive_a_restart(mode: SwitchMode, short_by: int, standing: Standing) -> None:
    """One second short is refused; a switch that is off cannot fire."""
    needed = RESTART_S + AFTER_START_S
    assert switch_timeout(with_switch(mode, needed - short_by), Pauses()).standing is standing


def test_a_pause_that_grows_is_reckoned_with_to_its_end() -> None:
    """The switch outlives the first restart and not a later one: known before, with both ways out; enough is enough."""
    pauses = Pauses(first_s=5, longest_s=30)
    short = switch_timeout(with_switch(SwitchMode.AUTO, 49), pauses)
    assert short.standing is Standing.ADVICE
    assert "grows to 30 s" in short.text
    assert "set it to 50 or more, or lower RestartMaxDelaySec" in short.text
    assert switch_timeout(with_switch(SwitchMode.AUTO, 50), pauses).standing is Standing.OK
    refused = switch_timeout(with_switch(SwitchMode.AUTO, 20), pauses)
    assert "set it to 25 or more, 50 for when the pause has grown to 30 s" in refused.text


def test_the_files_of_this_project_are_read_as_systemd_reads_them(tmp_path: Path) -> None:
    """Nothing installed, the unit alone, the unit with the drop-in of systemd 254: 5, 5 and 5 to 30 seconds."""
    assert pauses_on_this_machine("main", (tmp_path,)) == Pauses()
    shutil.copy(UNIT, tmp_path)
    assert pauses_on_this_machine("main", (tmp_path,)) == Pauses(first_s=5, longest_s=5)
    folder = tmp_path / "seawall@.service.d"
    folder.mkdir()
    shutil.copy(DROP_IN, folder)
    assert pauses_on_this_machine("main", (tmp_path,)) == Pauses(first_s=5, longest_s=30)


@pytest.mark.parametrize(
    ("lines", "pauses"),
    [
        ("RestartSec=1min 30s", Pauses(first_s=90, longest_s=90)),
        ("RestartSec=500ms\nRestartSteps=3\nRestartMaxDelaySec=2m", Pauses(first_s=0.5, longest_s=120)),
        ("RestartMaxDelaySec=120", Pauses()),
        ("RestartSteps=0\nRestartMaxDelaySec=120", Pauses()),
        ("RestartSteps=3\nRestartMaxDelaySec=infinity", Pauses()),
        ("# RestartSec=77", Pauses()),
    ],
)
def test_time_spans_are_read_as_systemd_writes_them(lines: str, pauses: Pauses, tmp_path: Path) -> None:
    """Units, steps that are missing, a word without an end, a comment."""
    (tmp_path / "seawall@.service").write_text(f"[Service]\n{lines}\n")
    assert pauses_on_this_machine("main", (tmp_path,)) == pauses


def test_a_drop_in_of_one_guard_counts_for_that_one(tmp_path: Path) -> None:
    """The administrator's folder wins over the package's, the instance over the template, and others are let be."""
    package, administrator = tmp_path / "usr", tmp_path / "etc"
    for folder in (package / "seawall@.service.d", administrator / "seawall@main.service.d"):
        folder.mkdir(parents=True)
    shutil.copy(UNIT, package)
    shutil.copy(DROP_IN, package / "seawall@.service.d")
    (administrator / "seawall@main.service.d" / "zz-pause.conf").write_text("[Service]\nRestartMaxDelaySec=10\n")
    places = (package, administrator)
    assert pauses_on_this_machine("main", places) == Pauses(first_s=5, longest_s=10)
    assert pauses_on_this_machine("other", places) == Pauses(first_s=5, longest_s=30)
    (administrator / "seawall@main.service.d" / "growing-delay.conf").write_text("[Service]\n")
    assert pauses_on_this_machine("main", places) == Pauses(first_s=5, longest_s=5)


@pytest.mark.parametrize("profile", sorted((REPOSITORY / "config" / "profiles").glob("*.toml")), ids=lambda it: it.stem)
def test_the_switch_of_every_profile_outlives_the_longest_pause_that_is_shipped(profile: Path) -> None:
    """Also where systemd lets the pause grow: no profile would lose its stops to a guard that keeps dying."""
    assert switch_timeout(load_settings(profile), Pauses(first_s=5, longest_s=30)).standing is Standing.OK
