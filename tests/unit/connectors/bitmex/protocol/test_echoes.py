"""An answer that comes twice is told from two answers that only look alike."""

from __future__ import annotations

from connectors.bitmex.protocol.echoes import Echoes
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
