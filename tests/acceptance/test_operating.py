"""An operator's other screens on the real parts: the past of a record, what waits too long, gaps, phases."""

import re
import sqlite3
from datetime import datetime, timedelta

from tests.acceptance.conftest import Stack, company, edit, envelope, eventually, session_of


def waiting_since(stack: Stack, message_id: str, hours: int) -> None:
    """Let a message have begun to wait so many hours ago."""
    with sqlite3.connect(stack.state / "tandem.db", timeout=30) as database:
        (number, since) = database.execute(
            "SELECT d.number, d.since FROM dependency d JOIN message m USING (number) WHERE m.message_id = ?",
            (message_id,),
        ).fetchone()
        then = datetime.fromisoformat(since) - timedelta(hours=hours)
        database.execute(
            "UPDATE dependency SET since = ? WHERE number = ?", (then.isoformat(sep=" "), number)
        )
    database.close()


def test_what_was_believed_of_a_record_at_any_time_is_told(stack: Stack, tag: str) -> None:
    body = company(tag, 1, city="Bonn")
    stack.outcome(first := stack.send("inbound", body, session=session_of(body)), "applied")
    decided = datetime.fromisoformat(stack.decisions(first)[-1]["at"])
    later = stack.send("inbound", edit(body, 1, city="Kiel"), session=session_of(body))
    stack.outcome(later, "applied")
    key = f"allegory:company:{tag}-C1"

    then = stack.tandem("record", "show", key, "--as-of", decided.isoformat())
    before = stack.tandem("record", "show", key, "--as-of", "2020-01-01T00:00:00+00:00")

    assert then.returncode == 0, then.stderr
    assert re.search(r"^    address1_city: 'Bonn'  \(allegory, ", then.stdout, re.MULTILINE), then.stdout
    assert "Kiel" not in then.stdout
    assert "nothing" in before.stdout


def test_a_masked_history_shows_what_happened_and_nobodys_data(stack: Stack, tag: str) -> None:
    body = envelope("contact", f"{tag}-P1", {"last_name": "Reuter", "email": f"reuter@{tag.lower()}.example"})
    stack.outcome(stack.send("inbound", body, session=session_of(body)), "applied")
    key = f"allegory:contact:{tag}-P1"

    plain = stack.tandem("record", "show", key).stdout
    masked = stack.tandem("record", "show", key, "--masked").stdout

    assert "Reuter" in plain
    assert "Reuter" not in masked
    assert f"{tag.lower()}.example" not in masked
    assert "(personal data is masked; equal values look equal)" in masked
    assert f"applied    {key}" in masked


def test_gaps_conflicts_and_phases_answer_on_a_quiet_night(stack: Stack) -> None:
    answers = {
        words: stack.tandem(*words)
        for words in (("now",), ("gaps",), ("conflicts", "list"), ("phases", "list"), ("failures", "groups"))
    }

    assert {words: (done.returncode, done.stderr) for words, done in answers.items()} == dict.fromkeys(
        answers, (0, "")
    )
    assert answers["now",].stdout.startswith("Nothing is lost: ")
    assert re.search(r"^allegory +company +all +coexist", answers["phases", "list"].stdout, re.MULTILINE)


def test_what_waits_too_long_for_a_parent_is_told_and_still_goes_on_by_itself(stack: Stack, tag: str) -> None:
    child = envelope("contact", f"{tag}-P1", {"last_name": "Reuter", "primary_company_id": f"{tag}-C1"})
    message = stack.send("inbound", child, session=session_of(child))
    stack.outcome(message, "parked")
    waiting_since(stack, message, hours=25)

    failure = eventually("the age alarm", lambda: stack.failure(message))
    listed = stack.tandem("failures", "list").stdout
    ticket = eventually("its ticket", lambda: opened(stack, failure["group"]))

    assert (failure["code"], failure["state"]) == ("dependency.never_came", "parked")
    assert message in listed
    parent = company(tag, 1)
    stack.send("inbound", parent, session=session_of(parent))
    stack.outcome(message, "applied")
    assert stack.failure(message) is None
    eventually("the ticket closed", lambda: opened(stack, failure["group"]) != ticket or None)


def opened(stack: Stack, group: str) -> str | None:
    """The open ticket of a group."""
    found = stack.kept("SELECT id FROM ticket WHERE fingerprint = ? AND closed_at IS NULL", group)
    return str(found[0]["id"]) if found else None
