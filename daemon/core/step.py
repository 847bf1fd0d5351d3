"""One decision: `step(state, event)`, the only place where what the guard knows changes.

Fold the event into the view, reconcile the positions it touched, judge what to say. Pure, synchronous and total: it
reads no clock, raises nothing but `InvariantBroken`, and the same state and event give the same state and commands, so
a journal can be replayed (P9).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from daemon.core import bands, bots, judgement, stopping, stops, switch, tiers
from daemon.core.commands import Command, SetTimer
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.emergency import corrections, exposure, flat_proof, flatten, freezing, ladder
from daemon.core.events import (
    BotHeard,
    Event,
    ExecutionSeen,
    FeedLive,
    FeedLost,
    HealthTicked,
    InstrumentSeen,
    InsuranceSeen,
    LedgerRead,
    LiquidationSeen,
    MarginSeen,
    MarkSeen,
    OperatorAsked,
    OrdersCancelled,
    OrderSeen,
    OrdersFound,
    OrdersListed,
    PictureRead,
    PolicyChanged,
    PositionSeen,
    PositionsListed,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestRefusedOnStream,
    RequestUnanswered,
    Source,
    SpreadSeen,
    Started,
    StopAsked,
    SwitchAnswered,
    TableDoubted,
    TimerFired,
    TopicSeen,
    WalletSeen,
)
from daemon.core.folding import account, answers, books, feeds, foreign, mute, pictures, renewal, trades
from daemon.core.folding.books import Evidence
from daemon.core.folding.feeds import move
from daemon.core.judging import rulebook
from daemon.core.market import inputs_seen, room
from daemon.core.memory.under_way import Pending, PendingKind
from daemon.core.mode import Mode, ModeInput
from daemon.core.operators import operator, policy_change
from daemon.core.people.settle import settle as settle_people
from daemon.core.protecting import protection
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, pausing
from daemon.core.state import Feed, GuardState, Mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one event led to."""

    state: GuardState
    commands: tuple[Command, ...]
    touched: tuple[str, ...] = ()
    """Symbols whose positions were looked at: no other position changed."""


def step(state: GuardState, event: Event) -> Step:
    """Fold `event` into `state` and say what is to be done.

    Args:
        state: All that is known.
        event: What happened; `event.at_ns` is now. Before the first `Started`, and after the orderly stop, events are
            folded and nothing is asked for.

    Returns:
        The next state and the commands, in the order in which they are to be handed over.

    Raises:
        InvariantBroken: The core contradicts itself; the process has to end.
    """
    draft = Draft(state, event.at_ns)
    _fold(draft, event)
    if draft.started_ns and draft.mode is not Mode.STOPPED:
        if isinstance(event, HealthTicked | OperatorAsked) and draft.mode is not Mode.STOPPING:
            # Before the positions are reconciled: what a rule latches is carried out in the same step.
            rulebook.judge(draft)
        _reconcile(draft)
        _judge(draft)
    return Step(state=draft.finish(), commands=tuple(draft.commands), touched=tuple(draft.touched))


def _fold(draft: Draft, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - one line per event, the compiler keeps it whole
    match event:
        case Started():
            _start(draft)
        case FeedLive():
            feeds.take_live(draft, event)
        case FeedLost():
            feeds.take_lost(draft, event)
            inputs_seen.take_lost(draft, event.feed)
        case TableDoubted():
            feeds.take_doubt(draft, event)
        case HealthTicked():
            _tick(draft, event)
        case LedgerRead():
            mute.take_ledger(draft, event)
        case TimerFired():
            draft.timer_ns = 0
            _pass_time(draft)
        case InstrumentSeen():
            account.take_instrument(draft, event.instrument)
        case MarkSeen():
            account.take_mark(draft, event.symbol, Mark(price=event.price, at_ns=event.at_ns))
        case PositionSeen():
            account.take_position(draft, event.position, event.source, event.at_ns)
            mute.told(draft)
        case PositionsListed():
            account.take_positions_listed(draft, event.positions, event.at_ns)
        case MarginSeen():
            account.take_margin(draft, event.margin)
        case OrderSeen():
            _take_order(draft, event)
        case OrdersListed():
            books.take_orders_listed(draft, event.orders, Evidence.STREAM, event.at_ns)
            foreign.note_all(draft, event.orders)
        case ExecutionSeen():
            trades.take_execution(draft, event.execution)
            flat_proof.take_execution(draft, event.execution)
        case WalletSeen() | InsuranceSeen() | LiquidationSeen() | SpreadSeen() | TopicSeen():
            inputs_seen.take(draft, event)
        case PictureRead() | OrdersFound() | RequestAnswered() | OrdersCancelled() | SwitchAnswered():
            _fold_answer(draft, event)
        case RequestRefusedOnStream():
            answers.take_stream_refusal(draft, event)
        case RequestRefused() | RequestNotSent() | RequestUnanswered() | RequestMisconfigured():
            _fail(draft, event)
        case StopAsked():
            stopping.ask(draft)
        case OperatorAsked():
            operator.take_request(draft, event)
        case PolicyChanged():
            policy_change.take(draft, event)
        case BotHeard():
            bots.take_heard(draft, event)
        case _:
            assert_never(event)


def _tick(draft: Draft, event: HealthTicked) -> None:
    feeds.take_health(draft, event)
    bots.take_tick(draft, event)
    renewal.decide(draft)
    _pass_time(draft)


def _fold_answer(
    draft: Draft, event: PictureRead | OrdersFound | RequestAnswered | OrdersCancelled | SwitchAnswered
) -> None:
    match event:
        case PictureRead():
            pictures.take_picture(draft, event)
            mute.judge(draft)
        case OrdersFound():
            answers.take_found(draft, event)
        case RequestAnswered():
            answers.take_answer(draft, event)
            corrections.take_answer(draft, event.command_id)
        case OrdersCancelled():
            answers.take_cancelled(draft, event)
        case SwitchAnswered():
            switch.take_answer(draft, event)
        case _:
            assert_never(event)


def _take_order(draft: Draft, event: OrderSeen) -> None:
    if event.source is Source.STREAM:
        bots.take_order(draft, event.order)
        books.take_order(draft, event.order, Evidence.STREAM, event.at_ns)
        foreign.note(draft, event.order)
    else:
        books.take_order(draft, event.order, Evidence.QUERY, event.at_ns)


def _start(draft: Draft) -> None:
    """A process began: streams are down, whoever waited for answers is gone, everything is asked anew."""
    move(draft, ModeInput.RESTARTED)
    draft.started_ns, draft.mode_since_ns, draft.stop_asked_ns = draft.now_ns, draft.now_ns, 0
    draft.unguarded_ns = draft.now_ns
    draft.was_whole, draft.orders_known, draft.positions_listed_ns = False, False, 0
    down = Feed(is_live=False, since_ns=draft.now_ns, reason="not connected yet")
    draft.health = replace(draft.health, market=down, account=down, loop_lag_ns=0, clock_skew_ns=0)
    for command_id, pending in answers.lose_all(draft):
        _fail_read(draft, command_id, pending, "the process restarted", 0, is_unknown=True)
    draft.pictures = replace(draft.pictures, retry_at_ns=0, pause_ns=0)
    draft.forget_cancels()
    # How long ago the process before fed it is a matter of clocks, which may have been set meanwhile: feed anew.
    draft.switch = replace(draft.switch, is_feed=False, is_settled=False, retry_at_ns=0, problem="", clearing_ns=0)
    # The shell of this process knows neither bands nor timer yet.
    draft.timer_ns = 0
    for symbol in list(draft.bands):
        draft.set_band(symbol, None)
    for symbol in draft.positions:
        draft.touch(symbol, reassess=True)
    draft.want_picture(Reason.RECONCILE)
    latches.tell_held(draft)
    pausing.restart(draft)
    bots.restart(draft)


def _pass_time(draft: Draft) -> None:
    """Touch what is due, and give up requests that were never answered."""
    for name, at_ns in list(draft.wakes.items()):
        if at_ns <= draft.now_ns and name in draft.positions:
            draft.touch(name)
    for command_id, pending in answers.expire(draft):
        _fail_read(draft, command_id, pending, "no outcome was reported", 0, is_unknown=True)
    draft.forget_finished(draft.now_ns - account.FORGET_AFTER_NS)
    latches.pass_time(draft)
    pausing.pass_time(draft)


def _fail(draft: Draft, event: RequestRefused | RequestNotSent | RequestUnanswered | RequestMisconfigured) -> None:
    pending = answers.take_failure(draft, event)
    if pending is None:
        return
    retry_ns = event.retry_after_ns if isinstance(event, RequestNotSent) else 0
    unknown = isinstance(event, RequestUnanswered)
    _fail_read(draft, event.command_id, pending, event.reason, retry_ns, is_unknown=unknown)


def _fail_read(
    draft: Draft, command_id: int, pending: Pending, reason: str, retry_ns: int, *, is_unknown: bool
) -> None:
    match pending.kind:
        case PendingKind.PICTURE:
            pictures.fail(draft, command_id, retry_ns)
        case PendingKind.FEED | PendingKind.DISARM:
            switch.fail(draft, command_id, reason, is_unknown=is_unknown)
        case PendingKind.WRITE:
            flatten.note_refusal(draft, pending.symbol, reason)
        case PendingKind.FREEZE:
            freezing.fail(draft, reason, retry_ns)
        case PendingKind.CORRECTION:
            corrections.fail(draft, command_id, reason, retry_ns, is_unknown=is_unknown)
        case PendingKind.CANCEL | PendingKind.FIND | PendingKind.TAKE:
            pass
        case _:
            assert_never(pending.kind)


def _reconcile(draft: Draft) -> None:
    """Bring every touched position to what is wanted."""
    draft.clear_wake(ACCOUNT)
    room.refresh_common_failures(draft)
    symbols = [symbol for symbol in draft.touched if symbol in draft.positions]
    stale = [symbol for symbol in symbols if draft.touched[symbol]]
    margins = room.consistent_margins(draft, stale)
    for symbol in stale:
        room.reassess(draft, symbol, margins)
    for symbol in symbols:
        stops.reconcile(draft, symbol)
        if symbol in draft.positions:
            tiers.judge(draft, symbol)
            ladder.climb(draft, symbol)
            judgement.judge_position(draft, symbol)
            protection.judge(draft, symbol)
            room.seek_second_word(draft, symbol)
        bands.refresh(draft, symbol)


def _judge(draft: Draft) -> None:
    """What concerns the account: mode, switch, pictures, degraded states, and when to wake up."""
    feeds.settle_mode(draft)
    exposure.cancel_at_stop(draft)
    exposure.cancel_while_blind(draft)
    corrections.settle(draft)
    ladder.judge(draft)
    flat_proof.judge(draft)
    bots.settle(draft)
    freezing.cancel_frozen(draft)
    switch.decide(draft)
    pausing.settle(draft)
    judgement.judge_account(draft)
    pictures.ask(draft)
    stopping.settle(draft)
    settle_people(draft)
    if draft.mode is not Mode.STOPPED:
        _set_timer(draft)


def _set_timer(draft: Draft) -> None:
    """Ask to be woken at the earliest deadline, if the shell does not wait for that or an earlier one already."""
    due_ns = min(draft.wakes.values(), default=0)
    if not due_ns:
        return
    if not draft.timer_ns or due_ns < draft.timer_ns or draft.timer_ns <= draft.now_ns:
        draft.timer_ns = max(due_ns, draft.now_ns + 1)
        draft.commands.append(SetTimer(at_ns=draft.timer_ns))
