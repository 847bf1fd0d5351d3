"""Is another API key good? Tried beside the one in use, so that a wrong one costs nothing.

Asked in the order of cost: may it be used at all, is it of the same account, and does a stream of the account come up
under it. Only then does it sign anything that matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from config.credentials import Credentials
from config.model import Settings
from connectors.errors import Misconfigured, Rejected, VenueError
from connectors.ports import OrderEntry
from daemon.core.events import FeedName
from daemon.reach import Streams, stream_problems
from daemon.shell.key_rights import objection, refusal_in_words
from daemon.shell.reload import Fresh


class KeyPorts(Streams, Protocol):
    """Where requests and streams under one key come from."""

    def order_entry(self) -> OrderEntry:
        """Return what sends requests."""


class KeyTrial:
    """Tries keys."""

    def __init__(self, ports: Callable[[Settings, Credentials], KeyPorts]) -> None:
        self._ports = ports

    async def prove(self, fresh: Fresh, account: int) -> str:
        """Return why a key cannot take the place of the one in use; empty if it can."""
        ports = self._ports(fresh.settings, fresh.credentials)
        orders = ports.order_entry()
        try:
            return await _rights_problem(orders, fresh.settings, account) or await _stream_problem(ports)
        except VenueError as error:
            return error.reason
        finally:
            await orders.close()


async def _rights_problem(orders: OrderEntry, settings: Settings, account: int) -> str:
    try:
        rights = await orders.key_rights()
    except (Misconfigured, Rejected) as error:
        return refusal_in_words(error.reason)
    refused = objection(rights, settings)
    if refused is not None:
        return refused
    found = rights.account if rights.account is not None else await _account_of_picture(orders)
    return "" if found == account else f"it belongs to account {found}, and this guard's is {account}"


async def _account_of_picture(orders: OrderEntry) -> int | None:
    picture = await orders.picture()
    rows = [*(margin.account for margin in picture.margins), *(each.key.account for each in picture.positions)]
    return rows[0] if rows else None


async def _stream_problem(ports: Streams) -> str:
    problems = await stream_problems(ports, feeds=(FeedName.ACCOUNT,))
    return problems.get(FeedName.ACCOUNT, "")
