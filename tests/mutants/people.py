"""Breaks of how people are told: channels, the messenger, the outside heartbeat."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_ALERTS: Final = "daemon/shell/alerts"
_T_ALERTS: Final = "tests/unit/daemon/shell/alerts"

MUTANTS_OF_PEOPLE: Final = (
    Mutant(
        name="nobody-takes-over",
        promise="P10",
        what="What a dead channel could not deliver is not given to its fallback.",
        path=f"{_ALERTS}/worker.py",
        before="            self._hand_over(alert)\n            await self._pause(failure)",
        after="            await self._pause(failure)",
        caught_by=(f"{_T_ALERTS}/test_channels_apart.py",),
    ),
    Mutant(
        name="waits-for-ever-on-a-channel",
        promise="P10",
        what="A channel may take as long as it likes.",
        path=f"{_ALERTS}/worker.py",
        before="            async with asyncio.timeout(timeout_s):",
        after="            async with asyncio.timeout(None):",
        caught_by=(f"{_T_ALERTS}/test_channels_apart.py",),
    ),
    Mutant(
        name="one-for-all-channels",
        promise="P10",
        what="An alert that one channel delivered is over for all of them after a restart.",
        path=f"{_ALERTS}/outbox.py",
        before="            self._note(Line(done=alert.alert_id, by=name))",
        after="            self._note(Line(ended=alert.alert_id))",
        caught_by=(f"{_T_ALERTS}/test_channels_apart.py",),
    ),
    Mutant(
        name="an-end-that-nobody-hears",
        promise="P10",
        what="The end of a trouble takes the place of the message that told of it.",
        path=f"{_ALERTS}/waiting.py",
        before="if known is None or not alert.group or alert.is_resolved or",
        after="if known is None or not alert.group or",
        caught_by=(f"{_T_ALERTS}/test_waiting.py",),
    ),
    Mutant(
        name="a-blind-guard-is-well",
        promise="P6",
        what="The outside heartbeat says that all is well while the guard is blind.",
        path=f"{_ALERTS}/heartbeat.py",
        before="            return None if fail_on is FailOn.NEVER else Ping.FAIL",
        after="            return Ping.SUCCESS",
        caught_by=(f"{_T_ALERTS}/test_heartbeat.py",),
    ),
    Mutant(
        name="one-cycle-is-told-twice",
        promise="P6",
        what="A core that completes no cycle any more is reported well at every interval.",
        path=f"{_ALERTS}/heartbeat.py",
        before="    is_new = look.cycle_ns > told_cycle_ns",
        after="    is_new = True",
        caught_by=(f"{_T_ALERTS}/test_heartbeat.py",),
    ),
    Mutant(
        name="the-address-in-the-reason",
        promise="P11",
        what="What a service says of a failure is passed on with the token of the address.",
        path="daemon/messenger/wire.py",
        before="        text = text.replace(part, HIDDEN)\n",
        after="        pass\n",
        caught_by=("tests/unit/daemon/messenger/test_wire.py",),
    ),
    Mutant(
        name="keys-in-the-messenger",
        promise="P11",
        what="The child process inherits the guard's keys.",
        path=f"{_ALERTS}/messenger.py",
        before="if not name.startswith(_KEPT_FROM_IT)",
        after="if name",
        caught_by=("tests/integration/test_messenger.py",),
    ),
)
