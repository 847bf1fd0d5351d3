"""Topics of the real-time feed: what a client may name, and the texts for what it may not.

Source: www.bitmex.com/app/wsAPI; the texts as recorded and quoted in public clients.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from connectors.simulated.server.symbols import GROUPS
from connectors.simulated.server.tables import TABLES, Table

MOST_TOPICS = 500  # in one message, and waiting for their partials
SEE_DOCS = "Please see the documentation at https://www.bitmex.com/app/wsAPI."
_WHOLE_TABLE = "*"
_UNAVAILABLE = 503
_LOCKED_NOTE = "Account-locked tables include the following: " + ",".join(
    sorted(name for name, table in TABLES.items() if table.is_private)
)


class TopicError(Exception):
    """A request the session answers with an error frame.

    Attributes:
        message: The venue's text.
        status: Status of the frame.
        meta: Its `meta`, None for a frame without.
    """

    def __init__(self, message: str, *, status: int = 400, meta: dict[str, object] | None = None) -> None:
        """Keep what the frame shows; `meta` is an empty object there unless it is 503's, which has none."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.meta = None if status == _UNAVAILABLE else meta or {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What a session reads.

    Attributes:
        table: Its name.
        account: Reader's account for private tables, else None.
        symbol: An instrument, a group of them, or None for all.
    """

    table: str
    account: int | None
    symbol: str | None

    @property
    def topic(self) -> str:
        """The venue's name for it; a whole table is `order:*`."""
        return f"{self.table}:{self.symbol or _WHOLE_TABLE}"


def subscription_of(topic: str, symbols: Container[str], account: int | None) -> Subscription:
    """Return what a topic names.

    Args:
        topic: As sent: `order`, `order:*`, `instrument:CONTRACTS`, `trade:XBTUSD`.
        symbols: All instruments that can be subscribed to.
        account: Who has signed in, None if nobody has.

    Raises:
        TopicError: Unknown table, unknown symbol, or a private table without a sign-in.
    """
    table, symbol = parsed(topic)
    if symbol is not None and symbol not in GROUPS and symbol not in symbols:
        raise TopicError(f"Unknown or expired symbol: {topic.partition(':')[2]}. {SEE_DOCS}")
    if table.is_private and account is None:
        raise TopicError(
            "User requested an account-locked subscription but no authorization was provided.",
            status=401,
            meta={"notes": _LOCKED_NOTE},
        )
    return Subscription(table=table.name, account=account if table.is_private else None, symbol=symbol)


def parsed(topic: str) -> tuple[Table, str | None]:
    """Return the table of a topic and the symbol or group it is narrowed to.

    Raises:
        TopicError: If there is no such table.
    """
    name, _, wanted = topic.partition(":")
    table = TABLES.get(name)
    if table is None:
        raise TopicError(f"Unknown table: {name}. {SEE_DOCS}")
    narrowed = wanted not in {"", _WHOLE_TABLE} and "symbol" in table.types
    return table, wanted.upper() if narrowed else None


def topic_list(args: object) -> list[str]:
    """Return the topics of a request: one text or a list of them.

    Raises:
        TopicError: If they are neither, or too many.
    """
    topics = [args] if isinstance(args, str) else args
    if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
        raise TopicError(f"Invalid or missing args. {SEE_DOCS}")
    if len(topics) > MOST_TOPICS:
        raise too_many_pending()
    return [str(topic) for topic in topics]


def too_many_pending() -> TopicError:
    """Return the refusal of more subscriptions than the venue prepares at a time."""
    return TopicError("Max Pending subscription limit reached, please try again later.", status=503)
