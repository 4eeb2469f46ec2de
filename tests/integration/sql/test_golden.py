"""The T-SQL that a database administrator reviews is the T-SQL that runs.

`TANDEM_APPROVE=1 pytest tests/integration/sql/test_golden.py` writes the files anew after a wanted change.
"""

import io
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc
from sqlfluff.api.simple import get_simple_config
from sqlfluff.core import Linter

from shared.connectors.sqlstore import Store, inline, open_store
from shared.connectors.sqlstore.schema import HEAD, SCRIPTS, alembic_config
from shared.connectors.sqlstore.sqltypes import KEY_COLLATION, Key
from shared.connectors.sqlstore.tables import METADATA
from shared.core.change import Change, Message, Operation
from shared.core.codes import Code
from shared.core.feed import Watermark
from shared.core.identity import RecordKey, chosen_row_id, row_key
from shared.core.outcome import Outcome
from shared.core.record_owner import Unfound, Unmatched
from shared.core.shadow import Shadow
from shared.core.verdict import Absorption, Collision, Failing, Print, Prints, Split, Verdict

APPROVE = os.environ.get("TANDEM_APPROVE") == "1"
HOT_PATH = SCRIPTS / "golden" / "dml.sql"
REVISIONS = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())[::-1]
FILES = sorted([*SCRIPTS.glob("azure/**/*.sql"), HOT_PATH])
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = RecordKey("allegory", "company", "C-1")
CHILD = RecordKey("allegory", "contact", "K-1")
ADA = Unmatched(RecordKey("allegory", "owner", "1f0c93ab54e2"), "ada", Unfound.UNKNOWN)
RECORD = chosen_row_id(KEY)


class Stopped:
    def now(self) -> datetime:
        return NOW


def migration(start: str, end: str) -> str:
    """What `alembic upgrade start:end --sql` prints, without blanks at line ends."""
    printed = io.StringIO()
    config = alembic_config()
    config.output_buffer = printed
    command.upgrade(config, f"{start}:{end}", sql=True)
    lines = (line.rstrip() for line in printed.getvalue().strip().splitlines())
    return "\n".join(lines) + "\n"


def tsql(statement: sa.ClauseElement, columns: list[str]) -> str:
    """A statement as SQL Server gets it, its parameters written as variables."""
    dialect = MSDialect_pyodbc(paramstyle="named")  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
    compiled = statement.compile(dialect=dialect, column_keys=columns or None)

    def written_out(found: re.Match[str]) -> str:
        value = compiled.params[found[1]]
        return f":{found[1]}" if value is None else str(value)

    text = re.sub(r"__\[POSTCOMPILE_(\w+)\]", written_out, str(compiled))
    text = re.sub(r"(?<![\w:]):(\w+)", r"@\1", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + ";"


async def hot_path() -> str:
    """Every statement a message can meet on its way, in the order of a small story, each once."""
    store = open_store("sqlite://", Stopped(), executor=inline, owner="one", grace=timedelta(0))
    seen: dict[str, str] = {}
    now = [""]

    def note(_c: object, statement: Any, many: Any, one: Any, _options: object) -> None:
        if isinstance(statement, sa.ClauseElement):
            columns = list((many[0] if many else one) or {})
            seen.setdefault(tsql(statement, columns), now[0])

    event.listen(store.engine, "before_execute", note)
    for act, deed in STORY:
        now[0] = act
        await deed(store)
    store.close()
    parts = [f"-- {act}\n{text}\n" for text, act in seen.items()]
    return "\n".join(
        ["-- Every statement of the hot path as SQL Server gets it; see test_golden.py.\n", *parts]
    )


async def _admit(store: Store, name: str = "m-1", key: RecordKey = KEY, body: bytes = b"{}") -> None:
    message = Message(name, "inbound", str(key), body)
    change = Change(name, key, Operation.UPSERT, NOW, {})
    await store.inbox.admit(message, change, chosen_row_id(key))


async def _settle(store: Store, verdict: Verdict, key: RecordKey = KEY) -> None:
    turn = await store.lanes.acquire(chosen_row_id(key))
    assert turn is not None
    await store.lanes.confirm(turn.lease)
    await store.lanes.settle(turn.lease, turn.item, verdict)
    await store.lanes.release(turn.lease)


def _parked(key: RecordKey) -> Verdict:
    return Verdict(Outcome.PARKED, "waits", CHILD, waits_for=key)


async def _merge(store: Store) -> None:
    collision = Collision("name", None, "a", "b", "allegory", "newest")
    pairs = ((KEY, RECORD), (RecordKey("legrand", "company", "L-1"), RECORD))
    await _settle(
        store,
        Verdict(Outcome.MERGED, "both", KEY, shadow=Shadow(), collisions=(collision,), pairs=pairs),
    )


async def _fail(store: Store) -> None:
    await _admit(store, "m-2")
    failing = Failing("Refused", Code.TARGET_REFUSED, "no", "account", retry_in=timedelta(0))
    await _settle(store, Verdict(Outcome.FAILED, "no", KEY, failing=failing))


async def _park_on_row(store: Store) -> None:
    await _admit(store, "child-2", CHILD)
    await _settle(store, _parked(row_key("account", RECORD)), CHILD)


async def _park(store: Store) -> None:
    await _admit(store, "child", CHILD)
    await _settle(store, _parked(KEY), CHILD)


async def _absorb(store: Store) -> None:
    """What hangs in the loser's lane, and what waits for its row, goes over to the heir."""
    loser = chosen_row_id(CHILD)
    await _admit(store, "child-3", CHILD)
    await _admit(store, "m-3")
    lease = await store.lanes.seize(loser)
    absorbed = Absorption((CHILD,), (RecordKey("legrand", "company", "L-2"),), loser, lease)
    await _settle(store, Verdict(Outcome.APPLIED, "merged", KEY, shadow=Shadow(), absorbs=absorbed))


async def _hand_on(store: Store) -> None:
    await _admit(store, "m-4")
    await _settle(store, Verdict(Outcome.PARKED, "merged away", KEY, goes_to=chosen_row_id(CHILD)))


async def _notice(store: Store) -> None:
    """Two rows with one print, one of them twice."""
    for name, key in (("m-5", KEY), ("child-5", CHILD)):
        await _admit(store, name, key)
        prints = Prints("account", (Print("website", "0" * 64, 70),))
        verdict = Verdict(Outcome.APPLIED, "alike", key, shadow=Shadow(), prints=prints, case=9)
        await _settle(store, verdict, key)


async def _split(store: Store) -> None:
    own = chosen_row_id(CHILD)
    await _admit(store, "m-6")
    lease = await store.lanes.seize(own)
    assert lease is not None
    found = Split(CHILD, own, lease, Shadow())
    await _settle(store, Verdict(Outcome.APPLIED, "apart", KEY, shadow=Shadow(), splits=found))


async def _wait_for_an_owner(store: Store) -> None:
    key = RecordKey("allegory", "contact", "K-9")
    await _admit(store, "owned", key)
    waits = Verdict(Outcome.PARKED, "waits", key, waits_for=ADA.key, unmatched=ADA)
    await _settle(store, waits, key)


STORY: tuple[tuple[str, Callable[[Store], Awaitable[object]]], ...] = (
    ("claim", lambda store: store.crosswalk.claim(KEY, None, RECORD)),
    ("admit", _admit),
    ("admit again", _admit),
    ("admit another body", lambda store: _admit(store, body=b"[]")),
    ("park", _park),
    ("merge", _merge),
    ("fail", _fail),
    ("retry", lambda store: _settle(store, Verdict(Outcome.APPLIED, "ok", KEY, shadow=Shadow()))),
    ("go on", lambda store: _settle(store, Verdict(Outcome.APPLIED, "ok", CHILD), CHILD)),
    ("park on a row", _park_on_row),
    ("wait for an owner", _wait_for_an_owner),
    ("let go of an owner's", lambda store: store.record_owners.release(ADA.key)),
    ("look for an alias", lambda store: store.record_owners.user_of(ADA.key)),
    ("list owners", lambda store: store.record_owners.unmatched()),
    ("list what is owed", lambda store: store.record_owners.owed(ADA.key)),
    ("correct an owner", lambda store: store.record_owners.correct(ADA)),
    ("forget owners", lambda store: store.record_owners.forget()),
    ("sweep", lambda store: store.lanes.due(10)),
    ("load", lambda store: store.shadows.load(RECORD)),
    ("look up a record", lambda store: store.crosswalk.row_of(KEY)),
    ("look up a row", lambda store: store.crosswalk.records_of(RECORD)),
    ("promise", lambda store: store.crosswalk.claim(CHILD, None, chosen_row_id(CHILD))),
    ("hand over", lambda store: store.crosswalk.claim(CHILD, RECORD, RECORD)),
    ("absorb", _absorb),
    ("who lives on", lambda store: store.crosswalk.heir_of(chosen_row_id(CHILD))),
    ("look a record up", lambda store: store.crosswalk.entry(CHILD)),
    ("hand on", _hand_on),
    ("notice", _notice),
    ("split", _split),
    ("job", lambda store: store.jobs.lease("sweep", "one", 60)),
    ("pause", lambda store: store.pauses.extend("Dataverse", NOW)),
    ("look for a pause", lambda store: store.pauses.until("Dataverse")),
    ("job again", lambda store: store.jobs.lease("sweep", "two", 60)),
    ("read a feed", lambda store: store.cursors.move("feed", Watermark(), "7")),
    ("read on", lambda store: store.cursors.move("feed", Watermark("7", 1), "8")),
)


def _same(path: Path, text: str) -> None:
    if APPROVE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_each_migration_is_kept_as_tsql() -> None:
    for revision in REVISIONS:
        stem = Path(revision.path).stem
        _same(
            SCRIPTS / "azure" / f"{stem}.sql",
            migration(str(revision.down_revision or "base"), revision.revision),
        )
    assert sorted(path.stem for path in SCRIPTS.glob("azure/*.sql")) == [Path(r.path).stem for r in REVISIONS]


async def test_each_statement_of_the_hot_path_is_kept_as_tsql() -> None:
    _same(HOT_PATH, await hot_path())


def test_the_code_expects_the_newest_migration() -> None:
    assert REVISIONS[-1].revision == HEAD


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_tsql_parses(path: Path) -> None:
    linter = Linter(config=get_simple_config(dialect="tsql"))

    parsed = linter.parse_string(path.read_text(encoding="utf-8"))

    assert [str(violation) for violation in parsed.violations] == []
    tree = parsed.tree
    assert tree is not None
    assert list(tree.recursive_crawl("unparsable")) == []


def test_the_parser_notices_what_is_not_tsql() -> None:
    linter = Linter(config=get_simple_config(dialect="tsql"))

    assert linter.parse_string("UPDATE lane SET SET owner = NULL;").violations


def test_no_column_has_a_type_that_sql_server_retired_or_that_loses_time() -> None:
    for path in FILES:
        found = re.findall(
            r"\b(?:DATETIME|SMALLDATETIME|DATETIMEOFFSET|IMAGE|N?TEXT|MERGE)\b",
            path.read_text(encoding="utf-8"),
        )
        assert found == [], path.name


def test_every_key_is_compared_byte_by_byte() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("azure/*.sql"))
    for table in METADATA.sorted_tables:
        body = text.split(f"CREATE TABLE {table.name} (")[1].split("\n);")[0]
        for column in table.columns:
            added = rf"^ALTER TABLE {table.name} ADD \[?{column.name}\]? (.*?);$"
            line = re.search(rf"^ +\[?{column.name}\]? (.*?),?$", body, re.MULTILINE) or re.search(
                added, text, re.MULTILINE
            )
            assert line is not None, column
            assert (KEY_COLLATION in line[1]) == isinstance(column.type, Key), column


def test_no_index_is_wider_than_sql_server_allows() -> None:
    widths = {"DATETIME2": 8, "BIGINT": 8, "INTEGER": 4, "UNIQUEIDENTIFIER": 16, "BIT": 1}

    def width(column: sa.Column[Any]) -> int:
        if isinstance(column.type, Key):
            return 2 * column.type.length
        dialect = MSDialect_pyodbc()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
        name, _, size = str(column.type.compile(dialect)).partition("(")
        return widths[name] if name in widths else int(size.rstrip(")"))

    for table in METADATA.sorted_tables:
        assert sum(map(width, table.primary_key.columns)) <= 900, table.name
        for index in table.indexes:
            assert sum(map(width, index.columns)) <= 1700, index.name


def test_the_check_for_a_pair_waits_for_uncommitted_ones() -> None:
    text = HOT_PATH.read_text(encoding="utf-8")

    checks = [part for part in text.split(";\n") if "crosswalk.state" in part and "READCOMMITTEDLOCK" in part]
    assert len(checks) == 2


def test_a_lease_is_taken_only_if_it_is_free() -> None:
    text = HOT_PATH.read_text(encoding="utf-8")

    (acquire,) = (
        part for part in text.split(";\n") if "SET fence=(lane.fence + 1), owner=@the_owner" in part
    )
    assert "lane.owner IS NULL OR lane.lease_until < @now" in acquire
    assert "OUTPUT inserted.fence" in acquire


def test_the_app_is_granted_what_it_does_and_cannot_rewrite_its_record() -> None:
    text = (SCRIPTS / "azure" / "security" / "roles.sql").read_text(encoding="utf-8")
    granted = {
        table: frozenset(rights.split(", "))
        for rights, table in re.findall(
            r"^GRANT (.+) ON OBJECT::sync\.(\w+) TO sync_app;", text, re.MULTILINE
        )
    }

    done: dict[str, set[str]] = {}
    for verb, table in re.findall(
        r"^(INSERT INTO|UPDATE|DELETE FROM) (\w+)", HOT_PATH.read_text(encoding="utf-8"), re.MULTILINE
    ):
        done.setdefault(table, set()).add(verb.split(" ")[0])

    assert set(granted) == set(METADATA.tables) | {"alembic_version"}
    assert {table: verbs - granted[table] for table, verbs in done.items() if verbs - granted[table]} == {}
    assert granted["audit_event"] == {"INSERT"}
    assert granted["journal"] == granted["conflict"] == {"SELECT", "INSERT"}
