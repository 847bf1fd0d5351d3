"""What the guard cannot do at the moment, said once when it begins and once when it ends (P12).

Each degraded state is worked out anew from what is known, so it cannot be left on by mistake. The account's are judged
at every event, a position's whenever it is touched; both ask to be woken when time alone brings one about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from config.policy import SwitchMode
from daemon.core import bots, stops
from daemon.core.alerts import seconds, tell
from daemon.core.commands import Severity
from daemon.core.degraded import Degraded
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.emergency import flat_proof, freezing
from daemon.core.folding import mute
from daemon.core.folding.feeds import account_is_heard, clock_is_off, loop_is_stalled
from daemon.core.folding.pictures import overdue_at_ns
from daemon.core.judging import unjudged
from daemon.core.market.floor import floor_of
from daemon.core.market.frozen import frozen_ns, is_frozen
from daemon.core.market.marks import is_fresh, market_is_fresh, market_is_heard, ns, usable_mark
from daemon.core.mode import Mode
from daemon.core.protecting import protection, shared
from daemon.core.protecting.cover import is_crowded
from daemon.core.reasons import Reason
from daemon.core.restraint import pausing
from daemon.core.state import Feed, Guarded, Health, Need, Standing, SwitchState
from daemon.core.switch import is_feed_overdue

LINGER_NS: Final = 2 * 10**9
"""A stream has to live this long before its end of blindness is told: a flapping line is one message."""
UNSENT_PATIENCE_NS: Final = 10**9
UNKNOWN_FOR_NS: Final = 10 * 10**9
"""A countdown of which nothing is known may have run for long already: people hear no later, however rare feeds are."""
UNRELIABLE: Final = 3
"""A stop that vanished so often in a row is expected to vanish again."""

_CRITICAL: Final = {
    Degraded.BLIND_ACCOUNT,
    Degraded.BLIND_MARKET,
    Degraded.COVER_REFUSED,
    Degraded.STOP_WORTHLESS,
    Degraded.LIQUIDATION_UNKNOWN,
    Degraded.MISCONFIGURED,
    Degraded.JOURNAL_FAILED,
    Degraded.SWITCH_UNFED,
    Degraded.HEDGE_MODE,
    Degraded.FLATTEN_STUCK,
    Degraded.ADDRESS_BANNED,
}


# ---------------------------------------------------------------------- the account


def judge_account(draft: Draft) -> None:
    """Judge the degraded states of the account."""
    for state, text in _account_states(draft):
        if (text or draft.degraded) and draft.set_degraded(state.value, is_degraded=bool(text)):
            _tell(draft, state, "", text)


def _account_states(draft: Draft) -> Iterator[tuple[Degraded, str]]:
    health = draft.health
    market, account = market_is_heard(draft), account_is_heard(draft)
    yield Degraded.BLIND_MARKET, _blind(draft, Degraded.BLIND_MARKET, health.market, "market stream", fresh=market)
    yield Degraded.BLIND_ACCOUNT, _blind(draft, Degraded.BLIND_ACCOUNT, health.account, "account stream", fresh=account)
    yield Degraded.STREAM_MUTE, mute.in_words(draft)
    yield Degraded.TABLE_DOUBTED, _doubted(health)
    yield Degraded.LOOP_STALLED, _stalled(health.loop_lag_ns) if loop_is_stalled(draft) else ""
    yield Degraded.CLOCK_SKEW, _skew(health.clock_skew_ns) if clock_is_off(draft) else ""
    yield Degraded.JOURNAL_FAILED, "" if health.is_journal_ok else "the journal cannot be written; guarding goes on"
    yield Degraded.MISCONFIGURED, f"the venue refuses requests: {health.misconfigured}" if health.misconfigured else ""
    yield Degraded.HEDGE_MODE, _hedged(draft.hedged) if draft.hedged else ""
    unsent, is_limited = _unsent(draft), health.is_limited
    yield Degraded.BUDGET_EMPTY, unsent if is_limited else ""
    yield Degraded.BUDGET_DRAINED, mute.drained(draft, was_drained=Degraded.BUDGET_DRAINED.value in draft.degraded)
    yield Degraded.ADDRESS_BANNED, mute.banned(draft)
    yield Degraded.VENUE_UNREACHABLE, "" if is_limited else unsent
    yield Degraded.PICTURE_OVERDUE, _overdue(draft)
    yield Degraded.SWITCH_UNCONFIRMED, draft.switch.problem
    yield Degraded.SWITCH_UNFED, _unfed(draft)
    yield Degraded.FLATTEN_STUCK, flat_proof.stuck(draft)
    yield Degraded.FREEZE_STUCK, freezing.stuck(draft)
    yield Degraded.BOTS_UNHEARD, bots.deaf(draft)
    yield Degraded.PAUSED, pausing.in_words(draft)
    yield Degraded.RULE_UNJUDGED, unjudged.lasting(draft)


def _doubted(health: Health) -> str:
    doubted = [f"{table} ({why})" for table, why in (*health.market.doubted, *health.account.doubted)]
    return f"unreadable and asked for anew: {', '.join(doubted)}" if doubted else ""


def _hedged(names: Iterable[str]) -> str:
    return f"hedge mode is not supported; unguarded: {', '.join(sorted(names))}"


def _stalled(lag_ns: int) -> str:
    return f"the event loop was held up for {seconds(lag_ns)}"


def _skew(skew_ns: int) -> str:
    return f"our clock and the venue's differ by {seconds(abs(skew_ns))}"


def _blind(draft: Draft, state: Degraded, feed: Feed, name: str, *, fresh: bool) -> str:
    present = state.value in draft.degraded
    if fresh:
        lingers = present and draft.mode is not Mode.GUARDING and draft.now_ns < feed.since_ns + LINGER_NS
        return f"the {name} has only just returned" if lingers else ""
    grace_ns = draft.started_ns + ns(draft.policy.health.stale_after_s)
    if draft.mode is Mode.STARTING and draft.now_ns < grace_ns and not present:
        draft.wake(ACCOUNT, grace_ns)
        return ""
    if feed.is_live and feed.data_age_ns > max(feed.age_ns, ns(draft.policy.health.stale_after_s)):
        return f"the {name} answers pings and has told nothing for {seconds(feed.data_age_ns)}"
    if feed.is_live:
        return f"the {name} has been silent for {seconds(feed.age_ns)}"
    return f"the {name} is down: {feed.reason}"


def _unsent(draft: Draft) -> str:
    since_ns = draft.health.unsent_ns
    if not since_ns:
        return ""
    if draft.now_ns < since_ns + UNSENT_PATIENCE_NS:
        draft.wake(ACCOUNT, since_ns + UNSENT_PATIENCE_NS)
        return ""
    return f"requests are not carried out: {draft.health.unsent_text}"


def _overdue(draft: Draft) -> str:
    if draft.now_ns < overdue_at_ns(draft):
        return ""
    since_ns = max(draft.pictures.answered_ns, draft.started_ns)
    return f"the account could not be read for {seconds(draft.now_ns - since_ns)}"


def _unfed(draft: Draft) -> str:
    switch, mode = draft.switch, draft.policy.switch.mode
    if draft.policy.observe or mode is SwitchMode.OFF or draft.pause is not None:
        return ""
    if switch.state is SwitchState.UNKNOWN and draft.mode in {Mode.STARTING, Mode.SYNCING}:
        return _unknown(draft)
    if switch.state is not SwitchState.ARMED:
        return _unarmed(draft) if mode is SwitchMode.ALWAYS else ""
    why = _why_unfed(draft)
    if not why:
        return ""
    left_ns = max(0, switch.expires_ns - draft.now_ns)
    return f"the dead man's switch is not fed while {why}; it cancels every order, stops too, in {seconds(left_ns)}"


def _unknown(draft: Draft) -> str:
    """No journal tells whether the process before armed it, and reading the account takes long."""
    if draft.now_ns < draft.started_ns + min(UNKNOWN_FOR_NS, ns(draft.policy.switch.interval_s)):
        return ""
    return "it is not known whether the dead man's switch runs; it is not fed while the account is being read"


def _unarmed(draft: Draft) -> str:
    """The countdown that is always to run has run out, and is not begun anew because of bots."""
    missing = bots.missing(draft) if draft.mode is Mode.GUARDING else ()
    return f"the dead man's switch does not run: {', '.join(missing)} must be alive and is not heard" if missing else ""


def _why_unfed(draft: Draft) -> str:
    if draft.mode is Mode.BLIND:
        return "blind"
    if draft.mode in {Mode.STOPPING, Mode.STOPPED} or not is_feed_overdue(draft):
        return ""
    if draft.mode is not Mode.GUARDING:
        return "the account is being read"
    if draft.health.misconfigured:
        return "the venue refuses requests"
    missing = bots.missing(draft)
    return f"{', '.join(missing)} must be alive and is not heard" if missing else ""


# ---------------------------------------------------------------------- one position


def judge_position(draft: Draft, symbol: str) -> None:
    """Judge the degraded states of one position."""
    guarded = draft.positions[symbol]
    found = {state: text for state, text in _position_states(draft, guarded) if text}
    before = guarded.degraded
    if not found and not before:
        return
    now = tuple(state for state in Degraded if state in found)
    if now == before:
        return
    draft.change(symbol, degraded=now)
    for state in now:
        if state not in before:
            _tell(draft, state, symbol, found[state])
    for state in before:
        if state not in found:
            _tell(draft, state, symbol, "")


def _position_states(draft: Draft, guarded: Guarded) -> Iterator[tuple[Degraded, str]]:
    if guarded.position.quantity == 0:
        yield Degraded.POSITION_DISPUTED, _denied(draft, guarded)
        return
    symbol, patience_ns = guarded.position.key.symbol, ns(draft.policy.stop.confirm_within_s)
    late = _is_late(draft, symbol, guarded.uncovered_ns, patience_ns)
    yield Degraded.UNCOVERED, _uncovered(draft, guarded) if late else _vanishing(draft, guarded)
    refused = guarded.refusal and not guarded.covered_ns
    yield Degraded.COVER_REFUSED, guarded.refusal if refused else ""
    has_none = guarded.need is Need.UNKNOWN or guarded.liquidation.standing is Standing.UNKNOWN
    unknown = has_none and _is_late(draft, symbol, guarded.known_ns, patience_ns)
    yield Degraded.LIQUIDATION_UNKNOWN, f"no liquidation price: {guarded.liquidation.text}" if unknown else ""
    worthless = guarded.need is Need.WORTHLESS
    yield Degraded.STOP_WORTHLESS, _worthless(draft, guarded) if worthless else ""
    silent = guarded.silent_ns and _is_late(draft, symbol, guarded.silent_ns, patience_ns)
    yield Degraded.RULE_SILENT, "; ".join(guarded.silences) if silent else ""
    disagrees = guarded.disagrees_ns and _is_late(draft, symbol, guarded.disagrees_ns, patience_ns)
    yield (
        Degraded.LIQUIDATION_DISAGREES,
        f"liquidation prices disagree: {guarded.liquidation.text}" if disagrees else "",
    )
    disputed = guarded.disputed_ns and _is_late(
        draft, symbol, guarded.disputed_ns, ns(draft.policy.health.stale_after_s)
    )
    yield Degraded.POSITION_DISPUTED, _disputed(guarded) if disputed else ""
    crowded = is_crowded(draft, symbol)
    yield Degraded.STOPS_CROWDED, "eight or more of the venue's ten stops a symbol are used" if crowded else ""
    yield Degraded.GUARDS_DISAGREE, shared.disagreement(draft, guarded)
    yield Degraded.BLIND_MARKET, _stale_mark(draft, guarded)
    frozen = is_frozen(draft, symbol, was_frozen=Degraded.MARK_FROZEN in guarded.degraded)
    yield Degraded.MARK_FROZEN, _frozen_mark(draft, symbol) if frozen else ""


def _is_late(draft: Draft, symbol: str, since_ns: int, patience_ns: int) -> bool:
    """Whether something has lasted; asks to be woken when it will have."""
    if not since_ns:
        return False
    if draft.now_ns >= since_ns + patience_ns:
        return True
    draft.wake(symbol, since_ns + patience_ns)
    return False


def _uncovered(draft: Draft, guarded: Guarded) -> str:
    for_ns = draft.now_ns - guarded.uncovered_ns
    why = f"; {guarded.refusal}" if guarded.refusal else ""
    at = "" if guarded.ruled is None else f", wanted at {guarded.ruled}"
    return f"{guarded.position.quantity:+d} has had no confirmed stop for {seconds(for_ns)}{at}{why}"


def _vanishing(draft: Draft, guarded: Guarded) -> str:
    """A stop that is put back and goes again and again is no cover; that is one state, not many short ones."""
    until_ns = guarded.vanished_ns + stops.VANISHING_NS
    is_known = Degraded.UNCOVERED in guarded.degraded
    if not is_known or guarded.vanishings < UNRELIABLE or draft.now_ns >= until_ns:
        return ""
    draft.wake(guarded.position.key.symbol, until_ns)
    return f"the stop of {guarded.position.quantity:+d} vanished {guarded.vanishings} times in a row"


def _worthless(draft: Draft, guarded: Guarded) -> str:
    """The figures that leave no room."""
    floor, mark = floor_of(draft, guarded), usable_mark(draft, guarded.position.key.symbol)
    line = guarded.liquidation.price
    if floor is None or line is None or mark is None:
        return "no room is left for a stop before liquidation"
    return (
        f"no room is left for a stop before liquidation: the mark is {mark.price}, and a stop nearer than"
        f" {floor.in_words(line)} may be removed by it"
    )


def _denied(draft: Draft, guarded: Guarded) -> str:
    late_ns = ns(draft.policy.health.stale_after_s)
    if not guarded.denied_ns or not _is_late(draft, guarded.position.key.symbol, guarded.denied_ns, late_ns):
        return ""
    return "stream and reads say that it is flat, and the margin row says that margin is in use; its stop stays"


def _disputed(guarded: Guarded) -> str:
    return (
        f"the account stream says {guarded.position.quantity:+d}, and reads of the account say that it is flat;"
        " its stop stays"
    )


def _stale_mark(draft: Draft, guarded: Guarded) -> str:
    """The symbol's own mark is old although the stream lives; a dead stream is the account's state, said once."""
    symbol = guarded.position.key.symbol
    if not market_is_fresh(draft) or is_fresh(draft, symbol):
        return ""
    since_ns = max(guarded.known_ns, draft.health.market.since_ns)
    if not _is_late(draft, symbol, since_ns, ns(draft.policy.health.stale_after_s)):
        return ""
    return "no mark price of this symbol for long, although the stream lives"


def _frozen_mark(draft: Draft, symbol: str) -> str:
    return (
        f"the mark price has not moved for {seconds(frozen_ns(draft, symbol))} while bid and ask did;"
        " stops and liquidation go by the mark, so it may jump past a stop when it moves again"
    )


def _tell(draft: Draft, state: Degraded, symbol: str, text: str) -> None:
    where = symbol or f"Account {draft.account}"
    began = bool(text)
    severity = Severity.NOTE
    if began:
        severity = Severity.CRITICAL if state in _CRITICAL else Severity.WARNING
        if state is Degraded.UNCOVERED:
            severity = protection.severity(draft.positions[symbol])
    tell(
        draft,
        Reason.DEGRADED if began else Reason.RECOVERED,
        severity,
        topic="degraded",
        state=state.value,
        symbol=symbol,
        text=f"{where}: {text.rstrip('.')}." if began else f"{where}: {state.value} is over.",
        facts=(("phase", "began" if began else "ended"),),
    )
