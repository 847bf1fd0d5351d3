"""The options of `seawall web`: it stays on this machine."""

from __future__ import annotations

import argparse

import pytest

from daemon.web.options import loopback_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8790", ("127.0.0.1", 8790)),
        ("127.3.2.1:0", ("127.3.2.1", 0)),
        ("[::1]:8790", ("::1", 8790)),
    ],
)
def test_a_loopback_address_is_taken(text: str, expected: tuple[str, int]) -> None:
    """IPv4 and IPv6 loopback, with a port or with 0 for any."""
    assert loopback_address(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.0.0.0:8790", "can be reached by other machines"),
        ("[::]:8790", "can be reached by other machines"),
        ("192.168.1.7:8790", "can be reached by other machines"),
        ("localhost:8790", "must be like"),
        ("8790", "must be like"),
        ("127.0.0.1:x", "must be a whole number"),
        ("127.0.0.1:99999", "must be a port"),
        ("", "must be like"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, words: str) -> None:
    """The page asks nobody who he is, so it is not served to other machines."""
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        loopback_address(text)
