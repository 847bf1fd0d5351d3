"""One real-time session: what a client says, and what it is told.

Why: sign-in, subscriptions and the errors of both are the part of the venue that clients get wrong
most often, so this is a plain object without sockets: texts in, texts out through the outbox.

A success reply comes before its partial, one per topic. `margin:*` names the whole table. A
private subscription without a sign-in is answered with 401 and the socket stays open, which is
how a client goes blind without noticing. Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.simulated.engine.inputs import CancelAllAfter
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import REALTIME_PATH, Access, ApiKey, Claim, require_access
from connectors.simulated.server.clock import iso
from connectors.simulated.server.json_text import NotJson, dump, load
from connectors.simulated.server.outbox import Outbox
from connectors.simulated.server.rest.door import over_limit
from connectors.simulated.server.rest.meta import websocket_help
from connectors.simulated.server.rest.orders import checked_timeout
from connectors.simulated.server.symbols import GROUPS, in_group
from connectors.simulated.server.tables import TABLES, Table
from connectors.simulated.server.venue import Venue
from connectors.simulated.server.wire import Frame

_MOST_TOPICS = 500  # in one message
_LONGEST_NUMBER = 20  # digits of a time-out
_WHOLE_TABLE = "*"
_SEE_DOCS = "Please see the documentation at https://www.bitmex.com/app/wsAPI."
_LOCKED_NOTE = "Account-locked tables include the following: " + ",".join(
    sorted(name for name, table in TABLES.items() if table.is_private)
)


class TopicError(Exception):
    """A request the session answers with an error frame."""

    def __init__(self, message: str, *, status: int = 400, meta: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.meta = meta or {}


class Session:
    """One client on `/realtime`.

    Attributes:
        outbox: What is to be written to it.
        address: Where it comes from.
    """

    def __init__(self, venue: Venue, *, address: str, key: ApiKey | None) -> None:
        self._venue = venue
        self._key = key
        self._topics: dict[str, set[str | None]] = {}
        self.address = address
        self.outbox = Outbox(venue.settings.outbox_bytes)

    def open(self, *, connections_left: int, topics: Iterable[str] = ()) -> None:
        """Greet, and subscribe to the topics of the address."""
        self._say(
            {
                "info": "Welcome to the BitMEX Realtime API.",
                "version": "2.0.0",
                "timestamp": iso(self._venue.clock()),
                "docs": "https://www.bitmex.com/app/wsAPI",
                "heartbeatEnabled": False,
                "limit": {"remaining": connections_left},
                "appName": "embedded-exchange",
            }
        )
        wanted = [topic for topic in topics if topic]
        if wanted:
            self._subscribe_all(wanted, {"op": "subscribe", "args": wanted})

    def take(self, text: str) -> None:
        """Answer one message of the client."""
        if text == "ping":
            self.outbox.put("pong")
            return
        if text == "help":
            self._say(websocket_help())
            return
        try:
            request = load(text)
        except NotJson:
            request = None
        if not isinstance(request, dict):
            self._complain(TopicError(f"Unrecognized request. {_SEE_DOCS}"), text)
            return
        try:
            self._perform(request)
        except TopicError as error:
            self._complain(error, request)

    def offer(self, frame: Frame) -> None:
        """Take a published frame if it is subscribed to."""
        filters = self._topics.get(frame.table)
        if filters is None or (frame.account is not None and not self._is_of(frame.account)):
            return
        if _is_covered(frame.symbol, filters):
            self.outbox.put(frame.text)

    def follows(self, table: str, symbol: str) -> bool:
        """Return whether this symbol of this table is subscribed to."""
        return _is_covered(symbol, self._topics.get(table, set()))

    def backlog(self) -> int:
        """Return the bytes the client has not taken yet."""
        return self.outbox.backlog()

    def give_up(self) -> None:
        """Drop the client: it is too slow."""
        self.outbox.give_up()

    def hang_up(self, address: str) -> None:
        """Close, if this is where the session comes from."""
        if self.address == address:
            self.outbox.close()

    def _perform(self, request: dict[str, object]) -> None:
        args = request.get("args")
        match request.get("op"):
            case "subscribe":
                self._subscribe_all(_topic_list(args), request)
            case "unsubscribe":
                self._unsubscribe_all(_topic_list(args), request)
            case "authKeyExpires":
                self._sign_in(args, request)
            case "cancelAllAfter":
                self._cancel_all_after(args, request)
            case "help":
                self._say(websocket_help())
            case "ping":
                self.outbox.put("pong")
            case _:
                raise TopicError(f"Unrecognized operation. {_SEE_DOCS}")

    def _sign_in(self, args: object, request: object) -> None:
        if self._key is not None:
            raise TopicError("You are already authenticated.")
        fields = [str(one) for one in args] if isinstance(args, list) else []
        if len(fields) != 3 or not fields[0]:
            raise TopicError("Missing API key.")
        claim = Claim(key_id=fields[0], expires=fields[1], signature=fields[2])
        try:
            self._key = self._venue.keyring.verify(
                claim, verb="GET", paths=[REALTIME_PATH], body=b"", now_ms=self._venue.clock()
            )
        except Refused as refusal:
            self._complain(TopicError(refusal.message, status=refusal.status), request)
            self.outbox.close()  # as at the venue: the refusal, then the end
            return
        self._say({"success": True, "request": request})

    def _cancel_all_after(self, args: object, request: object) -> None:
        timeout = args[0] if isinstance(args, list) and args else args
        if isinstance(timeout, bool) or not isinstance(timeout, int | Decimal | str) or not _is_whole(timeout):
            raise TopicError("Invalid timeout")
        try:
            require_access(self._key, Access.CANCEL)
            account = self._charged_account()
            value = CancelAllAfter(account=account, timeout_ms=checked_timeout(int(timeout)))
            reply = self._venue.submit(value)
        except Refused as refusal:
            raise TopicError(refusal.message, status=refusal.status) from refusal
        self._say({**(reply if isinstance(reply, dict) else {}), "request": request})

    def _charged_account(self) -> int:
        account = 0 if self._key is None else self._key.account
        verdict = self._venue.limits.admit(
            account=account, address=self.address, is_order=False, now_ms=self._venue.clock()
        )
        if verdict.retry_after_s is not None:
            refusal = over_limit(verdict)
            raise TopicError(refusal.message, status=refusal.status, meta={"retryAfter": verdict.retry_after_s})
        return account

    def _subscribe_all(self, topics: list[str], request: object) -> None:
        for topic in topics:
            try:
                self._subscribe(topic, request)
            except TopicError as error:
                self._complain(error, request)

    def _subscribe(self, topic: str, request: object) -> None:
        table, symbol = self._parsed(topic)
        account = self._account_for(table)
        known = self._topics.setdefault(table.name, set())
        if symbol in known:
            raise TopicError(f"You are already subscribed to this topic: {topic}. {_SEE_DOCS}")
        if account is not None:
            self._venue.refresh(account)
        known.add(symbol)
        self._say({"success": True, "subscribe": topic, "request": request})
        self.outbox.put(self._venue.hub.partial(table, account=account, symbol=symbol))

    def _unsubscribe_all(self, topics: list[str], request: object) -> None:
        for topic in topics:
            name, _, wanted = topic.partition(":")
            symbol = _filter_of(wanted)
            known = self._topics.get(name, set())
            if symbol not in known:
                self._complain(TopicError(f"You are not subscribed to this topic: {topic}. {_SEE_DOCS}"), request)
                continue
            known.discard(symbol)
            if not known:
                del self._topics[name]
            self._say({"success": True, "unsubscribe": topic, "request": request})
        self._venue.hub.settle_books()

    def _parsed(self, topic: str) -> tuple[Table, str | None]:
        name, _, wanted = topic.partition(":")
        table = TABLES.get(name)
        if table is None:
            raise TopicError(f"Unknown table: {name}. {_SEE_DOCS}")
        symbol = _filter_of(wanted)
        if symbol is None or "symbol" not in table.types:
            return table, None
        if symbol not in GROUPS and all(row["symbol"] != symbol for row in self._venue.exchange.instrument_rows()):
            raise TopicError(f"Unknown or expired symbol: {wanted}. {_SEE_DOCS}")
        return table, symbol

    def _account_for(self, table: Table) -> int | None:
        if not table.is_private:
            return None
        if self._key is None:
            raise TopicError(
                "User requested an account-locked subscription but no authorization was provided.",
                status=401,
                meta={"notes": _LOCKED_NOTE},
            )
        return self._key.account

    def _is_of(self, account: int) -> bool:
        return self._key is not None and self._key.account == account

    def _complain(self, error: TopicError, request: object) -> None:
        self._say({"status": error.status, "error": error.message, "meta": error.meta, "request": request})

    def _say(self, value: object) -> None:
        self.outbox.put(dump(value).decode())


def _topic_list(args: object) -> list[str]:
    topics = [args] if isinstance(args, str) else args
    if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
        raise TopicError(f"Invalid or missing args. {_SEE_DOCS}")
    if len(topics) > _MOST_TOPICS:
        raise TopicError("Max Pending subscription limit reached, please try again later.", status=503)
    return [str(topic) for topic in topics]


def _filter_of(wanted: str) -> str | None:
    return None if wanted in {"", _WHOLE_TABLE} else wanted.upper()


def _is_covered(symbol: str | None, filters: set[str | None]) -> bool:
    if None in filters or symbol in filters:
        return True
    return symbol is not None and any(in_group(symbol, group) for group in GROUPS if group in filters)


def _is_whole(value: Decimal | str | int) -> bool:
    text = str(value)
    return len(text) <= _LONGEST_NUMBER and text.isascii() and text.removeprefix("-").isdigit()
