"""Breaks of how people are told: channels, the messenger, the outside heartbeat."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_ALERTS: Final = "daemon/shell/alerts"
_T_ALERTS: Final = "tests/unit/daemon/shell/alerts"

_BOOK: Final = "daemon/core/people"
_T_BOOK: Final = "tests/unit/daemon/core/people"

MUTANTS_OF_PEOPLE: Final = (
    Mutant(
        name="silences-an-emergency",
        promise="P10",
        what="A silence holds back whatever it names.",
        path=f"{_BOOK}/hushed.py",
        before="    if fact.level is Level.EMERGENCY or not silences:",
        after="    if not silences:",
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="acknowledged-for-worse",
        promise="P10",
        what="Who took on a critical is never told of the emergency that it becomes.",
        path=f"{_BOOK}/asked.py",
        before="acknowledged_rank=fact.level.rank,",
        after="acknowledged_rank=4, told_rank=4,",
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="a-fact-without-an-end",
        promise="P10",
        what="What nobody said was over is repeated for ever.",
        path=f"{_BOOK}/telling.py",
        before="    if level is None:\n        return altered(fact, over_ns=draft.now_ns)",
        after="    if level is None:\n        return fact",
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="a-full-book-is-deaf",
        promise="P10",
        what="A flood of warnings keeps a liquidation from people.",
        path=f"{_BOOK}/gathering.py",
        before="    name = _quieter(pages, kind)",
        after='    name = ""',
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="held-news-holds-all",
        promise="P10",
        what="A second trouble in the quiet hours keeps the first from escalating.",
        path=f"{_BOOK}/telling.py",
        before="        cause = _cause_again(draft, group, loud, rank)  # news",
        after="        pass  # news",
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="a-liquidation-that-falls-silent",
        promise="P10",
        what="A liquidation that nobody acknowledged is not said again after an hour.",
        path=f"{_BOOK}/gathering.py",
        before="    if level is Level.EMERGENCY:\n        return 0",
        after="    if level is Level.EMERGENCY:\n        return now_ns + GRAVE_EVENT_NS",
        caught_by=(f"{_T_BOOK}/test_settle.py",),
    ),
    Mutant(
        name="one-poison-for-all",
        promise="P10",
        what="A message that a receiver chokes on keeps all others waiting.",
        path=f"{_ALERTS}/turns.py",
        before="        self._is_others_turn = not self._is_others_turn",
        after="        self._is_others_turn = False",
        caught_by=(f"{_T_ALERTS}/test_turns.py",),
    ),
    Mutant(
        name="nobody-takes-over",
        promise="P10",
        what="What a dead channel could not deliver is not given to its fallback.",
        path=f"{_ALERTS}/worker.py",
        before="            self._hand_over(alert)\n            self._turns.note_failed(alert.alert_id,",
        after="            self._turns.note_failed(alert.alert_id,",
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
        before="for is_over in {True, alert.is_resolved})",
        after="for is_over in {True, False})",
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
