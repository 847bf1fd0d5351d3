"""An answer that comes twice is told from two answers that only look alike."""

from __future__ import annotations

import pytest

from connectors.bitmex.protocol.echoes import Echoes, is_from_between
from connectors.bitmex.protocol.refusals import Answer


def an_answer(body: bytes = b"[]", status: int = 200, **headers: str) -> Answer:
    """Return an answer of the venue."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers={"content-type": "application/json", **named}, body=body, took_s=0.1)


def test_the_same_bytes_again_are_an_echo() -> None:
    """P5: head and body of an answer come a second time, some requests later."""
    echoes = Echoes()
    assert not echoes.is_repeated(an_answer(x_ratelimit_remaining="100"))
    assert not echoes.is_repeated(an_answer(x_ratelimit_remaining="99"))
    assert echoes.is_repeated(an_answer(x_ratelimit_remaining="100"))


def test_what_differs_is_an_answer() -> None:
    """The same empty list, of another count, of another request id, or with another status, is an answer of its own."""
    echoes = Echoes()
    heads = ({"x_ratelimit_remaining": "9"}, {"x_ratelimit_remaining": "8"}, {"x_request_id": "a"})
    assert not any(echoes.is_repeated(an_answer(**head)) for head in heads)
    assert not echoes.is_repeated(an_answer(status=400, x_ratelimit_remaining="9"))
    assert not echoes.is_repeated(an_answer(body=b"[{}]", x_ratelimit_remaining="9"))


def test_answers_that_count_nothing_may_be_alike() -> None:
    """A page of a load balancer, or a venue without budget headers: nothing can be told, so nothing is held back."""
    echoes = Echoes()
    assert not echoes.is_repeated(an_answer())
    assert not echoes.is_repeated(an_answer())


def test_what_is_remembered_is_bounded() -> None:
    """After some dozens of others an answer is forgotten."""
    echoes = Echoes()
    for count in range(100):
        assert not echoes.is_repeated(an_answer(x_ratelimit_remaining=str(count)))
    assert not echoes.is_repeated(an_answer(x_ratelimit_remaining="0"))


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        (an_answer(status=403), True),
        (an_answer(status=502, content_type="text/html"), True),
        (an_answer(content_type="text/html; charset=utf-8"), True),
        (an_answer(status=403, x_ratelimit_remaining="9"), False),
        (an_answer(status=400, x_request_id="a"), False),
        (an_answer(), False),
    ],
    ids=["403", "502", "page", "counted 403", "named 400", "uncounted rows"],
)
def test_an_error_or_a_page_without_a_count_is_of_something_on_the_way(answer: Answer, is_one: bool) -> None:
    """P5: its repeat could not be told, so its connection is given up; rows of a venue that counts nothing may stay."""
    assert is_from_between(answer) == is_one
