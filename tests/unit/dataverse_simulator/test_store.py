"""Transactions over the rows, and what is left of them after a restart."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.dataverse.rows.caller import Caller, Origin
from local.dataverse.schema.catalog import Catalog, customise, load_catalog
from local.dataverse.schema.table import Table
from local.dataverse.store.database import Content, Database, Outbox
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import RowStore
from local.dataverse.store.transaction import KeyTaken, Transaction

ORIGIN = Origin(Caller("u", "u"))
COLUMNS = frozenset({"name"})


def keyed_catalog() -> Catalog:
    catalog = load_catalog()
    column = {"name": "x_key", "type": "string"}
    key = {"name": "x", "columns": ["x_key"]}
    customise(catalog, {"publisher_prefix": "x", "tables": {"account": {"columns": [column], "keys": [key]}}})
    return catalog


@pytest.fixture
def catalog() -> Catalog:
    return keyed_catalog()


@pytest.fixture
def account(catalog: Catalog) -> Table:
    return catalog.tables["account"]


@pytest.fixture
def store(tmp_path: Path, catalog: Catalog) -> Iterator[RowStore]:
    database = Database(tmp_path / "store.db")
    yield RowStore(database, catalog)
    database.close()


def put(store: RowStore, table: Table, row_id: str, **values: object) -> None:
    transaction = Transaction(store, ORIGIN)
    transaction.put(table, {"accountid": row_id, **values}, COLUMNS)
    transaction.commit()


def reopened(store: RowStore) -> RowStore:
    store.database.close()
    path = store.database.path
    store.database = Database(path)
    return RowStore(store.database, store.catalog)


def test_nothing_shows_before_the_commit(store: RowStore, account: Table) -> None:
    transaction = Transaction(store, ORIGIN)
    transaction.put(account, {"accountid": "1", "name": "A"}, COLUMNS)

    assert transaction.get("account", "1") is not None
    assert store.get("account", "1") is None
    transaction.commit()
    assert store.get("account", "1") == {"accountid": "1", "name": "A", "versionnumber": store.version}


def test_rows_references_and_versions_survive_a_restart(store: RowStore, account: Table) -> None:
    put(store, account, "1", name="A", ownerid=Reference("systemuser", "u"))
    put(store, account, "2", name="B")
    transaction = Transaction(store, ORIGIN)
    transaction.delete(account, "2")
    transaction.pair("campaignlist_association", "c", "l", present=True)
    transaction.put_content("account", "1", "file", Content("a.txt", b"\x00"))
    transaction.commit()
    before = (store.rows, store.tombstones, store.pairs, store.version)

    again = reopened(store)

    assert (again.table("account"), again.tombstones, again.pairs, again.version) == (
        before[0]["account"],
        *before[1:],
    )
    assert again.database.content("account", "1", "file") == Content("a.txt", b"\x00")


def test_a_key_belongs_to_one_row_whatever_its_case(store: RowStore, account: Table) -> None:
    put(store, account, "1", x_key="Key")

    with pytest.raises(KeyTaken) as taken:
        put(store, account, "2", x_key="kEY")

    assert (taken.value.holder, taken.value.key.name) == ("1", "x")
    assert store.get("account", "2") is None


def test_a_key_is_free_again_when_its_row_moves_on_or_goes(store: RowStore, account: Table) -> None:
    put(store, account, "1", x_key="a")
    put(store, account, "1", x_key="b")
    put(store, account, "2", x_key="a")
    transaction = Transaction(store, ORIGIN)
    transaction.delete(account, "1")
    transaction.put(account, {"accountid": "3", "x_key": "b"}, COLUMNS)
    transaction.commit()

    values = [("a",), ("b",), ("c",)]
    assert store.holders(account, account.keys["x"], values) == {("a",): "2", ("b",): "3"}
    assert reopened(store).holders(account, account.keys["x"], values) == {("a",): "2", ("b",): "3"}


def test_a_null_in_a_key_is_not_enforced(store: RowStore, account: Table) -> None:
    put(store, account, "1", name="A")
    put(store, account, "2", name="B")

    assert len(store.table("account")) == 2


def test_messages_are_written_with_the_change_and_leave_in_order(store: RowStore, account: Table) -> None:
    transaction = Transaction(store, ORIGIN)
    transaction.put(account, {"accountid": "1"}, COLUMNS)
    transaction.send("q", "1")
    transaction.send("q", "2")
    transaction.commit()
    outbox = Outbox(store.database.path)

    pending = outbox.pending(10)
    outbox.sent([pending[0].sequence])
    outbox.failed([pending[1].sequence])

    assert [message.message for message in pending] == ["1", "2"]
    assert [(message.message, message.attempts) for message in outbox.pending(10)] == [("2", 1)]
    outbox.refuse(pending[1].sequence, "too big")
    assert outbox.counts() == {"waiting": 0, "refused": 1}
    outbox.close()


STEP = st.tuples(
    st.sampled_from(["put", "put", "delete", "undo"]),
    st.sampled_from("123"),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, "1", "2", "3"]),
)


@given(st.lists(STEP, max_size=12))
@settings(max_examples=60)
def test_rows_and_their_indexes_are_those_of_the_committed_steps(
    steps: list[tuple[str, str, str | None, str | None]],
) -> None:
    catalog = keyed_catalog()
    account = catalog.tables["account"]
    expected: dict[str, Row] = {}
    buried: set[str] = set()
    with TemporaryDirectory() as folder:
        store = RowStore(Database(Path(folder) / "store.db"), catalog)
        for verb, row_id, key, parent in steps:
            transaction = Transaction(store, ORIGIN)
            row: Row = {"accountid": row_id, "x_key": key}
            row["parentaccountid"] = Reference("account", parent) if parent else None
            row = {name: value for name, value in row.items() if value is not None}
            try:
                if verb != "delete":
                    transaction.put(account, row, COLUMNS)
                elif store.get("account", row_id) is not None:
                    transaction.delete(account, row_id)
            except KeyTaken:
                continue
            if verb == "undo":
                continue
            transaction.commit()
            if verb == "put":
                expected[row_id] = row
                buried.discard(row_id)
            elif expected.pop(row_id, None) is not None:
                buried.add(row_id)
        seen = picture(store, account)
        version = store.version
        store.database.close()
        again = RowStore(Database(Path(folder) / "store.db"), catalog)
        kept = picture(again, account)
        again.database.close()

    keys = {(row["x_key"],): row_id for row_id, row in expected.items() if "x_key" in row}
    parents = {
        target: {i for i, row in expected.items() if row.get("parentaccountid") == ("account", target)}
        for target in "123"
    }
    assert seen == kept == (expected, keys, buried, parents, len(expected))
    assert again.version == version or not (expected or buried)


def picture(store: RowStore, account: Table) -> tuple[object, ...]:
    """Everything a store knows of accounts."""
    rows = store.table("account")
    return (
        {i: {n: v for n, v in row.items() if n != "versionnumber"} for i, row in rows.items()},
        store.holders(account, account.keys["x"], [("a",), ("b",)]),
        set(store.tombstones.get("account", {})),
        {target: store.pointing("account", "parentaccountid", target) for target in "123"},
        len(rows),
    )


def test_a_table_that_outgrows_memory_is_read_as_before(store: RowStore, account: Table) -> None:
    ids = [f"{number:05}" for number in range(300)]
    for row_id in ids[:200]:
        put(store, account, row_id, name="A")
    small = list(store.table("account"))
    for row_id in ids[200:]:
        put(store, account, row_id, name="A")
    put(store, account, ids[0], name="B")

    rows = store.table("account")
    assert small == ids[:200]
    assert (len(rows), list(rows), ids[299] in rows, "x" in rows) == (300, ids, True, False)
    assert [row["name"] for row in rows.values()] == ["B"] + ["A"] * 299
    assert [row["accountid"] for row in store.page("account", ids[297], 5)] == ids[298:]
    assert [row["accountid"] for row in store.changed("account", rows[ids[298]]["versionnumber"])] == [
        ids[299],
        ids[0],
    ]
    transaction = Transaction(store, ORIGIN)
    for row_id in ids[100:]:
        transaction.delete(account, row_id)
    transaction.commit()
    put(store, account, ids[0], name="C")

    assert (len(rows), rows[ids[0]]["name"], ids[100] in rows) == (100, "C", False)
    assert store.deleted("account", 0) == ids[100:]


def test_a_file_of_the_time_when_rows_lay_under_their_ids_is_taken_over(
    tmp_path: Path, account: Table
) -> None:
    former = sqlite3.connect(tmp_path / "store.db")
    former.executescript(
        """
        CREATE TABLE row (
            tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (tbl, id)
        ) WITHOUT ROWID;
        INSERT INTO row VALUES ('account', '1', 7, '{"accountid":"1","x_key":"a","versionnumber":7}');
        INSERT INTO row VALUES ('account', '2', 8,
            '{"accountid":"2","parentaccountid":["account","1"],"versionnumber":8}');
        """
    )
    former.close()

    store = RowStore(Database(tmp_path / "store.db"), keyed_catalog())

    assert list(store.table("account")) == ["1", "2"]
    assert store.holder(account, account.keys["x"], ("a",)) == "1"
    assert store.pointing("account", "parentaccountid", "1") == {"2"}
    store.database.close()
