"""What is fuzzed: each target takes any bytes and may not raise, hang, or break the laws that it states.

An exception that a parser documents is its answer, not a defect; everything else that leaves a target is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from config.load import SettingsError, load_settings
from config.model import Settings
from connectors.bitmex.protocol import answers, marks, numbers, parse, parse_inputs
from connectors.bitmex.protocol.budget import RequestBudget
from connectors.bitmex.protocol.frames import MalformedFrame, read_frame
from connectors.bitmex.protocol.numbers import MalformedRow, Row
from connectors.bitmex.protocol.refusals import LONGEST_PAUSE_S, Answer, error_message, refusal, retry_after_s
from connectors.bitmex.protocol.switch import switch_receipt
from connectors.bitmex.quarantine import SAMPLE_LENGTH, shape_of
from connectors.errors import Rejected, VenueError
from connectors.ports import LimitRequest, ReduceRequest, StopRequest
from connectors.vocabulary import OrderSide
from daemon.shell.alerts.outbox_file import OutboxFile
from daemon.shell.records import (
    JournalCorrupt,
    Kind,
    SegmentReader,
    decode_checkpoint,
    decode_command,
    decode_event,
)
from tests.asgi import asked
from tests.fuzz.world import FuzzedWorld

Target = Callable[[bytes], None]
SYMBOL: Final = "XBTUSD"
_STOP = StopRequest(client_order_id="sw-1", symbol=SYMBOL, side=OrderSide.SELL, quantity=100, stop_price=Decimal(48000))
_REDUCE = ReduceRequest(client_order_id="sw-1", symbol=SYMBOL, side=OrderSide.SELL, quantity=None)
_LIMIT = LimitRequest(client_order_id="sw-1", symbol=SYMBOL, side=OrderSide.SELL, quantity=1, price=Decimal(1))


def account_stream(content: bytes) -> None:
    """Frames of the private stream, all the way to the core."""
    world = FuzzedWorld()
    world.play(world.account, content)


def market_stream(content: bytes) -> None:
    """Frames of the public stream, all the way to the core."""
    world = FuzzedWorld()
    world.play(world.market, content)


def mark_scanner(content: bytes) -> None:
    """The quick path and the exact one see the same marks, to a float's precision."""
    rows = marks.mark_rows(content)
    quick = next(
        (row.markPrice for row in reversed(rows or []) if row.symbol == SYMBOL and row.markPrice is not None), None
    )
    exact = marks.exact_mark(content, SYMBOL)
    if quick is not None and exact is not None:
        assert math.isclose(quick, float(exact), rel_tol=1e-9, abs_tol=1e-300)
    if exact is not None:
        assert marks.exact_mark(marks.mark_excerpt(SYMBOL, exact), SYMBOL) == exact


def exact_numbers(content: bytes) -> None:
    """Cells of any kind through every reader of cells."""
    with contextlib.suppress(MalformedRow):
        for row in answers.rows_of(content):
            for column in row:
                _read_cell(row, column)


def _read_cell(row: Row, column: str) -> None:
    for read in (numbers.number, numbers.price, numbers.integer, numbers.text, numbers.flag):
        with contextlib.suppress(MalformedRow):
            read(row, column)
    for time in (numbers.time_ns, numbers.span_ns):
        with contextlib.suppress(MalformedRow):
            assert abs(time(row, column)) < 10**21
    with contextlib.suppress(MalformedRow):
        whole = numbers.integer(row, column)
        assert whole is None or abs(whole) < 10**26, "megabytes of digits would stall the loop"


def rest_answers(content: bytes) -> None:
    """Bodies of answers that say they are a success, and the rows in them."""
    for read in (
        lambda: answers.placed_stop(content, _STOP),
        lambda: answers.placed_reduction(content, _REDUCE),
        lambda: answers.placed_reduction(content, _LIMIT),
        lambda: answers.amended_order(content, "o"),
        lambda: answers.cancelled_order(content, "o"),
        lambda: answers.cancelled_orders(content, ["o"]),
        lambda: answers.position_changed(content, SYMBOL),
        lambda: answers.venue_time_ns(Answer(status=200, headers={"date": _text(content)}, body=content)),
        lambda: [parser(row) for parser in _PARSERS for row in answers.rows_of(content)],
        lambda: parse.parse_key_rights(answers.rows_of(content), key_id="k"),
    ):
        with contextlib.suppress(MalformedRow):
            read()


_PARSERS: Final = (
    parse.is_refused_request,
    parse.refusal_reason,
    parse.parse_order,
    parse.parse_position,
    parse.parse_margin,
    parse.parse_execution,
    parse.parse_instrument,
    parse_inputs.parse_wallet,
    parse_inputs.parse_insurance,
    parse_inputs.parse_liquidation,
)


def refusals(content: bytes) -> None:
    """Answers that are no success: the first line is status and retry-after, the rest the body."""
    head, _, body = content.partition(b"\n")
    status = 100 + int.from_bytes(head[:2], "big") % 500
    for status_or in (status, 400, 401, 403, 404, 429, 503):
        answer = Answer(status=status_or, headers={"retry-after": _text(head[2:])}, body=body)
        for is_write in (True, False):
            assert isinstance(refusal(answer, is_write=is_write, expires_after_s=10.0), VenueError)
        assert 0 < retry_after_s(answer, error_message(body)) <= LONGEST_PAUSE_S


def switch_receipts(content: bytes) -> None:
    """Answers to the dead man's switch: a receipt says what was asked for, or there is none."""
    with contextlib.suppress(MalformedRow, Rejected):
        receipt = switch_receipt(answers.row_of(content), timeout_ms=60_000)
        assert receipt.cancel_time_ns is not None
        assert abs(receipt.cancel_time_ns - receipt.now_ns - 60_000_000_000) <= 250_000_000
    with contextlib.suppress(MalformedRow, Rejected):
        assert switch_receipt(answers.row_of(content), timeout_ms=0).cancel_time_ns is None


def rate_limit_headers(content: bytes) -> None:
    """`name: value` lines into the budget: it stays within its buckets and can be taken from again."""
    budget = RequestBudget(per_minute=120, per_second=10, reserve=20)
    for number, line in enumerate(content.split(b"\n")[:32]):
        name, _, value = line.partition(b":")
        budget.read_headers(float(number), {_text(name).lower(): _text(value).strip()})
        assert -1.0 <= budget.remaining(float(number)) <= 120.0
    wait_s = budget.take(1000.0, is_protective=True, is_limited_by_second=True)
    assert 0.0 <= wait_s <= 61.0
    assert budget.take(2000.0, is_protective=True) == 0.0


def journal_records(content: bytes) -> None:
    """A segment of any bytes: records up to a torn tail, or named damage."""
    with contextlib.suppress(JournalCorrupt):
        for record in SegmentReader(content.split(b"\n"), origin="fuzzed"):
            with contextlib.suppress(msgspec.ValidationError):
                match record.kind:
                    case Kind.EVENT:
                        decode_event(record)
                    case Kind.COMMAND:
                        decode_command(record)
                    case Kind.CHECKPOINT:
                        decode_checkpoint(record)


def control_requests(content: bytes) -> None:
    """A request to the control API, its first line the verb and the target: answered in JSON, and nothing breaks."""
    line, _, body = content.partition(b"\n")
    verb, _, target = line.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = [(b"idempotency-key", query[:80]), (b"content-length", b"%d" % len(body))]
    verb_text, path_text = verb.decode("latin-1").upper(), path.decode("latin-1")
    status, answer = asyncio.run(asked(verb_text, path_text, query=query, headers=headers, body=body))
    assert status in {200, 400, 404, 405, 409, 413, 503}
    assert isinstance(msgspec.json.decode(answer), dict) or verb_text == "HEAD"


def alert_outbox(content: bytes) -> None:
    """A file of alerts that were to be delivered, torn anywhere: what can be read of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts"
        path.write_bytes(content)
        kept = OutboxFile(path).read()
        assert not set(kept.pending) & set(kept.ended)
        assert set(kept.pending) == set(kept.to) == set(kept.done)


def frame_shapes(content: bytes) -> None:
    """What quarantine keeps is short, printable, and shows no digit of a value."""
    shape = shape_of(content)
    assert len(shape) <= SAMPLE_LENGTH
    assert shape.isascii()
    assert shape.isprintable() or not shape
    assert not set(shape) & set("012345678")
    with contextlib.suppress(MalformedFrame):
        read_frame(content)


def settings_file(content: bytes) -> None:
    """Any file is settings, or one clear error in which each line names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seawall.toml"
        path.write_bytes(content)
        for problem in _problems_of(path):
            assert problem.startswith(f"{path}: ")
            assert problem.isprintable(), "a control sign reaches the terminal"
            assert len(problem) < 2_000


def _problems_of(path: Path) -> tuple[str, ...]:
    try:
        settings = load_settings(path)
    except SettingsError as error:
        return error.problems or ("an error without a word",)
    assert isinstance(settings, Settings)
    return ()


def _text(part: bytes) -> str:
    return part.decode("latin-1")


TARGETS: Final[dict[str, Target]] = {
    target.__name__: target
    for target in (
        account_stream,
        market_stream,
        mark_scanner,
        exact_numbers,
        rest_answers,
        refusals,
        switch_receipts,
        rate_limit_headers,
        journal_records,
        control_requests,
        alert_outbox,
        frame_shapes,
        settings_file,
    )
}
