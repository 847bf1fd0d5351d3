"""A secret that cannot be printed by accident (P11)."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from config.credentials import Credentials, Secret

SECRET = Secret("do-not-show-me")


@pytest.mark.parametrize("shown", [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!r:>40}", "%s" % SECRET])  # noqa: UP031 - every way of formatting
def test_no_way_of_formatting_shows_it(shown: str) -> None:
    """P11: repr, str, f-strings and percent formatting hide the value."""
    assert "do-not-show-me" not in shown


def test_credentials_hide_it_too() -> None:
    """P11: the pair may be printed; the secret in it stays hidden."""
    credentials = Credentials(key_id="id", secret=SECRET)
    assert "id" in repr(credentials)
    assert "do-not-show-me" not in repr(credentials)


def test_it_is_neither_pickled_nor_written_as_json() -> None:
    """P11: nothing that writes values wholesale can take it along."""
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)
    with pytest.raises(TypeError):
        msgspec.json.encode(Credentials(key_id="id", secret=SECRET))


def test_only_reveal_gives_it() -> None:
    """Signing needs the value, and equal secrets are equal."""
    assert SECRET.reveal() == "do-not-show-me"
    assert Secret("do-not-show-me") == SECRET
