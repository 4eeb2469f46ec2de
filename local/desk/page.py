"""The desk as a person sees it: open tickets first, each with its story, on one plain page."""

from collections.abc import Iterable
from html import escape
from typing import Any

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ticket desk</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color-scheme: light dark }}
details {{ border: 1px solid #8886; border-radius: .4rem; margin: .5rem 0; padding: .5rem .8rem }}
summary {{ cursor: pointer; overflow-wrap: anywhere }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
.closed {{ opacity: .6 }}
small {{ opacity: .75 }}
</style></head><body>
<h1>Ticket desk</h1>
<p>{open} open, {closed} closed</p>
{tickets}
</body></html>
"""


def _event(event: dict[str, Any]) -> str:
    changed = ", ".join(name for name in event["changes"] if name != "status")
    words = " ".join(filter(None, (event["event"], f"({changed})" if changed else "", event["comment"])))
    return f"<li><small>{escape(event['at'])}</small> {escape(words)}</li>"


def _ticket(ticket: dict[str, Any]) -> str:
    labels = " · ".join(filter(None, (ticket["team"], ticket["priority"], ticket["status"])))
    rows = "".join(
        f"<li>{escape(str(name))}: {escape(str(value))}</li>" for name, value in ticket["details"].items()
    )
    return (
        f'<details class="{ticket["status"]}"><summary><b>{ticket["id"]}</b> {escape(ticket["title"])} '
        f"<small>{escape(labels)}</small></summary>"
        f"<pre>{escape(ticket['body'])}</pre><ul>{rows}</ul>"
        f"<ol>{''.join(_event(event) for event in ticket['history'])}</ol></details>"
    )


def render(tickets: Iterable[dict[str, Any]]) -> str:
    """The page over tickets with their history; every value is escaped."""
    ordered = sorted(tickets, key=lambda ticket: bool(ticket["status"] == "closed"))
    closed = sum(ticket["status"] == "closed" for ticket in ordered)
    body = "\n".join(map(_ticket, ordered)) or "<p>Nothing needs a person.</p>"
    return _FRAME.format(open=len(ordered) - closed, closed=closed, tickets=body)
