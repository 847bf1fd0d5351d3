"""Bots that trade the account: how each one shows that it lives, and what its silence leads to.

Why: the orders of a program that died stay on the exchange, and nobody moves them. A bot that is named here is
expected to be heard; one that is not heard for long enough is taken for dead.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import combinations
from typing import Final

from config.checks import PolicyError, require

MOST_BOTS: Final = 32
LONGEST_PREFIX: Final = 24
"""Of the 36 characters that the venue takes for a client order id."""
GUARDS_PREFIX: Final = "sw-"
"""Orders of guards begin with it, whichever account they are of."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class Heartbeat(Enum):
    """How a bot shows that it lives.

    CALL: it calls the control API, or `seawall heartbeat` does for it. ORDERS: it places or amends an order whose id
    begins with its `id_prefix`. EITHER: whichever comes.
    """

    CALL = "call"
    ORDERS = "orders"
    EITHER = "either"


class OnSilence(Enum):
    """What a bot's silence leads to.

    CANCEL: its orders that may add exposure are cancelled by id; its stops stay. CANCEL_AND_FLATTEN: the same, and
    positions are closed and kept closed until a person lifts it. ALERT: people are told, nothing else.
    """

    CANCEL = "cancel"
    CANCEL_AND_FLATTEN = "cancel_and_flatten"
    ALERT = "alert"


@dataclass(frozen=True, kw_only=True, slots=True)
class BotPolicy:
    """`[bots.NAME]`: one bot that trades the account. NAME is what it calls itself at the control API."""

    id_prefix: str = ""
    """The bot's client order ids begin with it, and nobody else's do. Empty: every order that is neither the guard's
    nor another bot's is this one's, those placed by hand too; only one bot may leave it empty."""
    heartbeat: Heartbeat = Heartbeat.CALL
    silent_after_s: Decimal = Decimal(30)
    """Not heard for this long, it is silent. Only time in which it could be heard counts."""
    on_silence: OnSilence = OnSilence.CANCEL
    symbols: tuple[str, ...] = ()
    """What `cancel_and_flatten` closes. Empty: every position of the account."""
    must_be_alive: bool = False
    """While this bot is silent the dead man's switch is not fed, and nobody's new exposure is let through."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant by one bot."""
        prefix = self.id_prefix
        require(len(prefix) <= LONGEST_PREFIX, "bots.id_prefix", f"must have at most {LONGEST_PREFIX} characters")
        plain = prefix.isascii() and prefix.isprintable() and " " not in prefix
        require(not prefix or plain, "bots.id_prefix", "must be plain characters without blanks")
        require(
            not prefix or not _overlap(prefix, GUARDS_PREFIX),
            "bots.id_prefix",
            f'must not begin with "{GUARDS_PREFIX}", the guard\'s, nor be its beginning',
        )
        require(
            bool(prefix) or self.heartbeat is Heartbeat.CALL,
            "bots.heartbeat",
            'needs an id_prefix: without one, an order placed by hand would keep a dead bot alive (or use "call")',
        )
        require(5 <= self.silent_after_s <= 86_400, "bots.silent_after_s", "must be from 5 to 86400 (a day)")


def check_bots(bots: Mapping[str, BotPolicy]) -> None:
    """Refuse bots that cannot be told apart.

    Raises:
        PolicyError: At the first thing that is wrong.
    """
    for name, problem in problems_of(bots):
        raise PolicyError(f"bots.{name}" if name else "bots", problem)


def problems_of(bots: Mapping[str, BotPolicy]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with bots taken together: the name of a bot (or nothing) and the problem."""
    if len(bots) > MOST_BOTS:
        yield "", f"are at most {MOST_BOTS}"
    for name in bots:
        if not _NAME.fullmatch(name):
            yield "", f"cannot have one called {name!r}: up to 32 letters, digits, dashes and underscores"
    for (name, bot), (other, twin) in combinations(bots.items(), 2):
        if not bot.id_prefix and not twin.id_prefix:
            yield other, f"has no id_prefix and neither has bots.{name}: nobody could tell whose an order is"
        elif bot.id_prefix and twin.id_prefix and _overlap(bot.id_prefix, twin.id_prefix):
            yield (
                other,
                f'has the id_prefix "{twin.id_prefix}", and bots.{name} "{bot.id_prefix}": one begins the other',
            )


def _overlap(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)
