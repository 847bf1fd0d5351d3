"""Whole again, or loudly halted: once faults have ceased, a guard guards, or people were told by name why it does not.

Asked at the end of the calm that ends a world, and only of guards that have lived through all of it.
"""

from __future__ import annotations

from typing import Final

from daemon.core.mode import Mode
from tests.simulation.promises.ground import WHOLE_AGAIN_S, GuardFacts, Promise

WITHIN_S: Final = 30.0
"""A connection is tried again after up to 15 s, a picture is read, and blindness lingers for 2 s more."""
LASTING: Final = frozenset({"rule_unjudged", "flatten_stuck", "freeze_stuck"})
"""States that the account itself may be in, whatever the guard does: it guards all the same."""


class WholeAgain(Promise):
    """Looks at each guard when everything is fine."""

    name = "whole again"

    def on_second(self, *, is_strict: bool) -> None:
        """At the end of the calm."""
        if not is_strict or self._ground.calm_s < WITHIN_S:
            return
        for facts in self._ground.guards.values():
            if facts.is_alive and self._now_s - facts.started_s > WITHIN_S + WHOLE_AGAIN_S:
                self._judge(facts)

    def _judge(self, facts: GuardFacts) -> None:
        self.checked += 1
        state, name = facts.guard.state, facts.guard.name
        if state is None:
            return
        states = {state for state, symbol in facts.active if not symbol} - LASTING
        if state.mode is Mode.GUARDING:
            if states:
                self._broken(
                    f"{name} guards, and still tells of {sorted(states)} {self._ground.calm_s:.0f} s after all trouble"
                )
        elif states:
            self._ground.counts["guards loudly halted"] += 1
        else:
            self._broken(
                f"{name} is {state.mode.value} {self._ground.calm_s:.0f} s after all trouble, and says nothing"
            )
