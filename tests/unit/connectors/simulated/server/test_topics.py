"""Topics: what they name, and the venue's texts for what they may not."""

from __future__ import annotations

import pytest

from connectors.simulated.server.topics import MOST_TOPICS, Subscription, TopicError, subscription_of, topic_list

SYMBOLS = frozenset({"XBTUSD", ".BXBT"})


@pytest.mark.parametrize(
    ("topic", "symbol"),
    [
        ("trade", None),
        ("trade:*", None),
        ("trade:", None),
        ("trade:XBTUSD", "XBTUSD"),
        ("trade:xbtusd", "XBTUSD"),
        ("trade:.BXBT", ".BXBT"),
        ("trade:CONTRACTS", "CONTRACTS"),
    ],
)
def test_a_topic_is_a_table_narrowed_to_a_symbol_or_a_group(topic: str, symbol: str | None) -> None:
    """Any case of letters; a star is the whole table."""
    assert subscription_of(topic, SYMBOLS, None) == Subscription(table="trade", account=None, symbol=symbol)


def test_the_account_is_part_of_a_private_subscription_only() -> None:
    """`margin` has no symbols, so a filter on it says nothing, and `order:*` is `order`."""
    assert subscription_of("margin:XBTUSD", SYMBOLS, 7) == Subscription(table="margin", account=7, symbol=None)
    assert subscription_of("order:XBTUSD", SYMBOLS, 7).account == 7
    assert subscription_of("trade", SYMBOLS, 7).account is None
    assert subscription_of("order", SYMBOLS, 7).topic == "order:*"


@pytest.mark.parametrize(
    ("topic", "status", "text"),
    [
        (
            "orderBook",
            400,
            "Unknown table: orderBook. Please see the documentation at https://www.bitmex.com/app/wsAPI.",
        ),
        ("", 400, "Unknown table: . Please"),
        ("trade:NOPE", 400, "Unknown or expired symbol: NOPE. Please see"),
        ("order", 401, "User requested an account-locked subscription but no authorization was provided."),
    ],
)
def test_what_may_not_be_named(topic: str, status: int, text: str) -> None:
    """The venue's texts."""
    with pytest.raises(TopicError) as refused:
        subscription_of(topic, SYMBOLS, None)
    assert refused.value.status == status
    assert refused.value.message.startswith(text)


def test_the_note_names_the_locked_tables() -> None:
    """Word for word what clients quote."""
    with pytest.raises(TopicError) as refused:
        subscription_of("wallet", SYMBOLS, None)
    note = "account,affiliate,execution,margin,order,position,privateNotifications,transact,wallet"
    assert refused.value.meta == {"notes": f"Account-locked tables include the following: {note}"}


def test_arguments_are_one_topic_or_a_list() -> None:
    """Everything else is a request without arguments; too many are too many, and that frame has no `meta`."""
    assert topic_list("trade") == ["trade"]
    assert topic_list(["trade", "quote"]) == ["trade", "quote"]
    for bad in (None, [], {}, 1, [1], ["trade", None]):
        with pytest.raises(TopicError, match="Invalid or missing args"):
            topic_list(bad)
    with pytest.raises(TopicError, match="Max Pending subscription limit reached") as refused:
        topic_list(["trade"] * (MOST_TOPICS + 1))
    assert (refused.value.status, refused.value.meta) == (503, None)
