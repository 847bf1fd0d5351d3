"""A judged run as the closing table for people and as one object for machines. Pure."""

from __future__ import annotations

from daemon.demo.record import AccountRecord, AlertFact, Exit, Result, StopSummary
from daemon.demo.report import HEADLINES, alert_lead_ms
from daemon.demo.words import clock_time, iso_time, money_text, price_text, span_text


def table(result: Result) -> list[str]:
    """Return the lines that close a demo: what each account kept, each stop, each alert and how early it came."""
    record = result.record
    lines = ["", "account      equity start    equity end   kept  liquidations"]
    lines += [_account_line(account) for account in (record.guarded, record.unguarded)]
    lines += ["", "stop (guarded account)            trigger  resting at (tape)  after entry  mark reached it"]
    lines += [_stop_line(stop) for stop in result.stops]
    lines += ["", "alerts (tape time, how long before the unguarded position was liquidated)"]
    lines += [_alert_line(alert, result) for alert in record.alerts] or ["none"]
    lines += ["", HEADLINES[result.verdict], *(f"  {reason}" for reason in result.reasons)]
    restarts = [f"{name} {count}x" for name, count in record.restarts.items() if count]
    if restarts:
        lines.append(f"started again during the run: {', '.join(restarts)}")
    return lines


def as_object(result: Result, report: str) -> dict[str, object]:
    """Return the run as one JSON-ready object. Times are ISO 8601; `_tape` ones are history's, the others real."""
    record = result.record
    return {
        "verdict": result.verdict.name.lower(),
        "exit_code": result.verdict.value,
        "reasons": list(result.reasons),
        "source": record.source,
        "mark_source": record.mark_source,
        "tape_from": iso_time(record.tape_start_ms),
        "tape_to": iso_time(record.tape_end_ms),
        "seconds": round(record.seconds, 1),
        "equity_unit": "XBt",
        "guarded": _account(record.guarded),
        "unguarded": _account(record.unguarded),
        "stops": [_stop(stop) for stop in result.stops],
        "alerts": [_alert(alert, result) for alert in record.alerts],
        "unsafe_orders": list(record.unsafe),
        "restarts": dict(record.restarts),
        "report": report,
    }


def _account_line(account: AccountRecord) -> str:
    return (
        f"{account.name:<11}{money_text(account.equity_start_sat):>14}{money_text(account.equity_end_sat):>14}"
        f"{account.kept_share:>7.1%}{account.liquidations:>14}"
    )


def _stop_line(stop: StopSummary) -> str:
    trigger = price_text(float(stop.stop_price)) if stop.stop_price is not None else "none"
    resting = clock_time(stop.confirmed_tape_ms) if stop.confirmed_tape_ms is not None else "never"
    after = f"{stop.confirmed_after_ms} ms" if stop.confirmed_after_ms is not None else ""
    crossed = clock_time(stop.crossed_tape_ms) if stop.crossed_tape_ms is not None else "never"
    return f"{stop.title:<30}{trigger:>11}  {resting:>17}  {after:>11}  {crossed:>15}"


def _alert_line(alert: AlertFact, result: Result) -> str:
    lead = alert_lead_ms(alert, result)
    early = f"  ({span_text(lead)} before)" if lead is not None and lead > 0 else ""
    return f"{clock_time(alert.tape_ms)}  {alert.severity:<8}  {alert.text}{early}"


def _account(account: AccountRecord) -> dict[str, object]:
    return {
        "account": account.account,
        "equity_start": account.equity_start_sat,
        "equity_end": account.equity_end_sat,
        "liquidations": account.liquidations,
        "exits": [_exit(exit_) for exit_ in account.exits],
    }


def _exit(exit_: Exit) -> dict[str, object]:
    return {
        "symbol": exit_.symbol,
        "at_tape": iso_time(exit_.tape_ms),
        "price": float(exit_.price),
        "is_liquidation": exit_.is_liquidation,
    }


def _stop(stop: StopSummary) -> dict[str, object]:
    return {
        "symbol": stop.symbol,
        "title": stop.title,
        "client_order_id": stop.client_order_id,
        "stop_price": float(stop.stop_price) if stop.stop_price is not None else None,
        "confirmed_at": _iso(stop.confirmed_at_ms),
        "confirmed_at_tape": _iso(stop.confirmed_tape_ms),
        "confirmed_after_ms": stop.confirmed_after_ms,
        "crossed_at_tape": _iso(stop.crossed_tape_ms),
        "triggered_at_tape": _iso(stop.triggered_tape_ms),
        "in_time": stop.is_in_time,
    }


def _alert(alert: AlertFact, result: Result) -> dict[str, object]:
    return {
        "at": iso_time(alert.at_ms),
        "at_tape": iso_time(alert.tape_ms),
        "severity": alert.severity,
        "topic": alert.topic,
        "state": alert.state,
        "symbol": alert.symbol,
        "text": alert.text,
        "before_liquidation_ms": alert_lead_ms(alert, result),
    }


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso_time(ms)
