"""Bots: who is alive, who fell silent, and what that leads to.

A bot shows that it lives by a call (`BotHeard`) or by an order of its own that the account stream shows. Only what the
bot itself must have done counts as such an order: one that is new, or a limit order that was amended. A fill, a
triggered stop, a cancel does not: the resting orders of a dead bot are filled and cancelled as well.

What is counted is not the time since then but the time in which the bot could have been heard: second by second, at
most two for each tick of the process, none while the control API is down (for calls) or the account stream is not fresh
(for orders). So a process that slept, a machine that was suspended, a clock that jumped or a restart of the guard makes
no bot silent. After a restart the count begins anew; a silence that held goes on until the bot is heard.

When a bot falls silent, its orders that may add exposure are cancelled by id (`freezing.py`), its stops stay, and with
`cancel_and_flatten` a FLATTEN latch is set, once, which outlives the bot's return. A bot that no guard ever heard
closes nothing: its settings may simply be ahead of its program.

`must_be_alive` is a statement about the dead man's switch (P6): while such a bot is not known to be alive the switch is
not fed (`switch.py`). So that the countdown need not take the stops, everybody's orders that may add exposure are
cancelled by id when half of it is over, and new ones as they appear; in mode `auto` the switch is then disarmed.

See docs/decisions/0023-bots-and-the-halt-flag.md. Units: nanoseconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from config.bots import BotPolicy, Heartbeat, OnSilence
from config.policy import Policy, SwitchMode
from connectors.vocabulary import Order, OrderKind, OrderStatus
from daemon.core import ids
from daemon.core.adding import may_add_exposure
from daemon.core.alerts import seconds, tell
from daemon.core.commands import Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.events import BotHeard, HealthTicked, HeardBy
from daemon.core.folding.feeds import account_is_fresh
from daemon.core.market.marks import ns
from daemon.core.memory.bot_standing import Bot, Listening
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import GuardState, SwitchState

MOST_A_TICK_NS: Final = 2 * 10**9
"""Of the time between two ticks, this much counts: they come once a second, and whatever is longer was slept."""
TELL_EVERY_NS: Final = 60 * 10**9
"""A bot that comes and goes is told once in this time (P10); status and halt flag always show how it is."""
DEAF_PATIENCE_NS: Final = 3 * 10**9
"""A control API that comes back within this long is not worth a word."""


def latch_name(bot: str) -> str:
    """The FLATTEN that a bot's silence sets, by the name it is lifted by."""
    return f"bot-{bot}"


# ---------------------------------------------------------------------- signs of life


def restart(draft: Draft) -> None:
    """A process began: every bot gets its whole time to be heard; silences that held go on."""
    named = draft.policy.bots
    if not named and not draft.bots:
        return
    for name in [name for name in draft.bots if name not in named]:
        draft.remove("bots", name)
    for name in named:
        bot = replace(draft.bots.get(name, Bot()), quiet_ns=0)
        bot = replace(bot, is_told=bot.is_silent, told_ns=draft.now_ns if bot.is_silent else bot.told_ns)
        draft.put("bots", name, bot)
        if bot.is_silent:
            _tell_silent(draft, name, bot, "still silent after the restart")
    draft.listening = Listening()


def take_heard(draft: Draft, event: BotHeard) -> None:
    """A bot called."""
    policy = draft.policy.bots.get(event.bot)
    if policy is not None and policy.heartbeat is not Heartbeat.ORDERS:
        _hear(draft, event.bot, event.how)


def take_order(draft: Draft, order: Order) -> None:
    """An order row of the account stream: a sign of life if only the bot itself can have caused it.

    Must be asked before the row is folded into the books: what is new is judged by what was known.
    """
    if not draft.policy.bots or order.account != draft.account or ids.is_ours(draft.account, order.client_order_id):
        return
    name = owner(draft.policy, order.client_order_id)
    if name is None or draft.policy.bots[name].heartbeat is Heartbeat.CALL:
        return
    if not draft.orders_known or not draft.health.account.is_live or order.order_id in draft.finished:
        # Before the open orders were listed, an order that rests since long may look new.
        return
    known = draft.orders.get(order.symbol, {}).get(order.order_id)
    if _is_placed(order) if known is None else _is_amended(known, order):
        _hear(draft, name, HeardBy.ORDER)


def _is_placed(order: Order) -> bool:
    """Whether an order that nobody knew has just been placed.

    A row that is filled or cancelled says so of a market order only: another one may have rested, and have been
    dropped from the books because a cancel found nothing.
    """
    if order.kind is OrderKind.MARKET:
        return True
    return order.status in {OrderStatus.NEW, OrderStatus.PENDING, OrderStatus.REJECTED} and not order.is_triggered


def _is_amended(known: KnownOrder, order: Order) -> bool:
    """Whether somebody changed a resting limit order.

    Stops and pegged orders are moved by the venue, and what only reduces is cut by it when the position shrinks.
    """
    before = known.order
    if order.kind is not OrderKind.LIMIT or order.is_reduce_only or order.is_close or order.status.is_final:
        return False
    return order.price != before.price or order.quantity != before.quantity


def _hear(draft: Draft, name: str, how: HeardBy) -> None:
    bot = draft.bots.get(name)
    if bot is None or (bot.heard_ns >= _looked_ns(draft) and not bot.quiet_ns and not bot.is_silent):
        # Heard since the last tick: to write that down for every order would cost a copy each time.
        return
    draft.put("bots", name, replace(bot, quiet_ns=0, heard_ns=draft.now_ns, heard_by=how, silent_ns=0, is_told=False))
    if bot.is_silent:
        _tell_back(draft, name, bot)


def _looked_ns(draft: Draft) -> int:
    """When this process last looked at the bots."""
    return max(draft.listening.tick_ns, draft.started_ns, 1)


# ---------------------------------------------------------------------- the count


def take_tick(draft: Draft, event: HealthTicked) -> None:
    """A second went by: count it for every bot that could have been heard, and see who fell silent."""
    if not draft.policy.bots:
        return
    before = draft.listening
    deaf_ns = (before.deaf_ns or draft.now_ns) if event.deaf else 0
    draft.listening = Listening(tick_ns=draft.now_ns, deaf_ns=deaf_ns, deaf_text=event.deaf)
    if draft.mode in {Mode.STOPPING, Mode.STOPPED}:
        return
    for name, policy in draft.policy.bots.items():
        bot = draft.bots.get(name)
        if bot is not None and bot.is_silent:
            _tell_silent_late(draft, name, bot)
        elif bot is not None and _is_audible(draft, policy):
            counted_ns = _counted_ns(draft, before, bot)
            _count(draft, name, policy, replace(bot, quiet_ns=bot.quiet_ns + counted_ns))


def _counted_ns(draft: Draft, before: Listening, bot: Bot) -> int:
    """How much of the time since the last tick, or since it was heard, counts."""
    if not before.tick_ns:
        return 0
    return min(draft.now_ns - max(before.tick_ns, bot.heard_ns), MOST_A_TICK_NS)


def _is_audible(draft: Draft, policy: BotPolicy) -> bool:
    """Whether every way in which the bot may show that it lives is open."""
    hears_calls = policy.heartbeat is Heartbeat.ORDERS or not draft.listening.deaf_ns
    sees_orders = policy.heartbeat is Heartbeat.CALL or account_is_fresh(draft)
    return hears_calls and sees_orders


def _count(draft: Draft, name: str, policy: BotPolicy, bot: Bot) -> None:
    if bot.quiet_ns < ns(policy.silent_after_s):
        draft.put("bots", name, bot)
        return
    bot = replace(bot, silent_ns=draft.now_ns, silences=bot.silences + 1, cancelled=0)
    draft.put("bots", name, bot)
    words = f"not heard for {seconds(bot.quiet_ns)}" if bot.heard_ns else "never heard, by this guard or one before"
    _tell_once_in_a_while(draft, name, bot, words)
    if policy.on_silence is OnSilence.CANCEL_AND_FLATTEN and bot.heard_ns:
        _ = latches.flatten(draft, latch_name(name), symbols=policy.symbols, text=f"Bot {name} is silent: {words}")


def _tell_silent_late(draft: Draft, name: str, bot: Bot) -> None:
    """A silence that came too soon after the last one to be told, and lasts."""
    if not bot.is_told:
        _tell_once_in_a_while(draft, name, bot, f"silent for {seconds(draft.now_ns - bot.silent_ns)}")


def _tell_once_in_a_while(draft: Draft, name: str, bot: Bot, words: str) -> None:
    if bot.told_ns and draft.now_ns < bot.told_ns + TELL_EVERY_NS:
        return
    draft.put("bots", name, replace(bot, told_ns=draft.now_ns, is_told=True))
    _tell_silent(draft, name, bot, words)


def settle(draft: Draft) -> None:
    """Ask to be woken when half of an unfed countdown will be over."""
    since_ns = _missing_since_ns(draft)
    due_ns = _clearing_due_ns(draft, since_ns) if since_ns else 0
    if draft.now_ns < due_ns:
        draft.wake(ACCOUNT, due_ns)


# ---------------------------------------------------------------------- questions


def owner(policy: Policy, client_order_id: str) -> str | None:
    """Whose order this is, of the bots that are named; None: of none of them. The guard's own are not asked about.

    Example:
        >>> policy = Policy(bots={"maker": BotPolicy(id_prefix="mm-"), "rest": BotPolicy()})
        >>> [owner(policy, name) for name in ("mm-1", "", "by-hand")]
        ['maker', 'rest', 'rest']
    """
    nameless = None
    for name, bot in policy.bots.items():
        if not bot.id_prefix:
            nameless = name
        elif client_order_id.startswith(bot.id_prefix):
            return name
    return nameless


def missing(view: Draft | GuardState) -> tuple[str, ...]:
    """The bots that must be alive and are not known to be: the switch is not fed because of them."""
    if not view.bots or view.policy.switch.mode is SwitchMode.OFF:
        return ()
    return tuple(name for name in view.bots if _missed_since_ns(view, name))


def is_forbidding(view: Draft | GuardState) -> bool:
    """Whether any order may be forbidden because of bots: the cheap question that comes first."""
    return bool(view.bots) and (any(bot.is_silent for bot in view.bots.values()) or bool(missing(view)))


def forbids(view: Draft | GuardState, order: Order) -> bool:
    """Whether an order of somebody is to go because of a bot's silence, if it may add exposure."""
    if silent_owner(view, order.client_order_id) is not None:
        return True
    since_ns = _missing_since_ns(view)
    return bool(since_ns) and view.now_ns >= _clearing_due_ns(view, since_ns)


def silent_owner(view: Draft | GuardState, client_order_id: str) -> str | None:
    """The silent bot whose order this is, if its orders are to go; None where there is none."""
    name = owner(view.policy, client_order_id)
    if name is None or name not in view.bots or not view.bots[name].is_silent:
        return None
    return None if view.policy.bots[name].on_silence is OnSilence.ALERT else name


def deaf(draft: Draft) -> str:
    """Why bots' calls cannot be heard, once that has lasted; empty while they can."""
    since_ns = draft.listening.deaf_ns
    if not since_ns or not draft.policy.bots:
        return ""
    if draft.now_ns < since_ns + DEAF_PATIENCE_NS:
        draft.wake(ACCOUNT, since_ns + DEAF_PATIENCE_NS)
        return ""
    return f"bots' calls cannot be heard: {draft.listening.deaf_text}"


def note_cancelled(draft: Draft, client_order_id: str) -> None:
    """Count an order that is cancelled for its bot's silence."""
    name = silent_owner(draft, client_order_id)
    if name is not None:
        bot = draft.bots[name]
        draft.put("bots", name, replace(bot, cancelled=bot.cancelled + 1))


def _missing_since_ns(view: Draft | GuardState) -> int:
    """Since when any bot is missing that must be alive; 0 while none is."""
    return min((_missed_since_ns(view, name) for name in missing(view)), default=0)


def _missed_since_ns(view: Draft | GuardState, name: str) -> int:
    policy = view.policy.bots.get(name)
    if policy is None or not policy.must_be_alive:
        return 0
    silent_ns, deaf_ns = view.bots[name].silent_ns, view.listening.deaf_ns
    if silent_ns or not deaf_ns or policy.heartbeat is Heartbeat.ORDERS:
        return silent_ns
    # Nobody can say that it lives while nobody can hear it; one that is heard by its orders too may still be.
    unknown_ns = max(deaf_ns, view.bots[name].heard_ns) + ns(policy.silent_after_s)
    return unknown_ns if view.now_ns >= unknown_ns else 0


def _clearing_due_ns(view: Draft | GuardState, since_ns: int) -> int:
    """When everybody's new exposure goes: half of the countdown that was left, or at once where none runs."""
    switch = view.switch
    if switch.state is not SwitchState.ARMED or not switch.expires_ns:
        return since_ns
    return since_ns + max(0, switch.expires_ns - since_ns) // 2


# ---------------------------------------------------------------------- words


def _tell_silent(draft: Draft, name: str, bot: Bot, words: str) -> None:
    policy = draft.policy.bots[name]
    acts = policy.on_silence is not OnSilence.ALERT or policy.must_be_alive
    what = _what_follows(draft, name, policy, bot)
    tell(
        draft,
        Reason.BOT_SILENT,
        Severity.CRITICAL if acts else Severity.WARNING,
        topic="bot",
        state="silent",
        text=f"Bot {name} is silent: {words}. {what}",
        facts=(("bot", name), ("on_silence", policy.on_silence.value), ("heard_ns", bot.heard_ns)),
    )


def _what_follows(draft: Draft, name: str, policy: BotPolicy, bot: Bot) -> str:
    count = sum(
        may_add_exposure(known.order) and owner(draft.policy, known.order.client_order_id) == name
        for book in draft.orders.values()
        for known in book.values()
        if not ids.is_ours(draft.account, known.order.client_order_id)
    )
    said = f"Its {count} open order(s) that may add exposure"
    if policy.on_silence is OnSilence.ALERT:
        said += " stay"
    else:
        said += " are cancelled by id until it is heard, and new ones as they appear; its stops stay"
    if policy.on_silence is OnSilence.CANCEL_AND_FLATTEN and not bot.heard_ns:
        said += "; nothing is closed for a bot that was never heard"
    if name in missing(draft):
        said += "; the dead man's switch is not fed until it is back, and nobody's new exposure is let through"
    return f"{quiet.words(draft).capitalize()}; would be done: {said}." if quiet.is_quiet(draft) else f"{said}."


def _tell_back(draft: Draft, name: str, bot: Bot) -> None:
    if not bot.is_told:
        return
    latch = latch_name(name)
    still = f" Still latched: {latch} (seawall lift {latch})." if latch in draft.latches else ""
    tell(
        draft,
        Reason.BOT_SILENT,
        Severity.NOTE,
        topic="bot",
        state="back",
        text=f"Bot {name} is back after {seconds(draft.now_ns - bot.silent_ns)} of silence:"
        f" {bot.cancelled} order(s) were cancelled.{still}",
        facts=(("bot", name), ("cancelled", bot.cancelled)),
    )
