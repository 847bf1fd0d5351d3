"""What befalls requests: each fault of `rest` and `keys` as a change to the request's fate.

Why: the door does what a fate says and knows no fault; here a fault knows neither HTTP nor the door.
`fits` says which requests a fault is about at all (overload is not about reads); `befall` lays it
over what earlier faults have decided.

Source: www.bitmex.com/app/restAPI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from connectors.simulated.server.fates import AS_USUAL, Arrival, Ending, Fate, Reply, gateway_page, is_shed
from connectors.simulated.server.faults.keeper import Bite
from connectors.simulated.server.faults.rows import Shown, is_about_rows, rewritten
from connectors.simulated.server.json_text import dump, load

POSITIONS = "/api/v1/position"
_MOST_REMEMBERED = 1_000  # questions whose first answers are repeated
_SILENCE = Reply(status=204, body=b"")
_ENDINGS = {"close": Ending.LOST, "reset": Ending.RESET, "torn": Ending.TORN, "hang": Ending.HANG}
_ORDER_ANSWERS = frozenset({"Order.new", "Order.amend", "Order.newBulk", "Order.amendBulk"})
_CANCELS = frozenset({"Order.cancel", "Order.cancelAll", "Order.cancelAllAfter"})

Rewrite = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class _Effect:
    befall: Callable[[Bite, Arrival, Fate], Fate]
    fits: Callable[[Bite, Arrival], bool] = lambda _bite, _arrival: True


def is_about(bite: Bite, arrival: Arrival) -> bool:
    """Return whether a fault is about this request at all."""
    if bite.name in EFFECTS:
        return EFFECTS[bite.name].fits(bite, arrival)
    return arrival.verb == "GET" and arrival.path == POSITIONS and is_about_rows(bite, table="position", where="rest")


def fate_of(arrival: Arrival, bites: list[Bite]) -> Fate:
    """Return what becomes of a request."""
    fate = AS_USUAL
    for bite in bites:
        effect = EFFECTS.get(bite.name)
        if effect is None:
            fate = _rewriting(fate, partial(_each_row, partial(rewritten, bite)))
        else:
            fate = effect.befall(bite, arrival, fate)
    return fate


def error_reply(
    status: int, message: str, *, name: str = "HTTPError", headers: Mapping[str, str] | None = None
) -> Reply:
    """Return the venue's error body as an answer."""
    return Reply(status=status, body=dump({"error": {"message": message, "name": name}}), headers=headers or {})


def ban_page() -> Reply:
    """Return what a banned address gets."""
    return replace(gateway_page(403), headers={"server": "awselb/2.0", "connection": "close"})


def message_of(reply: Reply) -> str:
    """Return the text in an error body."""
    return str(load(reply.body)["error"]["message"])


def refusal_of(bite: Bite) -> Reply | None:
    """Return the answer of a fault that refuses whoever comes, None if it does not."""
    refusal = _REFUSALS.get(bite.name)
    return None if refusal is None else refusal(bite)


_REFUSALS: Mapping[str, Callable[[Bite], Reply]] = {
    "banned": lambda _: ban_page(),
    "maintenance": lambda bite: error_reply(503, bite.text("message"), headers={"connection": "close"}),
    "handshake-refused": lambda bite: error_reply(bite.whole("status"), "Service unavailable"),
    "key-disabled": lambda _: error_reply(401, "This key is disabled."),
    "address-refused": lambda _: error_reply(403, "This IP address is not allowed to use this key."),
    "signature-refused": lambda _: error_reply(401, "Signature not valid."),
}


def _refuse(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, reply=refusal_of(bite))


def _lose_request(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, reply=_SILENCE, ending=_ENDINGS[bite.text("ending")])


def _lose_reply(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, ending=_ENDINGS[bite.text("ending")])


def _delay_request(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, wait_before_ms=fate.wait_before_ms + bite.whole("ms"))


def _delay_reply(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, wait_after_ms=fate.wait_after_ms + bite.whole("ms"))


def _repeat_request(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, times=2)


def _repeat_reply(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, ending=Ending.TWICE)


def _overload(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, is_overloaded=True)


def _rate_limit(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    seconds = bite.whole("retry_after")
    headers = {"retry-after": str(seconds)} if bite.parameters["header"] else {}
    text = f"Rate limit exceeded, retry in {seconds} seconds."
    return replace(fate, reply=error_reply(429, text, name="RateLimitError", headers=headers))


def _fail_at_gateway(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    status = bite.whole("status")
    page = gateway_page(status) if bite.text("form") == "html" else error_reply(status, "Service unavailable")
    return replace(fate, cover=page) if bite.parameters["executed"] else replace(fate, reply=page)


def _take_rights(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return replace(fate, reply=error_reply(403, "Access Denied"))


def _is_beyond_rights(bite: Bite, arrival: Arrival) -> bool:
    if arrival.account is None or arrival.verb == "GET":
        return False
    return bite.text("rights") == "read" or arrival.operation not in _CANCELS


def _garble(bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    garbled = replace(gateway_page(502), status=200) if bite.text("form") == "html" else Reply(status=200, body=b"")
    return replace(fate, cover=garbled)


def _say_pending(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    def pending(row: Shown) -> Shown:
        return {**row, "ordStatus": "PendingNew"} if "ordStatus" in row else row

    return _rewriting(fate, partial(_each_row, pending))


def _read_stale(bite: Bite, arrival: Arrival, fate: Fate) -> Fate:
    question = (arrival.account, arrival.path, repr(arrival.params.fields()))
    if len(bite.memory) >= _MOST_REMEMBERED and question not in bite.memory:
        return fate
    return _rewriting(fate, lambda answer: bite.memory.setdefault(question, answer))


def _miss_positions(_bite: Bite, _arrival: Arrival, fate: Fate) -> Fate:
    return _rewriting(fate, lambda _: [])


def _rewriting(fate: Fate, change: Rewrite) -> Fate:
    before = fate.rewrite
    return replace(fate, rewrite=change if before is None else lambda answer: change(before(answer)))


def _each_row(change: Callable[[Shown], Shown], answer: object) -> object:
    """Return an answer with its row, or each of its rows, changed; what is none stays."""
    if isinstance(answer, list):
        return [change(row) if isinstance(row, dict) else row for row in answer]
    return change(answer) if isinstance(answer, dict) else answer


def _is_signed(_bite: Bite, arrival: Arrival) -> bool:
    return arrival.account is not None


EFFECTS: Mapping[str, _Effect] = {
    "request-lost": _Effect(_lose_request),
    "reply-lost": _Effect(_lose_reply),
    "request-late": _Effect(_delay_request),
    "reply-late": _Effect(_delay_reply),
    "request-twice": _Effect(_repeat_request),
    "reply-twice": _Effect(_repeat_reply),
    "reply-garbled": _Effect(_garble),
    "overload": _Effect(_overload, lambda _bite, arrival: is_shed(arrival)),
    "gateway-error": _Effect(_fail_at_gateway),
    "rate-limited": _Effect(_rate_limit),
    "banned": _Effect(_refuse),
    "maintenance": _Effect(_refuse),
    "pending-new": _Effect(_say_pending, lambda _bite, arrival: arrival.operation in _ORDER_ANSWERS),
    "reads-stale": _Effect(_read_stale, lambda _bite, arrival: arrival.verb == "GET"),
    "positions-missing": _Effect(
        _miss_positions, lambda _bite, arrival: arrival.verb == "GET" and arrival.path == POSITIONS
    ),
    "key-disabled": _Effect(_refuse, _is_signed),
    "key-rights-changed": _Effect(_take_rights, _is_beyond_rights),
    "address-refused": _Effect(_refuse, _is_signed),
    "signature-refused": _Effect(_refuse, _is_signed),
}
