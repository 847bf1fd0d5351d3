"""Logs for people, without secrets (P11)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config.model import LogFormat, LogSettings
from daemon.shell.logs import HIDDEN, Redaction, log_from, secrets_of_address, set_up_logs

SECRET = "s3cr3t-s3cr3t"
TEXT = f"with {SECRET} inside"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def lines(level: str = "info", log_format: LogFormat = LogFormat.JSON) -> io.StringIO:
    """Set logs up to write into memory."""
    output = io.StringIO()
    set_up_logs(LogSettings(format=log_format, level=level), secrets=[SECRET], output=output)
    return output


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_a_secret_is_hidden_wherever_it_stands(log_format: LogFormat) -> None:
    """P11: in the text, in a value, in a nested value, in an exception, from a library."""
    output = lines(log_format=log_format)
    log = structlog.get_logger("test")
    log.info(TEXT, plain=SECRET, nested={"deep": [f"x{SECRET}", SECRET.encode()]}, odd=ValueError(SECRET))
    try:
        int(SECRET)
    except ValueError:
        log.exception("failed")
    logging.getLogger("library").warning("a library says %s", SECRET)
    written = output.getvalue()
    assert SECRET not in written
    assert written.count(HIDDEN) >= 6


def test_values_named_like_secrets_are_hidden_whatever_they_are() -> None:
    """A connector logs a header that nobody registered."""
    entry = Redaction([])(
        None, "info", {"event": "x", "Authorization": "abc", "headers": {"api-secret": "abc", "a": 1}}
    )
    assert entry == {"event": "x", "Authorization": HIDDEN, "headers": {"api-secret": HIDDEN, "a": 1}}


def test_lines_are_json_with_level_and_time() -> None:
    """Machines read one object a line; what is below the level is not written."""
    output = lines()
    log = structlog.get_logger("test")
    log.debug("unsaid")
    log.warning("said", figure=1)
    (line,) = output.getvalue().splitlines()
    assert json.loads(line).items() >= {"event": "said", "level": "warning", "figure": 1}.items()
    assert "timestamp" in json.loads(line)


def test_short_texts_are_no_secrets() -> None:
    """An empty or tiny secret must not blot out every word."""
    assert Redaction(["", "a"]).clean("banana") == "banana"


def test_the_token_of_a_webhook_is_a_secret() -> None:
    """Path and query of such an address often are the credential; a short path is an ordinary word."""
    assert secrets_of_address("https://example.org/services/T0/B0/token?key=value-of-key") == (
        "services/T0/B0/token",
        "key=value-of-key",
        "value-of-key",
    )
    assert secrets_of_address("http://127.0.0.1:1/alerts") == ()
    assert secrets_of_address(None) == ()


def test_the_addresses_of_apprise_are_all_token() -> None:
    """They put a token where an HTTP address has its host; what is written in percent signs counts decoded too."""
    secrets = secrets_of_address("tgram://123456:bot%2Dtoken/-100200300/?format=html")
    assert {"123456", "bot%2Dtoken", "bot-token", "-100200300", "format"} == set(secrets)


@pytest.mark.parametrize(("is_terminal", "begins"), [(True, "20"), (False, "{")])
def test_a_terminal_gets_text_and_everything_else_json(is_terminal: bool, begins: str) -> None:
    """The default format: a person at a terminal reads words, a service manager's journal gets objects."""
    output = io.StringIO()
    set_up_logs(LogSettings(), secrets=[], output=output, is_terminal=is_terminal)
    structlog.get_logger("test").info("said")
    plain = output.getvalue().replace("\x1b[2m", "")
    assert plain.startswith(begins)


def test_a_line_begins_with_time_level_and_event() -> None:
    """What an eye looks for stands in front, whatever else the line says."""
    output = lines()
    structlog.get_logger("test").info("said", a=1)
    assert list(json.loads(output.getvalue())) == ["timestamp", "level", "event", "a"]


def test_a_logger_that_is_in_use_follows_another_grade() -> None:
    """P11: less, then more, then less is written by the same logger; secrets stay hidden."""
    output = lines("info")
    log = structlog.get_logger("some part")
    for level, words in (("warning", "one"), ("debug", f"two {SECRET}"), ("INFO", "three")):
        log_from(level)
        log.debug(words)
    log.info("four")
    assert [json.loads(line)["event"] for line in output.getvalue().splitlines()] == [f"two {HIDDEN}", "four"]


@pytest.mark.parametrize("address", ["https://[hooks.example.org/secret", "mailtos://me:secret[word@example.org"])
def test_an_address_that_makes_no_sense_is_hidden_all_the_same(address: str) -> None:
    """P11: a bracket that never closes ends no start, and shows nothing."""
    redaction = Redaction(secrets_of_address(address))
    assert "secret" not in str(redaction.clean(f"tried {address} in vain"))
