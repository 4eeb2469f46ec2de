"""Create, update and delete of rows by the service's rules, inside one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.dataverse.errors import (
    already_exists,
    bad_payload,
    key_taken,
    not_for_this_table,
    required_missing,
    row_missing,
    user_disabled,
)
from local.dataverse.odata.instants import write_instant
from local.dataverse.rows import cascade
from local.dataverse.rows.attachments import FILE_COLUMNS, check_attachment, decoded_size
from local.dataverse.rows.caller import Caller
from local.dataverse.rows.computed import compute, defaults, has_money, owner_columns
from local.dataverse.rows.hierarchy import check_hierarchy
from local.dataverse.rows.parties import put_parties
from local.dataverse.rows.payload import Draft, read_draft
from local.dataverse.rows.plan import plan_of
from local.dataverse.rows.privileges import SECURITY_PAIRS, Privileges
from local.dataverse.rows.references import referenced
from local.dataverse.rows.states import check_whole, check_writable, initial_state, next_state, whole_of
from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.transaction import KeyTaken, Transaction

BASE_CURRENCY_SETTING = "basecurrencyid"
# Rows that come into being beside others or by an action, never by a request to create them.
_MADE_BY_THE_SERVICE = frozenset({"activitypointer", "listmember"})
# Lookups that need no right to append: owners have their own, everybody works with the units of money.
_FREE_LINKS = frozenset({"ownerid", "transactioncurrencyid", "businessunitid"})


@dataclass(slots=True)
class Writer:
    """The write rules of the organisation, for one caller and one transaction."""

    transaction: Transaction
    caller: Caller
    now: datetime
    new_id: Callable[[], str]
    privileges: Privileges
    stamp: str = field(init=False)

    def __post_init__(self) -> None:
        self.stamp = write_instant(self.now)

    @property
    def catalog(self) -> Catalog:
        """The tables."""
        return self.transaction.store.catalog

    def read(self, table: Table, body: dict[str, Any]) -> Draft:
        """A body read against the table as this transaction sees the rows it points at."""
        return read_draft(self.transaction, table, body)

    def create(self, draft: Draft, row_id: str | None = None, *, by_action: bool = False) -> Row:
        """A new row; Refusal 412 when the id or an alternate key is taken."""
        table, values = draft.table, draft.values
        if table.name in _MADE_BY_THE_SERVICE and not by_action:
            raise not_for_this_table("Create", table.name)
        given = values.pop(table.id_column, None)
        row_id = row_id or given or self.new_id()
        if self.transaction.get(table.name, row_id) is not None:
            raise already_exists()
        self._create_parents(draft)
        stamp = self.stamp
        number = 1000 + len(self.transaction.store.table(table.name))
        row = defaults(table, number, row_id.replace("-", "")[::-1])
        row |= {name: value for name, value in values.items() if value is not None}
        row |= initial_state(table, values, row_id)
        row[table.id_column] = row_id
        self._stamp_creation(table, row, stamp)
        self._place(table, row)
        self._own(table, row)
        self._derive(table, row, frozenset(row))
        self._require(table, row)
        self._check_file(table, row)
        self.privileges.check(self.caller, "Create", table, row)
        self._check_links(table, draft)
        check_whole(self.transaction, table, row)
        check_hierarchy(self.transaction, table, row)
        created = self._put(table, _without_nulls(row), draft.columns)
        self._attach(draft, created)
        return created

    def update(self, draft: Draft, row_id: str) -> Row:
        """Change an existing row; Refusal 404 when there is none. An empty draft changes nothing."""
        table, values = draft.table, draft.values
        before = self.transaction.get(table.name, row_id)
        if before is None:
            self.privileges.check(self.caller, "Write", table)
            raise row_missing(table.name, row_id)
        self.privileges.check(self.caller, "Write", table, before)
        if "ownerid" in values and values["ownerid"] != before.get("ownerid"):
            self.privileges.check(self.caller, "Assign", table, before)
        self._check_links(table, draft)
        if values.pop(table.id_column, row_id) != row_id:
            raise bad_payload("Entity Id must be the same as the value set in property bag.")
        values.pop("overriddencreatedon", None)
        self._create_parents(draft)
        check_writable(table, before, values)
        check_whole(self.transaction, table, before, values)
        if not values:
            self._attach(draft, before)
            return before
        row = before | values | next_state(table, before, values)
        if "ownerid" in values:
            self._own(table, row)
        self._stamp_change(table, row)
        self._derive(table, row, frozenset(values))
        self._require(table, row)
        self._check_file(table, values)
        check_hierarchy(self.transaction, table, row)
        changed = self._put(table, _without_nulls(row), draft.columns)
        self._attach(draft, changed)
        return changed

    def set_columns(self, table: Table, row_id: str, values: Row, message: str = "") -> Row:
        """Change columns by the service's own hand: no state machine, no privilege."""
        before = self.transaction.get(table.name, row_id)
        if before is None:
            raise row_missing(table.name, row_id)
        row = before | values
        self._stamp_change(table, row)
        self._derive(table, row, frozenset(values))
        return self._put(table, _without_nulls(row), frozenset(values), message)

    def delete(self, table: Table, row_id: str) -> None:
        """Remove a row and what hangs from it; Refusal 404 when there is none."""
        before = self.transaction.get(table.name, row_id)
        self.privileges.check(self.caller, "Delete", table, before)
        if before is None:
            raise row_missing(table.name, row_id)
        check_whole(self.transaction, table, before)
        cascade.delete(self.transaction, self.catalog, table.name, row_id)

    def link(self, table: Table, row_id: str, navigation: str, other: Reference, *, present: bool) -> None:
        """Connect or disconnect a row and a member of one of its collections."""
        pair = self.catalog.pairs_of(table.name).get(navigation)
        if pair is not None:
            first, second = (row_id, other.id) if pair.first == table.name else (other.id, row_id)
            self._check_pair(table, row_id, other)
            self.privileges.stale |= pair.name in SECURITY_PAIRS
            self.transaction.pair(pair.name, first, second, present=present)
            return
        collection = self.catalog.collections(table.name)[navigation]
        child = self.catalog.tables[collection.table]
        pointer = Reference(table.name, row_id) if present else None
        self.update(Draft(child, {collection.column.name: pointer}), other.id)

    def allow(self, verb: str, table: Table, row: Row) -> None:
        """Refusal 403 when the caller may not do this to the row: for actions, which write by themselves."""
        self.privileges.check(self.caller, verb, table, row)

    def _check_links(self, table: Table, draft: Draft) -> None:
        """Pointing at a row appends to it: the one privilege on this table, the other on that."""
        if self.privileges.unlimited(self.caller):
            return
        for name, value in draft.values.items():
            if isinstance(value, Reference) and name not in _FREE_LINKS:
                self._check_pair(table, None, value)

    def _check_pair(self, table: Table, row_id: str | None, other: Reference) -> None:
        row = self.transaction.get(table.name, row_id) if row_id is not None else None
        self.privileges.check(self.caller, "Append", table, row)
        target = self.catalog.tables[other.table]
        self.privileges.check(self.caller, "AppendTo", target, self.transaction.get(other.table, other.id))

    def _create_parents(self, draft: Draft) -> None:
        for column, target, body in draft.parents:
            parent = self.catalog.tables[target]
            created = self.create(self.read(parent, body))
            draft.values[column.name] = Reference(target, created[parent.id_column])
        draft.parents.clear()

    def _attach(self, draft: Draft, row: Row) -> None:
        table = draft.table
        row_id = row[table.id_column]
        for collection, bodies in draft.children:
            child = self.catalog.tables[collection.table]
            if child.name == "activityparty":
                put_parties(self, table, row_id, bodies)
                continue
            for body in bodies:
                nested = self.read(child, body)
                nested.values[collection.column.name] = Reference(table.name, row_id)
                self.create(nested)
        for pair, bodies in draft.related:
            other = self.catalog.tables[pair.second if pair.first == table.name else pair.first]
            navigation = pair.first_navigation if pair.first == table.name else pair.second_navigation
            for body in bodies:
                member = self.create(self.read(other, body))
                self.link(
                    table, row_id, navigation, Reference(other.name, member[other.id_column]), present=True
                )
        for navigation, urls in draft.links:
            for url in urls:
                allowed = self._members(table, navigation)
                self.link(
                    table,
                    row_id,
                    navigation,
                    referenced(self.transaction, url, allowed, navigation),
                    present=True,
                )

    def _members(self, table: Table, navigation: str) -> tuple[str, ...]:
        pair = self.catalog.pairs_of(table.name).get(navigation)
        if pair is not None:
            return (pair.second if pair.first == table.name else pair.first,)
        return (self.catalog.collections(table.name)[navigation].table,)

    def _stamp_creation(self, table: Table, row: Row, stamp: str) -> None:
        user = Reference("systemuser", self.caller.user)
        created = stamp
        if "overriddencreatedon" in row:
            self.privileges.check_named(self.caller, "prvOverrideCreatedOnCreatedBy")
            created, row["overriddencreatedon"] = row["overriddencreatedon"], stamp
        stamps = {"createdon": created, "modifiedon": stamp, "createdby": user, "modifiedby": user}
        if self.caller.impersonates:
            stamps["createdonbehalfby"] = Reference("systemuser", self.caller.real)
            stamps["modifiedonbehalfby"] = stamps["createdonbehalfby"]
        row |= {name: value for name, value in stamps.items() if name in table.columns}

    def _stamp_change(self, table: Table, row: Row) -> None:
        if "modifiedon" in table.columns:
            row["modifiedon"] = self.stamp
        if "modifiedby" in table.columns:
            row["modifiedby"] = Reference("systemuser", self.caller.user)
        if "modifiedonbehalfby" in table.columns:
            real = Reference("systemuser", self.caller.real) if self.caller.impersonates else None
            row["modifiedonbehalfby"] = real

    def _place(self, table: Table, row: Row) -> None:
        """A user or team belongs to a business unit: the caller's, unless the request names one."""
        if "businessunitid" in table.columns and table.id_column != "businessunitid":
            unit = (self.transaction.get("systemuser", self.caller.user) or {}).get("businessunitid")
            row.setdefault("businessunitid", unit)

    def _own(self, table: Table, row: Row) -> None:
        column = table.columns.get("ownerid")
        if column is None or column.read_only:
            return
        owner = row.get("ownerid") or Reference("systemuser", self.caller.user)
        found = self.transaction.get(owner.table, owner.id)
        if found is not None and owner.table == "systemuser" and found.get("isdisabled"):
            raise user_disabled(owner.id)
        row["ownerid"] = owner
        row |= {name: value for name, value in owner_columns(owner).items() if name in table.columns}
        if found is not None and "owningbusinessunit" in table.columns:
            row["owningbusinessunit"] = found.get("businessunitid")

    def _derive(self, table: Table, row: Row, touched: frozenset[str]) -> None:
        rate = None
        if "transactioncurrencyid" in table.columns and has_money(table, row):
            whole = whole_of(self.transaction, table, row)
            if whole is not None:
                # A line is in the currency of its document, whatever it says itself.
                row["transactioncurrencyid"] = whole[1].get("transactioncurrencyid")
            if row.get("transactioncurrencyid") is None:
                row["transactioncurrencyid"] = self._base_currency()
            currency = row["transactioncurrencyid"]
            found = self.transaction.get(currency[0], currency[1]) if currency is not None else None
            rate = float(found["exchangerate"]) if found is not None else None
        compute(table, row, touched, rate)

    def _base_currency(self) -> Reference | None:
        for organisation in self.transaction.store.table("organization").values():
            pointer = organisation.get(BASE_CURRENCY_SETTING)
            return pointer if isinstance(pointer, Reference) else None
        return None

    def _require(self, table: Table, row: Row) -> None:
        for name in plan_of(table).required:
            if row.get(name) is None:
                raise required_missing(name, table.name)

    def _check_file(self, table: Table, row: Row) -> None:
        column = FILE_COLUMNS.get(table.name)
        body = row.get(column) if column is not None else None
        if body is not None:
            organisation = next(iter(self.transaction.store.table("organization").values()), {})
            check_attachment(organisation, row.get("filename"), decoded_size(body))

    def _put(self, table: Table, row: Row, columns: frozenset[str], message: str = "") -> Row:
        try:
            return self.transaction.put(table, row, columns, message)
        except KeyTaken as taken:
            names = ", ".join(taken.key.columns)
            raise key_taken(taken.key.name, names, taken.holder, table.name) from taken


def _without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
