"""One real-time session: what a client says, and what it is told.

Why: sign-in, subscriptions and the errors of both are the part of the venue that clients get wrong
most often, so this is a plain object without sockets: texts in, messages out through an outlet.

A success reply comes before its partial, one per topic. `margin:*` names the whole table. A
private subscription without a sign-in is answered with 401 and the socket stays open, which is
how a client goes blind without noticing. Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Self

from connectors.simulated.engine.inputs import CancelAllAfter
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import REALTIME_PATH, Access, ApiKey, Claim, require_access
from connectors.simulated.server.clock import iso
from connectors.simulated.server.json_text import NotJson, dump, load
from connectors.simulated.server.limits import TokenBucket
from connectors.simulated.server.messages import Kind, Message
from connectors.simulated.server.outbox import NORMAL_CLOSURE, POLICY_VIOLATION, Outlet
from connectors.simulated.server.rest.meta import websocket_help
from connectors.simulated.server.rest.orders import checked_timeout
from connectors.simulated.server.topics import (
    MOST_TOPICS,
    SEE_DOCS,
    Subscription,
    TopicError,
    parsed,
    subscription_of,
    too_many_pending,
    topic_list,
)
from connectors.simulated.server.venue import Venue

_LONGEST_NUMBER = 20  # digits of a time-out
_MS_PER_MINUTE = 60_000
_NOT_UNDERSTOOD = f"Unrecognized request. See the docs or send 'help' for more details. {SEE_DOCS}"
_PONG = Message(kind=Kind.PONG, payload=b"pong")


class Session:
    """One client on `/realtime`, or one stream of `/realtimemd`.

    Attributes:
        outlet: Where it says things.
        address: Where it comes from.
        number: Count of sessions since the start.
    """

    def __init__(self, venue: Venue, *, outlet: Outlet, address: str, key: ApiKey | None) -> None:
        self._venue = venue
        self._key = key
        self._pending: dict[Subscription, None] = {}
        self._active: dict[Subscription, None] = {}
        self._errors_left = venue.settings.limits.errors_per_session
        self._topics_left = TokenBucket(
            capacity=venue.settings.limits.topics_per_minute, period_ms=_MS_PER_MINUTE, now_ms=venue.wall()
        )
        self.outlet = outlet
        self.address = address
        self.number = venue.hub.next_number()
        if key is not None:
            self._signed_in(key)

    @property
    def account(self) -> int | None:
        """Whose session it is, None before a sign-in."""
        return None if self._key is None else self._key.account

    @property
    def key_id(self) -> str | None:
        """The key it signed in with."""
        return None if self._key is None else self._key.key_id

    def readers(self) -> tuple[Self]:
        """Return the sessions of this connection: it is the only one."""
        return (self,)

    def open(self, *, connections_left: int, topics: Iterable[str] = ()) -> None:
        """Greet, and subscribe to the topics of the address."""
        welcome = {
            "info": "Welcome to the BitMEX Realtime API.",
            "version": "2.0.0",
            "timestamp": iso(self._venue.clock()),
            "docs": "https://www.bitmex.com/app/wsAPI",
            "heartbeatEnabled": False,
            "limit": {"remaining": connections_left} if self._venue.settings.tells_connections_left else {},
            "appName": "ws-feedhandler-embedded-exchange",
        }
        self._say(Kind.WELCOME, welcome)
        wanted = [topic for topic in topics if topic]
        if wanted:
            self.perform({"op": "subscribe", "args": wanted})

    def take(self, text: str) -> None:
        """Answer one message of the client."""
        if text == "ping":
            self.send(_PONG)
            return
        try:
            request = {"op": "help"} if text == "help" else load(text)
        except NotJson:
            request = None
        if isinstance(request, dict):
            self.perform(request)
        else:
            self._complain(TopicError(_NOT_UNDERSTOOD), {})

    def perform(self, request: dict[str, object]) -> None:
        """Answer one operation."""
        try:
            self._dispatch(request)
        except TopicError as error:
            self._complain(error, request)

    def send(self, message: Message) -> None:
        """Say this to the client, if no fault has other plans."""
        interference = self._venue.hub.interference
        if interference is None:
            self.outlet.put(message)
            return
        for one in interference.pass_on(self, message):
            self.outlet.put(one)

    def release(self, message: Message) -> None:
        """Say this now, whatever faults there are."""
        self.outlet.put(message)

    def expire(self, table: str | None = None) -> None:
        """End the private subscriptions with status 419; the socket stays open.

        Args:
            table: One table only, or None for the whole token: the session has to sign in anew then.
        """
        note = "Please re-subscribe with a new token to continue receiving messages for this subscription."
        for one in (*self._active, *self._pending):
            if one.account is not None and table in (None, one.table):
                self._end(one)
                error = f"Access Token expired for subscription: {one.topic}"
                self._say(Kind.ERROR, {"error": error, "meta": {"note": note}, "status": 419})
        if table is None:
            self._key = None

    def hang_up(self, code: int | None = NORMAL_CLOSURE) -> None:
        """Close; without a code break off in the middle of a frame."""
        self.outlet.close(code)

    def leave(self, address: str) -> None:
        """Close, if this is where the session comes from."""
        if self.address == address:
            self.outlet.close()

    def backlog(self) -> int:
        """Return the bytes the client has not taken yet."""
        return self.outlet.backlog()

    def give_up(self) -> None:
        """Drop the client: it is too slow."""
        self.outlet.give_up()

    def sign_in(self, fields: Sequence[str], request: object) -> bool:
        """Check key, expiry and signature; say so, and close after a refusal, as at the venue."""
        key_id, expires, signature = fields
        try:
            key = self._venue.keyring.verify(
                Claim(key_id=key_id, expires=expires, signature=signature),
                verb="GET",
                paths=[REALTIME_PATH],
                body=b"",
                now_ms=self._venue.wall() + self._venue.faults.clock_skew_ms(),
                address=self.address,
            )
            refused = self._venue.faults.sign_in(account=key.account)
            if refused is not None:
                raise refused
        except Refused as refusal:
            self._complain(TopicError(refusal.message, status=refusal.status), request)
            self.outlet.close()
            return False
        self._signed_in(key)
        self._say(Kind.REPLY, {"success": True, "request": request})
        return True

    def _signed_in(self, key: ApiKey) -> None:
        self._key = key
        interference = self._venue.hub.interference
        if interference is not None and interference.loses_sign_in(self):
            self._key = None

    def _dispatch(self, request: dict[str, object]) -> None:
        args = request.get("args")
        match request.get("op"):
            case "subscribe":
                self._subscribe_all(topic_list(args), request)
            case "unsubscribe":
                self._unsubscribe_all(topic_list(args), request)
            case "authKeyExpires":
                self._sign_in(args, request)
            case "authKey":
                raise TopicError(f"authKey is no longer supported, use authKeyExpires. {SEE_DOCS}")
            case "cancelAllAfter":
                self._cancel_all_after(args, request)
            case "help":
                self._say(Kind.REPLY, websocket_help())
            case "ping":
                self.send(_PONG)
            case _:
                raise TopicError(_NOT_UNDERSTOOD)

    def _sign_in(self, args: object, request: object) -> None:
        if self._key is not None:
            raise TopicError("You are already authenticated.")
        fields = [str(one) for one in args] if isinstance(args, list) else []
        if len(fields) != 3 or not fields[0]:
            raise TopicError("Missing API key.")
        self.sign_in(fields, request)

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
        self._say(Kind.REPLY, {**(reply if isinstance(reply, dict) else {}), "request": request})

    def _charged_account(self) -> int:
        account = self.account or 0
        verdict = self._venue.limits.admit(
            account=account, address=self.address, is_order=False, now_ms=self._venue.wall()
        )
        if verdict.retry_after_s is not None:
            raise _over_limit(verdict.retry_after_s)
        return account

    def _subscribe_all(self, topics: list[str], request: object) -> None:
        symbols = frozenset(self._venue.exchange.symbols())
        for topic in topics:
            self._require_room()
            try:
                wanted = self._new_subscription(topic, symbols)
            except TopicError as error:
                self._complain(error, request)
                continue
            self._pending[wanted] = None
            self._say(Kind.REPLY, {"success": True, "subscribe": topic, "request": request})
            self._venue.hub.images.when_ready(wanted.table, partial(self._begin, wanted))

    def _new_subscription(self, topic: str, symbols: Container[str]) -> Subscription:
        wanted = subscription_of(topic, symbols, self.account)
        if wanted in self._active or wanted in self._pending:
            raise TopicError(f"You are already subscribed to this topic: {wanted.topic}. {SEE_DOCS}")
        return wanted

    def _require_room(self) -> None:
        if len(self._pending) >= MOST_TOPICS:
            raise too_many_pending()
        now_ms = self._venue.wall()
        if self._venue.settings.limits.is_on and not self._topics_left.take(now_ms):
            raise _over_limit(self._topics_left.retry_after_s(now_ms))

    def _begin(self, wanted: Subscription) -> None:
        """Send the partial, and what changes from now on."""
        if wanted not in self._pending:
            return  # unsubscribed, expired or gone while it waited
        if wanted.account is not None:
            self._venue.refresh(wanted.account)
        del self._pending[wanted]
        self._active[wanted] = None
        self.send(self._venue.hub.partial(wanted))
        self._venue.hub.subscribe(self, wanted)

    def _unsubscribe_all(self, topics: list[str], request: object) -> None:
        for topic in topics:
            try:
                self._unsubscribe(topic)
            except TopicError as error:
                self._complain(error, request)
            else:
                self._say(Kind.REPLY, {"success": True, "unsubscribe": topic, "request": request})

    def _unsubscribe(self, topic: str) -> None:
        table, symbol = parsed(topic)
        known = Subscription(table=table.name, account=self.account if table.is_private else None, symbol=symbol)
        if known not in self._active and known not in self._pending:
            raise TopicError(f"You are not subscribed to this topic: {topic}. {SEE_DOCS}")
        self._end(known)

    def _end(self, known: Subscription) -> None:
        self._active.pop(known, None)
        self._pending.pop(known, None)
        self._venue.hub.unsubscribe(self, known)

    def close(self) -> None:
        """Want nothing any more: the client has gone."""
        self._active.clear()
        self._pending.clear()
        self._venue.hub.forget(self)

    def _complain(self, error: TopicError, request: object) -> None:
        meta = {} if error.meta is None else {"meta": error.meta}
        self._say(Kind.ERROR, {"status": error.status, "error": error.message, **meta, "request": request})
        self._errors_left -= 1
        if self._errors_left < 0 and self._venue.settings.limits.is_on:
            self.outlet.close(POLICY_VIOLATION)

    def _say(self, kind: Kind, value: object) -> None:
        self.send(Message(kind=kind, payload=dump(value)))


def _over_limit(wait_s: int) -> TopicError:
    return TopicError(f"Rate limit exceeded, retry in {wait_s} seconds.", status=429, meta={"retryAfter": wait_s})


def _is_whole(value: Decimal | str | int) -> bool:
    text = str(value)
    return len(text) <= _LONGEST_NUMBER and text.isascii() and text.removeprefix("-").isdigit()
