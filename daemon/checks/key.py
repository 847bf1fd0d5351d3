"""What the key may do and from where: more than it needs is refused, less is named."""

from __future__ import annotations

from collections.abc import Iterator

from config.advice import unlisted
from config.impossible import ContractFacts, below_a_tick
from config.model import Settings
from connectors.errors import Misconfigured, Rejected, VenueError
from connectors.ports import KeyRights, OrderEntry
from daemon.checks.findings import Finding, advice, ok, problem
from daemon.exit_codes import ExitCode
from daemon.shell.key_rights import objection, refusal_in_words


async def key_findings(settings: Settings, orders: OrderEntry) -> list[Finding]:
    """Ask what the key may do, whether such a key is used, and from where it may be."""
    try:
        rights = await orders.key_rights()
    except (Misconfigured, Rejected) as error:
        return [problem("key", refusal_in_words(error.reason), ExitCode.CREDENTIALS)]
    except VenueError as error:
        text = f"its rights could not be asked for: {error.reason}"
        return [problem("key", text, ExitCode.VENUE_UNREACHABLE)]
    refused = objection(rights, settings)
    if refused is not None:
        return [problem("key", f"{refused}{_has(rights)}", ExitCode.CREDENTIALS)]
    return [ok("key", rights_in_words(rights)), *allow_list(rights)]


def allow_list(rights: KeyRights) -> Iterator[Finding]:
    """Say from where the key may be used. The venue took a request that it signed, so this machine is among them."""
    if not rights.is_readable:
        return
    if not rights.networks:
        text = "the key may be used from any address: restrict it to this machine's, on the exchange's page of keys"
        yield advice("address", text)
        return
    shown = ", ".join(rights.networks)
    yield ok("address", f"the key may be used from {shown} only, and this machine is within: the exchange took it")


async def contracts(settings: Settings, orders: OrderEntry) -> list[Finding]:
    """Hold the policy against what is listed: the symbols that it names, and its distances against open positions."""
    try:
        picture, listed = await orders.picture(), await orders.instruments()
    except VenueError as error:
        return [advice("contracts", f"the policy could not be held against the contracts: {error.reason}")]
    ticks = {each.symbol: each.tick_size for each in listed}
    names = [advice("contracts", text) for text in unlisted(settings.policy, ticks)] if ticks else []
    problems = [
        text
        for position in picture.positions
        if position.quantity and position.mark_price and position.key.symbol in ticks
        for text in below_a_tick(
            settings.policy,
            ContractFacts(symbol=position.key.symbol, tick_size=ticks[position.key.symbol], price=position.mark_price),
        )
    ]
    return [*names, *(problem("ticks", text, ExitCode.BAD_INPUT) for text in problems)]


def rights_in_words(rights: KeyRights) -> str:
    """Say what an accepted key may do."""
    if not rights.is_readable:
        return "its rights cannot be read, which guard.accept_unreadable_rights allows"
    return "may place orders and may not withdraw" if rights.can_order else "may read only, which observing needs"


def _has(rights: KeyRights) -> str:
    """Name what it has, so that what is missing can be seen on the exchange's page."""
    if rights.can_withdraw or not rights.is_readable:
        return ""
    found = ", ".join(f'"{each}"' for each in rights.permissions) or "none beyond reading"
    return f' (it lacks "order"; it has {found})'
