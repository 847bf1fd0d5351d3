"""Breaks of what keeps the guard alive, fed, remembered, within its budget and heard."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_CORE: Final = "daemon/core"
_WIRE: Final = "connectors/bitmex/protocol"
_T_CORE: Final = "tests/unit/daemon/core"
_T_SHELL: Final = "tests/unit/daemon/shell"
_T_WIRE: Final = "tests/unit/connectors/bitmex/protocol"

_BOTS: Final = (
    Mutant(
        name="a-dead-bot-is-fed-for",
        promise="P6",
        what="The switch is fed although a bot that must be alive is silent.",
        path=f"{_CORE}/bots.py",
        before="return tuple(name for name in view.bots if _missed_since_ns(view, name))",
        after="return ()",
        caught_by=(f"{_T_CORE}/choke_point/test_danger_bots.py",),
    ),
    Mutant(
        name="sleep-is-silence",
        promise="P6",
        what="Time in which the guard itself stood still counts as a bot's silence.",
        path=f"{_CORE}/bots.py",
        before="    return min(draft.now_ns - max(before.tick_ns, bot.heard_ns), MOST_A_TICK_NS)",
        after="    return draft.now_ns - max(before.tick_ns, bot.heard_ns)",
        caught_by=(f"{_T_CORE}/test_bots.py",),
    ),
    Mutant(
        name="takes-everybodys-orders",
        promise="P1",
        what="One bot's silence lets the choke point cancel the orders of all.",
        path=f"{_CORE}/choke_point/danger_bots.py",
        before="owners = [name for name in begun if order.client_order_id.startswith(policies[name].id_prefix)]",
        after="owners = begun",
        caught_by=(f"{_T_CORE}/test_bots.py", f"{_T_CORE}/choke_point/test_danger_bots.py"),
    ),
)

_SWITCH: Final = (
    Mutant(
        name="feeds-while-blind",
        promise="P6",
        what="The switch is fed while the guard is blind.",
        path=f"{_CORE}/switch.py",
        before="    elif draft.mode is Mode.GUARDING:",
        after="    elif draft.mode in {Mode.GUARDING, Mode.BLIND}:",
        caught_by=(f"{_T_CORE}/test_switch.py",),
    ),
    Mutant(
        name="blind-to-a-stalled-loop",
        promise="P6",
        what="A process that stood still goes on claiming that it can see and act.",
        path=f"{_CORE}/folding/feeds.py",
        before="return draft.health.loop_lag_ns > ns(draft.policy.health.max_loop_lag_s)",
        after="return False",
        caught_by=(f"{_T_CORE}/test_mode.py", f"{_T_CORE}/folding/test_account.py"),
    ),
    Mutant(
        name="blind-to-a-wrong-clock",
        promise="P6",
        what="A clock that is off goes unnoticed.",
        path=f"{_CORE}/folding/feeds.py",
        before="return abs(draft.health.clock_skew_ns) > ns(draft.policy.health.max_clock_skew_s)",
        after="return False",
        caught_by=(f"{_T_CORE}/test_mode.py", f"{_T_CORE}/folding/test_account.py"),
    ),
    Mutant(
        name="seconds-for-milliseconds",
        promise="P6",
        what="The time-out of the switch is sent in seconds, so that everything is cancelled at once.",
        path="daemon/shell/calls.py",
        before="timeout_ns // 1_000_000)",
        after="timeout_ns // 1_000_000_000)",
        caught_by=(f"{_T_SHELL}/test_executor.py",),
    ),
    Mutant(
        name="stays-armed-over-stops",
        promise="P6",
        what="In mode auto the switch stays armed while only protective orders are open.",
        path=f"{_CORE}/switch.py",
        before="if mode is SwitchMode.ALWAYS or draft.adding:",
        after="if mode is SwitchMode.ALWAYS or draft.adding or draft.orders:",
        caught_by=(f"{_T_CORE}/test_switch.py",),
    ),
    Mutant(
        name="trusts-the-old-feed",
        promise="P6",
        what="A process that starts counts from the last feed of the one before, by a clock that may have been set.",
        path=f"{_CORE}/step.py",
        before="replace(draft.switch, is_feed=False, is_settled=False,",
        after="replace(draft.switch, is_settled=False,",
        caught_by=(f"{_T_CORE}/test_switch.py",),
    ),
    Mutant(
        name="liquidations-are-prices",
        promise="P6",
        what="A market stream that tells other people's liquidations, and no price, counts as fresh.",
        path="connectors/bitmex/feed.py",
        before="elif raw.startswith(self._reader.asides):",
        after="elif not raw:",
        caught_by=("tests/integration/test_bitmex_market.py",),
    ),
    Mutant(
        name="believes-the-switch",
        promise="P6",
        what="What the venue says it set the countdown to is not held against what was asked.",
        path=f"{_CORE}/switch.py",
        before="if abs(event.timeout_ns - asked_ns) > (TOLERANCE_NS if switch.is_feed else 0):",
        after="if False:",
        caught_by=(f"{_T_CORE}/test_switch.py",),
    ),
)

_CRASH: Final = (
    Mutant(
        name="restart-forgets-writes",
        promise="P7",
        what="After a restart, requests without an answer are taken for settled.",
        path=f"{_CORE}/folding/answers.py",
        before="        _move(draft, guarded, write, WriteInput.LATE)\n",
        after="        _move(draft, guarded, write, WriteInput.NOT_SENT)\n",
        caught_by=(f"{_T_CORE}/folding/test_answers.py",),
    ),
    Mutant(
        name="recovery-stops-at-the-checkpoint",
        promise="P7",
        what="Recovery uses the checkpoint and leaves out what happened after it.",
        path="daemon/shell/recover.py",
        before="    for event in (decode_event(record) for record in records if record.kind is Kind.EVENT):",
        after="    for event in (decode_event(record) for record in records[:0] if record.kind is Kind.EVENT):",
        caught_by=(f"{_T_SHELL}/test_recover.py",),
    ),
    Mutant(
        name="acknowledged-before-the-disk",
        promise="P7",
        what="An operator's request is acknowledged before it is on disk.",
        path="daemon/shell/operator_desk.py",
        before="is_durable = await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S)",
        after="is_durable = True",
        caught_by=(f"{_T_SHELL}/test_operator_desk.py",),
    ),
)

_JOURNAL: Final = (
    Mutant(
        name="chain-of-one",
        promise="P9",
        what="A record's chain does not depend on the record before it.",
        path="daemon/shell/records.py",
        before="digest = blake2b(previous, digest_size=_CHAIN_BYTES)",
        after="digest = blake2b(digest_size=_CHAIN_BYTES)",
        caught_by=(f"{_T_SHELL}/test_records.py",),
    ),
    Mutant(
        name="says-durable-at-once",
        promise="P7",
        what="Whoever waits for the disk is told at once that all is there.",
        path="daemon/shell/journal_file.py",
        before="return self._wake.wait_for(lambda: self._durable >= awaited, timeout_s)",
        after="return True",
        caught_by=(f"{_T_SHELL}/test_journal_file.py",),
    ),
    Mutant(
        name="loosens-without-a-record",
        promise="P3",
        what="A stop is let loose although the journal cannot name who asked.",
        path="daemon/shell/operator_desk.py",
        before="if _loosens(request) and not await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S):",
        after="if False:",
        caught_by=(f"{_T_SHELL}/test_operator_desk.py",),
    ),
    Mutant(
        name="prunes-what-a-restart-needs",
        promise="P7",
        what="Only the newest segment is kept, so one cut in its first record costs every latch.",
        path="daemon/shell/journal_file.py",
        before="NEEDED_SEGMENTS: Final = 2",
        after="NEEDED_SEGMENTS: Final = 0",
        caught_by=(f"{_T_SHELL}/test_journal_file.py",),
    ),
)

_WIRE_DOUBTS: Final = (
    Mutant(
        name="unread-is-believed",
        promise="P12",
        what="A table with a frame that could not be read goes on being believed.",
        path=f"{_WIRE}/redress.py",
        before="            self._ask_at_s[topic] = now_s + PAUSES_S[attempts]\n",
        after="",
        caught_by=(f"{_T_WIRE}/test_session.py", "tests/unit/connectors/bitmex"),
    ),
)

_BUDGET: Final = (
    Mutant(
        name="no-reserve",
        promise="P8",
        what="Reads use up the tokens that are kept for stops and the switch.",
        path=f"{_WIRE}/budget.py",
        before="kept = reserve if not is_protective else reserve / 2 if is_sparing else 0.0",
        after="kept = 0.0",
        caught_by=(f"{_T_WIRE}/test_budget.py",),
    ),
    Mutant(
        name="sends-into-a-ban",
        promise="P8",
        what="Requests go on leaving while the venue refuses this address.",
        path=f"{_WIRE}/budget.py",
        before="        if now_s < self._paused_until_s:\n            return self._paused_until_s - now_s\n",
        after="",
        caught_by=(f"{_T_WIRE}/test_budget.py",),
    ),
)

_TOLD: Final = (
    Mutant(
        name="decides-before-the-journal",
        promise="P9",
        what="An event is journalled only after it was decided on.",
        path="daemon/shell/runner.py",
        before="        self._journal.append_event(event)\n        outcome = step(self._state, event)\n",
        after="        outcome = step(self._state, event)\n        self._journal.append_event(event)\n",
        caught_by=(f"{_T_SHELL}/test_runner.py",),
    ),
    Mutant(
        name="a-random-thought",
        promise="P9",
        what="A decision depends on something that is not in the journal.",
        path=f"{_CORE}/writes/requests.py",
        before="    return min(max(first, 2 * pause_ns), GROWTH_LIMIT * first)",
        after="    return min(max(first, 2 * pause_ns), GROWTH_LIMIT * first) + id(object()) % 7",
        caught_by=("tests/simulation/test_determinism.py", f"{_T_CORE}/test_stops.py"),
    ),
    Mutant(
        name="no-hysteresis",
        promise="P10",
        what="A price that flaps at a bound is a message each time.",
        path=f"{_CORE}/tiers.py",
        before="(rank <= present_rank and room <= bound * limits.leave_factor)",
        after="False",
        caught_by=(f"{_T_CORE}/test_tiers.py",),
    ),
    Mutant(
        name="said-once-for-all",
        promise="P10",
        what="A danger that lasts is not said again.",
        path=f"{_CORE}/tiers.py",
        before="    if RANK[guarded.tier] < RANK[Tier.WARN]:\n        return\n    if draft.now_ns",
        after="    if True:\n        return\n    if draft.now_ns",
        caught_by=(f"{_T_CORE}/test_tiers.py",),
    ),
    Mutant(
        name="secret-in-the-log",
        promise="P11",
        what="Log lines are written as they come, secrets and all.",
        path="daemon/shell/logs.py",
        before="        redaction,\n",
        after="",
        caught_by=(f"{_T_SHELL}/test_logs.py",),
    ),
    Mutant(
        name="silently-blind",
        promise="P12",
        what="A stream that went silent is not told.",
        path=f"{_CORE}/judgement.py",
        before='_blind(draft, Degraded.BLIND_ACCOUNT, health.account, "account stream", fresh=account)',
        after='""',
        caught_by=(f"{_T_CORE}/test_judgement.py",),
    ),
    Mutant(
        name="silent-about-rights",
        promise="P12",
        what="A venue that refuses every request is not told.",
        path=f"{_CORE}/judgement.py",
        before='f"the venue refuses requests: {health.misconfigured}" if health.misconfigured else ""',
        after='""',
        caught_by=(f"{_T_CORE}/folding/test_answers.py",),
    ),
)

MUTANTS_OF_MACHINERY: Final[tuple[Mutant, ...]] = (
    *_BOTS,
    *_SWITCH,
    *_CRASH,
    *_JOURNAL,
    *_WIRE_DOUBTS,
    *_BUDGET,
    *_TOLD,
)
