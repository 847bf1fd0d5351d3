"""The ways in which the guard is broken on purpose.

Each stands for a mistake that somebody could make, or has made in software of this kind. Add one for each bug that was
found the hard way, and for each rule whose loss would cost somebody a position.
"""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_CORE: Final = "daemon/core"
_WIRE: Final = "connectors/bitmex/protocol"
_T_CORE: Final = "tests/unit/daemon/core"
_T_SHELL: Final = "tests/unit/daemon/shell"
_T_WIRE: Final = "tests/unit/connectors/bitmex/protocol"

_ADDS_DANGER: Final = (
    Mutant(
        name="stop-that-may-open",
        promise="P1",
        what="A stop leaves without the word that forbids it to grow a position.",
        path=f"{_WIRE}/requests.py",
        before='"execInst": f"MarkPrice,{restraint}"',
        after='"execInst": "MarkPrice"',
        caught_by=(f"{_T_WIRE}/test_requests.py",),
    ),
    Mutant(
        name="no-side-check",
        promise="P1",
        what="The choke point lets an order through on the side that grows the position.",
        path=f"{_CORE}/danger.py",
        before="if command.side is not shrinking:",
        after="if False:",
        caught_by=(f"{_T_CORE}/test_danger.py",),
    ),
    Mutant(
        name="cancels-the-last-cover",
        promise="P1",
        what="The choke point lets a cancel take the only stop of an open position.",
        path=f"{_CORE}/danger.py",
        before='    return "it would remove cover of an open position"',
        after="    return None",
        caught_by=(f"{_T_CORE}/test_danger.py", f"{_T_CORE}/test_stops.py"),
    ),
    Mutant(
        name="margin-that-brings-it-nearer",
        promise="P1",
        what="A leverage or margin change is not held against the liquidations before and after.",
        path=f"{_CORE}/danger_corrections.py",
        before="return f\"it would bring liquidation nearer: {', '.join(nearer)}\" if nearer else None",
        after="return None",
        caught_by=(f"{_T_CORE}/test_corrections.py",),
    ),
    Mutant(
        name="cancels-a-bots-stop",
        promise="P1",
        what="Clearing up before the countdown takes a bot's plain stop that may be all a position has.",
        path=f"{_CORE}/exposure.py",
        before="if is_others and may_add_exposure(known.order) and not might_protect(draft, known.order):",
        after="if is_others and may_add_exposure(known.order):",
        caught_by=(f"{_T_CORE}/test_exposure.py",),
    ),
)

_COVER: Final = (
    Mutant(
        name="answered-is-covered",
        promise="P2",
        what="A stop counts as resting when the request was answered, before stream or query showed it.",
        path=f"{_CORE}/books.py",
        before="confirmed = known is not None and known.is_confirmed",
        after="confirmed = True",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="last-price-counts",
        promise="P2",
        what="A stop that is triggered by the last price counts as cover.",
        path=f"{_CORE}/cover.py",
        before="if order.trigger is not Trigger.MARK or order.side is not ids.closing_side(side):",
        after="if order.side is not ids.closing_side(side):",
        caught_by=(f"{_T_CORE}/test_cover.py",),
    ),
    Mutant(
        name="part-is-enough",
        promise="P2",
        what="Any stop covers the whole position, whatever its size.",
        path=f"{_CORE}/cover.py",
        before="return total >= abs(quantity)",
        after="return total > 0",
        caught_by=(f"{_T_CORE}/test_cover.py",),
    ),
    Mutant(
        name="behind-liquidation",
        promise="P2",
        what="A stop that stands behind the liquidation price counts as cover.",
        path=f"{_CORE}/cover.py",
        before="return liquidation_price is None or is_looser(side, liquidation_price, order.stop_price)",
        after="return True",
        caught_by=(f"{_T_CORE}/test_cover.py",),
    ),
    Mutant(
        name="tick-away-from-the-mark",
        promise="P2",
        what="Triggers are rounded to the tick away from the mark.",
        path=f"{_CORE}/margin/contracts.py",
        before="return tick_up(price, tick_size) if side is Side.LONG else tick_down(price, tick_size)",
        after="return tick_down(price, tick_size) if side is Side.LONG else tick_up(price, tick_size)",
        caught_by=(f"{_T_CORE}/margin/test_contracts.py",),
    ),
    Mutant(
        name="no-floor",
        promise="P2",
        what="A stop may stand so near to liquidation that one jump of the mark carries it away.",
        path=f"{_CORE}/wanted.py",
        before="on_tick = tick_toward_mark(kept(side, each.price, floor), instrument.tick_size, side)",
        after="on_tick = tick_toward_mark(each.price, instrument.tick_size, side)",
        caught_by=(f"{_T_CORE}/test_floor.py", f"{_T_CORE}/test_stop_stories.py"),
    ),
    Mutant(
        name="waits-for-a-fresh-market",
        promise="P2",
        what="A new position is left alone while the public stream is stale.",
        path=f"{_CORE}/stops.py",
        before="if case.cover.is_doubtful or not draft.orders_known or",
        after="if case.cover.is_doubtful or not (draft.orders_known and draft.health.market.is_live) or",
        caught_by=(f"{_T_CORE}/test_books.py",),
    ),
)

_RATCHET: Final = (
    Mutant(
        name="no-ratchet",
        promise="P3",
        what="The tightest trigger that rested is forgotten, so a stop follows policy away from the mark.",
        path=f"{_CORE}/wanted.py",
        before="trigger = price if ratchet is None else nearer(side, price, ratchet)",
        after="trigger = price",
        caught_by=(f"{_T_CORE}/test_stops.py", f"{_T_CORE}/test_wanted.py"),
    ),
    Mutant(
        name="loosening-without-a-word",
        promise="P3",
        what="The choke point lets an amend move a stop away from the mark without an operator's word.",
        path=f"{_CORE}/danger.py",
        before="    if is_worse and not _is_released(command, price, state):",
        after="    if False:",
        caught_by=(f"{_T_CORE}/test_danger.py", f"{_T_CORE}/test_given_stop.py"),
    ),
)

_ONE_STOP: Final = (
    Mutant(
        name="id-used-again",
        promise="P4",
        what="The next order takes the number of the one before.",
        path=f"{_CORE}/requests.py",
        before='return f"{name}{draft.numbers.get(name, 0) + 1}"',
        after='return f"{name}{max(1, draft.numbers.get(name, 0))}"',
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="duplicate-is-protection",
        promise="P4",
        what="A placement refused as a duplicate counts as placed.",
        path=f"{_CORE}/answers.py",
        before="_move(draft, guarded, replace(write, probe=ids.PROBES), WriteInput.DUPLICATE)",
        after="_move(draft, guarded, write, WriteInput.SEEN)",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="places-beside-a-doubt",
        promise="P4",
        what="A second stop is placed while nobody knows whether the first one rests.",
        path=f"{_CORE}/stops.py",
        before="if case.cover.is_doubtful or not draft.orders_known or",
        after="if not draft.orders_known or",
        caught_by=(f"{_T_CORE}/test_stops.py", f"{_T_CORE}/test_doubts.py"),
    ),
)

_UNKNOWN: Final = (
    Mutant(
        name="unknown-is-failed",
        promise="P5",
        what="A request without an answer counts as not carried out.",
        path=f"{_CORE}/answers.py",
        before="        case RequestUnanswered():\n            _move(draft, guarded, write, WriteInput.UNANSWERED)",
        after="        case RequestUnanswered():\n            _move(draft, guarded, write, WriteInput.NOT_SENT)",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="server-error-is-a-no",
        promise="P5",
        what="A server error after a write counts as not carried out.",
        path=f"{_WIRE}/refusals.py",
        before="    if is_write:\n        return OutcomeUnknown(reason, status=status)",
        after="    if False:\n        return OutcomeUnknown(reason, status=status)",
        caught_by=(f"{_T_WIRE}/test_refusals.py",),
    ),
    Mutant(
        name="not-found-yet-is-never",
        promise="P5",
        what="A write that is still under way counts as never carried out when a question does not find it.",
        path=f"{_CORE}/orders.py",
        before="(WriteState.IN_FLIGHT, WriteInput.NOT_FOUND): WriteState.IN_FLIGHT,",
        after="(WriteState.IN_FLIGHT, WriteInput.NOT_FOUND): WriteState.SETTLED,",
        caught_by=(f"{_T_CORE}/test_orders.py", f"{_T_CORE}/test_outcomes.py", f"{_T_CORE}/test_answers.py"),
    ),
)

_MAY_EXIST: Final = (
    Mutant(
        name="time-ends-a-doubt",
        promise="P5",
        what="A request that may still arrive counts as refused as soon as a question does not show it.",
        path=f"{_CORE}/outcomes.py",
        before="if entry.client_order_id in pending.ids and pending.sent_ns >= expired_ns(draft, entry):",
        after="if entry.client_order_id in pending.ids:",
        caught_by=("tests/property/test_outcomes.py", f"{_T_CORE}/test_outcomes.py"),
    ),
    Mutant(
        name="amends-over-a-late-amend",
        promise="P3",
        what="Other figures are amended in while an earlier amend may still arrive and undo them.",
        path=f"{_CORE}/outcomes.py",
        before="return late is None or (late.quantity, late.stop_price) == (quantity, stop_price)",
        after="return True",
        caught_by=("tests/property/test_outcomes.py", f"{_T_CORE}/test_outcomes.py"),
    ),
    Mutant(
        name="counts-a-doomed-stop",
        promise="P2",
        what="A stop whose cancel may still arrive counts as cover.",
        path=f"{_CORE}/outcomes.py",
        before='return any(_key(kind, order.order_id, "") in view.unproved for kind in _CANCELS)',
        after="return False",
        caught_by=(f"{_T_CORE}/test_outcomes.py", f"{_T_CORE}/test_cover.py"),
    ),
)

_BOTS: Final = (
    Mutant(
        name="a-dead-bot-is-fed-for",
        promise="P6",
        what="The switch is fed although a bot that must be alive is silent.",
        path=f"{_CORE}/bots.py",
        before="return tuple(name for name in view.bots if _missed_since_ns(view, name))",
        after="return ()",
        caught_by=(f"{_T_CORE}/test_bots.py",),
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
        path=f"{_CORE}/danger_bots.py",
        before="owners = [name for name in begun if order.client_order_id.startswith(policies[name].id_prefix)]",
        after="owners = begun",
        caught_by=(f"{_T_CORE}/test_bots.py", f"{_T_CORE}/test_danger_bots.py"),
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
        path=f"{_CORE}/feeds.py",
        before="return draft.health.loop_lag_ns > ns(draft.policy.health.max_loop_lag_s)",
        after="return False",
        caught_by=(f"{_T_CORE}/test_mode.py", f"{_T_CORE}/test_account.py"),
    ),
    Mutant(
        name="blind-to-a-wrong-clock",
        promise="P6",
        what="A clock that is off goes unnoticed.",
        path=f"{_CORE}/feeds.py",
        before="return abs(draft.health.clock_skew_ns) > ns(draft.policy.health.max_clock_skew_s)",
        after="return False",
        caught_by=(f"{_T_CORE}/test_mode.py", f"{_T_CORE}/test_account.py"),
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
        path=f"{_CORE}/answers.py",
        before="        _move(draft, guarded, write, WriteInput.LATE)\n",
        after="        _move(draft, guarded, write, WriteInput.NOT_SENT)\n",
        caught_by=(f"{_T_CORE}/test_answers.py",),
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
        caught_by=("tests/property/test_journal_chain.py",),
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
        path=f"{_CORE}/requests.py",
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
        before="        Redaction(secrets),\n",
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
        caught_by=(f"{_T_CORE}/test_judgement.py",),
    ),
)

_LIFE: Final = (
    Mutant(
        name="stuck-stop-is-waited-for",
        promise="P2",
        what="A stop that does not fire although the mark is beyond it is waited for without end.",
        path=f"{_CORE}/reduce.py",
        before="return _Cause(reason=Reason.STOP_STUCK, arose_ns=since_ns, due_ns=since_ns + patience_ns)",
        after="return None",
        caught_by=(f"{_T_CORE}/test_reduce.py",),
    ),
    Mutant(
        name="closes-on-hearsay",
        promise="P2",
        what="A position is closed at the market on one message alone.",
        path=f"{_CORE}/reduce.py",
        before="if not _is_witnessed(draft, guarded, cause) or _is_hearsay(guarded, wanted, cause):",
        after="if False:",
        caught_by=(f"{_T_CORE}/test_reduce.py",),
    ),
    Mutant(
        name="flat-by-one-witness",
        promise="P2",
        what="A position is over as soon as one source leaves it out.",
        path=f"{_CORE}/account.py",
        before="    if agreed or guarded.position.quantity == 0:",
        after="    if True:",
        caught_by=(f"{_T_CORE}/test_account.py",),
    ),
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    *_ADDS_DANGER,
    *_COVER,
    *_RATCHET,
    *_ONE_STOP,
    *_UNKNOWN,
    *_MAY_EXIST,
    *_BOTS,
    *_SWITCH,
    *_CRASH,
    *_JOURNAL,
    *_WIRE_DOUBTS,
    *_BUDGET,
    *_TOLD,
    *_LIFE,
)
