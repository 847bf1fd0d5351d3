"""Times, prices and money for people."""

import pytest

from daemon.demo.words import clock_time, iso_time, money_text, price_text, span_text


@pytest.mark.parametrize(
    ("ms", "words"), [(3_200, "3.2s"), (250_000, "4m 10s"), (7_500_000, "2h 05m"), (-3_200, "3.2s")]
)
def test_span(ms: int, words: str) -> None:
    """The largest units that fit, whatever the sign."""
    assert span_text(ms) == words


def test_times_are_utc() -> None:
    """Milliseconds since 1970 read the same on every machine."""
    assert iso_time(1_584_000_000_123) == "2020-03-12T08:00:00.123Z"
    assert clock_time(1_584_000_000_000) == "03-12 08:00:00"


def test_prices_keep_the_decimals_that_matter() -> None:
    """A bitcoin price has one decimal, a small one four."""
    assert [price_text(p) for p in (60_000.12, 123.456, 0.33647)] == ["60,000.1", "123.46", "0.3365"]
    assert money_text(123_456_789) == "1.2346 XBT"
