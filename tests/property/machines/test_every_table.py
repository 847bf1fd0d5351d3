"""The list of every table of states in the guard, and of the machine that walks it: a new one without a machine fails.

A table of states is found by what it looks like: an `Enum` of the core, the shell or the wire protocol, or a dictionary
from (state, input) to state. An enum that only names kinds or reasons, or that is worked out anew each time, has no
transitions; it stands in `PLAIN` with the reason, so that nobody has to guess whether it was forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.property.machines import (
    test_channel_states,
    test_guard_states,
    test_outbox_states,
    test_people_states,
    test_pure_tables,
    test_wire_states,
)

ROOT = Path(__file__).resolve().parents[3]
WHERE = ("daemon/core", "daemon/shell", "connectors/bitmex")
GUARD = test_guard_states.GuardMachine

MACHINES = {
    "daemon/core/mode.py:Mode": (test_pure_tables.ModeMachine, GUARD),
    "daemon/core/mode.py:ModeInput": (test_pure_tables.ModeMachine,),
    "daemon/core/mode.py:TABLE": (test_pure_tables.ModeMachine, GUARD),
    "daemon/core/memory/orders.py:WriteState": (test_pure_tables.WriteMachine, GUARD),
    "daemon/core/memory/orders.py:WriteInput": (test_pure_tables.WriteMachine,),
    "daemon/core/memory/orders.py:TABLE": (test_pure_tables.WriteMachine, GUARD),
    "daemon/core/writes/outcomes.py:Outcome": (test_pure_tables.OutcomeMachine, GUARD),
    "daemon/core/writes/outcomes.py:Word": (test_pure_tables.OutcomeMachine,),
    "daemon/core/writes/outcomes.py:TABLE": (test_pure_tables.OutcomeMachine,),
    "daemon/core/state.py:SwitchState": (GUARD,),
    "daemon/core/memory/interventions.py:LatchKind": (GUARD,),
    "daemon/core/memory/interventions.py:PauseKind": (GUARD,),
    "daemon/core/protecting/protection.py:Stage": (GUARD,),
    "daemon/shell/alerts/worker.py:Outcome": (test_channel_states.ChannelsMachine,),
    "connectors/bitmex/protocol/session_states.py:State": (test_wire_states.ConnectionMachine,),
    "connectors/bitmex/protocol/session_states.py:Input": (test_wire_states.ConnectionMachine,),
    "connectors/bitmex/protocol/session_states.py:TRANSITIONS": (test_wire_states.ConnectionMachine,),
    "connectors/bitmex/protocol/tables.py:Action": (test_wire_states.OrderTableMachine,),
}
WITHOUT_ENUM = {
    "daemon/core/tiers.py": (GUARD,),
    "daemon/core/bots.py": (GUARD,),
    "daemon/core/operators/operator.py": (GUARD,),
    "daemon/core/people/settle.py": (test_people_states.PeopleMachine,),
    "daemon/shell/alerts/outbox.py": (test_outbox_states.OutboxMachine, test_channel_states.ChannelsMachine),
    "daemon/shell/alerts/worker.py": (test_outbox_states.OutboxMachine, test_channel_states.ChannelsMachine),
    "connectors/bitmex/protocol/extras.py": (test_wire_states.ConnectionMachine,),
    "connectors/bitmex/protocol/redress.py": (test_wire_states.RedressMachine, test_wire_states.ConnectionMachine),
    "connectors/bitmex/protocol/budget.py": (test_wire_states.BudgetMachine,),
    "connectors/bitmex/protocol/backoff.py": (test_wire_states.BackoffMachine,),
}
"""States that are kept as fields instead."""

_WORKED_OUT = "worked out anew from what is known, nothing moves from one to another"
_A_NAME = "a name for a kind or reason, without transitions"
PLAIN = {
    "daemon/core/degraded.py:Degraded": _WORKED_OUT,
    "daemon/core/margin/confidence.py:Confidence": _WORKED_OUT,
    "daemon/core/margin/own_liquidation.py:Engine": _A_NAME,
    "daemon/core/margin/own_liquidation.py:NotComputable": _A_NAME,
    "daemon/core/margin/own_liquidation.py:OwnState": _WORKED_OUT,
    "daemon/core/margin/liquidation.py:Sentinel": _A_NAME,
    "daemon/core/margin/liquidation.py:LiquidationState": _WORKED_OUT,
    "daemon/core/ids.py:Purpose": _A_NAME,
    "daemon/core/memory/rule_facts.py:RemedyKind": _A_NAME,
    "daemon/core/memory/rule_facts.py:Origin": _A_NAME,
    "daemon/core/account_rules/verdict.py:Level": _WORKED_OUT,
    "daemon/core/memory/interventions.py:CorrectionKind": _A_NAME,
    "daemon/core/memory/under_way.py:PendingKind": _A_NAME,
    "daemon/core/reasons.py:Reason": _A_NAME,
    "daemon/core/folding/flatness.py:Word": _WORKED_OUT,
    "daemon/core/halt.py:HaltKind": _WORKED_OUT,
    "daemon/core/commands.py:Severity": _A_NAME,
    "daemon/core/state.py:Standing": _WORKED_OUT,
    "daemon/core/state.py:Need": _WORKED_OUT,
    "daemon/core/folding/books.py:Evidence": _A_NAME,
    "daemon/core/memory/orders.py:WriteKind": _A_NAME,
    "daemon/core/events.py:Source": _A_NAME,
    "daemon/core/events.py:FeedName": _A_NAME,
    "daemon/core/events.py:HeardBy": _A_NAME,
    "daemon/core/people/kinds.py:Phase": _A_NAME,
    "daemon/core/people/telling.py:Cause": _WORKED_OUT,
    "daemon/core/operators/last_act.py:SwitchLeft": _WORKED_OUT,
    "daemon/shell/records.py:Kind": _A_NAME,
    "daemon/shell/words.py:Trigger": _A_NAME,
    "daemon/shell/words.py:Errand": _A_NAME,
    "daemon/shell/words.py:Outcome": _A_NAME,
    "daemon/shell/metrics/catalogue.py:Kind": _A_NAME,
    "daemon/shell/alerts/heartbeat.py:Standing": _WORKED_OUT,
    "daemon/shell/alerts/heartbeat.py:Ping": _WORKED_OUT,
    "connectors/bitmex/protocol/frames.py:Unread": _A_NAME,
}


def _tables() -> Iterator[str]:
    """Every enum, and every dictionary at module level that is keyed by pairs, as `path:name`."""
    for folder in WHERE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                name = _enum_or_table(node)
                if name:
                    yield f"{path.relative_to(ROOT)}:{name}"


def _enum_or_table(node: ast.stmt) -> str:
    if isinstance(node, ast.ClassDef):
        bases = {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}
        return node.name if bases & {"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"} else ""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id if "dict[tuple[" in ast.unparse(node.annotation) else ""
    return ""


def test_every_table_of_states_has_a_machine() -> None:
    """A new table needs a machine here, or a reason why it has no transitions; one that is gone leaves the list."""
    found = set(_tables())
    assert found - set(MACHINES) - set(PLAIN) == set(), "has neither a machine nor a reason"
    assert (set(MACHINES) | set(PLAIN)) - found == set(), "is gone"
    assert not set(MACHINES) & set(PLAIN)
    assert all((ROOT / path).is_file() for path in WITHOUT_ENUM)


def test_every_machine_is_played() -> None:
    """Each machine of the list has its test."""
    played = {
        machine
        for module in (
            test_channel_states,
            test_guard_states,
            test_outbox_states,
            test_people_states,
            test_pure_tables,
            test_wire_states,
        )
        for name, machine in vars(module).items()
        if name.endswith("Machine") and name != "RuleBasedStateMachine"
    }
    assert played == {each for machines in (*MACHINES.values(), *WITHOUT_ENUM.values()) for each in machines}
