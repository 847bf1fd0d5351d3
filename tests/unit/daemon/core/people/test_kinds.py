"""What every alert of the guard is made into: one row for each way in which something is raised."""

from __future__ import annotations

import pytest

from config.alerting import Level
from daemon.core.commands import Severity
from daemon.core.degraded import Degraded
from daemon.core.people import words
from daemon.core.people.kinds import NOTES, Phase, kind_of
from daemon.core.reasons import Reason
from tests.unit.daemon.core.people.listener import alert


@pytest.mark.parametrize(
    ("topic", "state", "severity", "group", "level", "phase"),
    [
        ("tier", "watch", Severity.NOTE, "distance", Level.WATCH, Phase.BEGINS),
        ("tier", "emergency", Severity.CRITICAL, "distance", Level.EMERGENCY, Phase.BEGINS),
        ("tier", "calm", Severity.NOTE, "distance", Level.WATCH, Phase.ENDS),
        ("cover", "still_naked", Severity.CRITICAL, "cover", Level.EMERGENCY, Phase.BEGINS),
        ("cover", "covered", Severity.NOTE, NOTES, Level.WATCH, Phase.HAPPENED),
        ("cover", "observed", Severity.WARNING, "cover", Level.WARN, Phase.BEGINS),
        ("position", "liquidated", Severity.CRITICAL, "position", Level.EMERGENCY, Phase.HAPPENED),
        ("position", "reducing", Severity.CRITICAL, "position", Level.CRITICAL, Phase.HAPPENED),
        ("latch", "flatten", Severity.CRITICAL, "latch", Level.CRITICAL, Phase.BEGINS),
        ("latch", "lifted", Severity.WARNING, "latch", Level.WARN, Phase.ENDS),
        ("latch", "flat", Severity.WARNING, "latch", Level.WARN, Phase.HAPPENED),
        ("bot", "silent", Severity.CRITICAL, "bot", Level.CRITICAL, Phase.BEGINS),
        ("pause", "pause", Severity.WARNING, "operator", Level.WARN, Phase.BEGINS),
        ("pause", "pause", Severity.CRITICAL, "operator", Level.EMERGENCY, Phase.BEGINS),
        ("switch", "clearing", Severity.CRITICAL, "switch", Level.CRITICAL, Phase.BEGINS),
        ("rule", "daily_loss", Severity.CRITICAL, "rule", Level.CRITICAL, Phase.BEGINS),
        ("degraded", "uncovered", Severity.CRITICAL, "cover", Level.EMERGENCY, Phase.BEGINS),
        ("degraded", "uncovered", Severity.WARNING, "cover", Level.WARN, Phase.BEGINS),
        ("never heard of", "x", Severity.WARNING, "never heard of", Level.WARN, Phase.HAPPENED),
    ],
)
def test_each_alert_has_its_kind(
    topic: str, state: str, severity: Severity, group: str, level: Level, phase: Phase
) -> None:
    """P12: group, level and phase, those of an alert that no table knows included."""
    kind = kind_of(alert(topic, state, "A", severity))
    assert (kind.group, kind.level, kind.phase) == (group, level, phase)


@pytest.mark.parametrize("state", list(Degraded))
def test_every_degraded_state_begins_and_ends_as_one_fact_in_a_group_with_words(state: Degraded) -> None:
    """P12: none is left on for want of a name, and every group can say what a person can do."""
    begun = kind_of(alert("degraded", state.value, severity=Severity.CRITICAL))
    ended = kind_of(alert("degraded", state.value, severity=Severity.NOTE, reason=Reason.RECOVERED))
    assert (begun.name, begun.phase, ended.phase) == (ended.name, Phase.BEGINS, Phase.ENDS)
    assert begun.group in words.TITLES


def test_one_life_of_one_thing_is_one_fact() -> None:
    """A latch that is set, held after a restart and lifted; a bot; a tier through all its levels."""
    names = {kind_of(alert("latch", state, latch="daily_loss")).name for state in ("freeze", "held", "lifted")}
    assert len(names) == 1
    assert len({kind_of(alert("bot", state, bot="quoter")).name for state in ("silent", "back")}) == 1
    assert len({kind_of(alert("tier", state, "A")).name for state in ("watch", "emergency", "calm")}) == 1
    assert kind_of(alert("tier", "watch", "A")).name != kind_of(alert("tier", "watch", "B")).name
