"""The choke point's rule about bots (P1, P6): is this order's cancel, or this feed, borne out by a bot's silence?

Written apart from `bots.py`, which makes the commands, so that each checks the other. What counts as proof is in the
state: a bot of the settings that was not heard for its whole time, and whose order this is by its id.
"""

from __future__ import annotations

from config.bots import Heartbeat, OnSilence
from config.policy import SwitchMode
from connectors.vocabulary import Order
from daemon.core.market.marks import ns
from daemon.core.state import GuardState, SwitchState


def may_cancel(order: Order, state: GuardState) -> bool:
    """Whether silence alone allows an order of somebody to be cancelled, as far as it may add exposure."""
    return _belongs_to_the_silent(order, state) or _is_everybody_held(state)


def feed_refusal(state: GuardState) -> str | None:
    """Why the switch must not be fed: a bot that must be alive is silent, or could not be heard for its whole time."""
    missing = [
        name
        for name, policy in state.policy.bots.items()
        if policy.must_be_alive and name in state.bots and (state.bots[name].silent_ns or _unheard_ns(state, name))
    ]
    return f"the switch is not fed while {', '.join(missing)} is not known to be alive" if missing else None


def _belongs_to_the_silent(order: Order, state: GuardState) -> bool:
    policies = state.policy.bots
    begun = [name for name in policies if policies[name].id_prefix]
    owners = [name for name in begun if order.client_order_id.startswith(policies[name].id_prefix)]
    owners = owners or [name for name in policies if not policies[name].id_prefix]
    return any(
        name in state.bots and state.bots[name].silent_ns and policies[name].on_silence is not OnSilence.ALERT
        for name in owners
    )


def _is_everybody_held(state: GuardState) -> bool:
    """Whether a bot that must be alive has been missing for half of the countdown, if one runs."""
    if state.policy.switch.mode is SwitchMode.OFF:
        return False
    since = [
        state.bots[name].silent_ns or _unheard_ns(state, name)
        for name, policy in state.policy.bots.items()
        if policy.must_be_alive and name in state.bots
    ]
    since_ns = min((each for each in since if each), default=0)
    if not since_ns:
        return False
    switch = state.switch
    runs = switch.state is SwitchState.ARMED and switch.expires_ns > since_ns
    return state.now_ns >= (since_ns + switch.expires_ns) // 2 if runs else True


def _unheard_ns(state: GuardState, name: str) -> int:
    """Since when nobody could have heard a bot that calls, for its whole time; 0 where that is not so."""
    policy, deaf_ns = state.policy.bots[name], state.listening.deaf_ns
    if not deaf_ns or policy.heartbeat is Heartbeat.ORDERS:
        return 0
    unknown_ns = max(deaf_ns, state.bots[name].heard_ns) + ns(policy.silent_after_s)
    return unknown_ns if state.now_ns >= unknown_ns else 0
