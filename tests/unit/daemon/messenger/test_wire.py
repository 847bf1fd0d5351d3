"""What guard and messenger say to each other, and that no part of an address is in what is said about it (P11)."""

from __future__ import annotations

import msgspec
import pytest

from daemon.messenger.wire import HIDDEN, Answer, Chart, Errand, Track, without_address


@pytest.mark.parametrize(
    ("address", "said", "left"),
    [
        (
            "tgram://123456789:AAbot-token/-100200300",
            "Failed to send to https://api.telegram.org/bot123456789:AAbot-token/sendMessage chat -100200300",
            ("123456789", "AAbot-token", "-100200300"),
        ),
        (
            "mailtos://user:pa%24%24word@mail.example.org?to=somebody@example.com",
            "login of user at mail.example.org with pa$$word refused, pa%24%24word",
            ("pa$$word", "pa%24%24word", "mail.example.org"),
        ),
        ("https://hooks.example.org/services/T0/secret-part", "POST /services/T0/secret-part: 500", ("secret-part",)),
    ],
)
def test_no_part_of_an_address_is_left(address: str, said: str, left: tuple[str, ...]) -> None:
    """As it stands and decoded, wherever a library puts it."""
    clean = without_address(said, address)
    assert not [each for each in left if each in clean]
    assert HIDDEN in clean
    assert "address" not in without_address(f"about {address}", address)


def test_words_that_are_no_part_of_it_stay() -> None:
    """The kind of service and what went wrong can still be read."""
    said = without_address(
        "Failed to send Telegram notification: Unauthorized, error=401.", "tgram://12345:token/chat1"
    )
    assert said == "Failed to send Telegram notification: Unauthorized, error=401."


def test_errands_and_answers_survive_the_way() -> None:
    """A chart with a gap, an answer with a reason."""
    chart = Chart(title="XBTUSD", times_s=(1.0, 2.0), tracks=(Track(name="stop", prices=(None, 1.5)),))
    errand = Errand(number=1, address="x://y", title="a", text="b", kind="info", timeout_s=1.0, chart=chart)
    assert msgspec.json.decode(msgspec.json.encode(errand), type=Errand) == errand
    answer = Answer(number=1, why="no")
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer
