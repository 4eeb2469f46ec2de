"""What people do on both sides during a run, and what they are owed for it."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeAlias
from uuid import UUID

from mappers.allegory import ALLEGORY
from shared.core.change import Json
from shared.core.mapping.columns import Value, placeholder_id
from shared.core.mapping.references import RowRef
from tests.simulation.sides import Allegory, Dataverse
from tests.simulation.weather import Fault, Weather

SECOND = replace(ALLEGORY, name="borealis")
"""Another system of the same kind, which has some of the same customers."""

ROOT_ENTITY = "company"
TEXTS: dict[str, dict[str, str]] = {
    "company": {"name": "name", "phone": "telephone1", "city": "address1_city"},
    "contact": {"last_name": "lastname", "phone": "telephone1", "job_title": "jobtitle"},
    "deal": {"name": "name", "stage_name": "tandem_stagename", "lost_reason": "tandem_lostreason"},
}
"""The fields people edit, and the columns they become."""
REQUIRED = {"company": "name", "contact": "last_name", "deal": "name"}
RING = "parent_company_id"
MERGED = ("company", "contact")
"""What people merge."""
PARENT = {"contact": ("primary_company_id", "parentcustomerid"), "deal": ("company_id", "parentaccountid")}
BLANKS: dict[str, dict[str, Json]] = {
    entity: dict.fromkeys((*texts, PARENT[entity][0] if entity in PARENT else RING), "")
    for entity, texts in TEXTS.items()
}
"""What a record holds of all this that nobody has filled in."""
TABLE = {entry.entity: entry.table.name for entry in ALLEGORY.maps}
ENTITY = {table: entity for entity, table in TABLE.items()}
SPAN = 90.0
"""Seconds during which people work."""

Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """A value a person wrote: on which side, into which column of which row, and when.

    `record` names what was edited there: a record of a legacy system may be another row later.
    """

    side: str
    row: UUID
    column: str
    value: str | None
    at: float
    record: str


@dataclass(frozen=True, slots=True)
class End:
    """A record a person deleted: on which side, which row it is, and how many edits there were before."""

    side: str
    row: UUID
    number: int


@dataclass(slots=True)
class People:
    """Everybody who works with either system."""

    allegory: Allegory
    dataverse: Dataverse
    weather: Weather
    chance: Random
    second: Allegory | None = None
    edits: list[Edit] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    saves: Counter[UUID] = field(default_factory=Counter)
    parents: dict[UUID, set[UUID]] = field(default_factory=dict)
    names: int = 0
    merges: int = 0
    kin: list[tuple[UUID, UUID]] = field(default_factory=list)
    """The rows that people took for one customer, whatever became of them."""

    async def work(self, acts: int) -> None:
        """Do so many things, in bursts."""
        moments = sorted(self.chance.random() ** 2 * SPAN for _ in range(acts))
        began = self._now()
        for number, moment in enumerate(moments):
            if self.chance.random() < 0.5:
                await asyncio.sleep(max(0.0, began + moment - self._now()))
            self._act(first=number < 2)
        await asyncio.gather(*self._errands)

    def wrote(self, edit: Edit, before: int) -> set[str | None]:
        """What was written into a column on either side before an edit; there is no order between two sides'
        edits of one moment.
        """
        return {
            other.value
            for other in self.edits[:before]
            if (other.row, other.column) == (edit.row, edit.column)
            and (other.side == edit.side or other.at < edit.at)
        }

    def overwrote(self, number: int) -> bool:
        """Whether an edit was later overwritten, or the record deleted, on its own side."""
        edit = self.edits[number]
        place = (edit.side, edit.row)
        return any((end.side, end.row) == place and end.number > number for end in self.ends) or any(
            (other.side, other.record, other.column) == (edit.side, edit.record, edit.column)
            for other in self.edits[number + 1 :]
        )

    def _act(self, *, first: bool) -> None:
        what = self.chance.random()
        records, rows = self._records(), self._rows()
        if self.second is not None and self.chance.random() < 0.25:
            self._act_in_second(self.second)
        elif first or what < 0.2 or not (records or rows):
            self._create_record() if self.chance.random() < 0.6 else self._create_row()
        elif what < 0.3 and self.weather.strikes(Fault.DELETE):
            self._delete(records, rows)
        elif self.weather.strikes(Fault.MERGE) and self._merge(records, rows):
            return
        elif rows and (what < 0.6 or not records):
            self._edit_row(self._one_of(rows))
        else:
            entity, record_id = self._one_of(records)
            column = self._edit_record(entity, record_id)
            row = self.allegory.row_of(entity, record_id)
            if self.chance.random() < 0.5 and row in self.dataverse.twin.of(TABLE[entity]):
                self._edit_row((entity, str(row)), column)

    def _act_in_second(self, second: Allegory) -> None:
        """Somebody works in the second system, or finds one of its customers to be one of Allegory's."""
        records, what = list(second.twin.of(ROOT_ENTITY)), self.chance.random()
        if what < 0.3 or not records:
            texts = self._texts(ROOT_ENTITY, all_of_them=True)
            self._save_record(ROOT_ENTITY, self._name("S"), dict(texts), second)
        elif what < 0.6:
            self._save_record(
                ROOT_ENTITY, self.chance.choice(records), dict(self._texts(ROOT_ENTITY)), second
            )
        else:
            self._make_one(second, records)

    def _make_one(self, second: Allegory, records: list[str]) -> None:
        """Merge the row of one of its records and another one in Dataverse, where both are there."""
        rows = [UUID(row) for entity, row in self._rows() if entity == ROOT_ENTITY]
        theirs = {second.row_of(ROOT_ENTITY, record) for record in records}
        known = [row for row in rows if row in theirs]
        others = [row for row in rows if row not in theirs]
        if known and others:
            pair = [self.chance.choice(known), self.chance.choice(others)]
            self.chance.shuffle(pair)
            self._unite_rows(ROOT_ENTITY, *pair)

    def _unite_rows(self, entity: str, heir: UUID, loser: UUID) -> None:
        self.dataverse.unite(TABLE[entity], heir, loser)
        self.kin.append((heir, loser))
        self.merges += 1

    def _create_record(self) -> None:
        entity = self.chance.choice(list(TEXTS))
        fields: dict[str, Json] = {}
        # Whose company above it is in one system alone, is told to the other once that has it, too: never.
        if entity == ROOT_ENTITY and self.second is None and self.weather.strikes(Fault.RING):
            self._create_ring()
            return
        if entity in PARENT:
            companies = list(self.allegory.twin.of(ROOT_ENTITY))
            if self.weather.strikes(Fault.ORPHAN) or not companies:
                parent = self._name("C")
                self._later(parent)
            else:
                parent = self.chance.choice(companies)
            fields[PARENT[entity][0]] = parent
        self._save_record(
            entity, self._name(entity[0].upper()), {**fields, **self._texts(entity, all_of_them=True)}
        )

    def _create_ring(self) -> None:
        """Companies that belong to each other, each told of before the one it belongs to."""
        names = [self._name("C") for _ in range(self.chance.randrange(1, 4))]
        for name, parent in zip(names, [*names[1:], names[0]], strict=True):
            texts = self._texts(ROOT_ENTITY, all_of_them=True)
            self._save_record(ROOT_ENTITY, name, {RING: parent, **texts})

    def _later(self, company: str) -> None:
        async def errand() -> None:
            await asyncio.sleep(self.chance.random() * 60)
            self._save_record(ROOT_ENTITY, company, self._texts(ROOT_ENTITY, all_of_them=True))

        self._errands.append(asyncio.get_running_loop().create_task(errand()))

    def _edit_record(self, entity: str, record_id: str) -> str:
        texts = self._texts(entity)
        fields: dict[str, Json] = dict(texts)
        if entity in PARENT and self.chance.random() < 0.1:
            fields[PARENT[entity][0]] = self.chance.choice(list(self.allegory.twin.of(ROOT_ENTITY)) or [""])
        self._save_record(entity, record_id, fields)
        return TEXTS[entity][next(iter(texts))]

    def _save_record(
        self, entity: str, record_id: str, fields: Mapping[str, Json], side: Allegory | None = None
    ) -> None:
        side = side or self.allegory
        if record_id not in side.twin.of(entity):
            fields = {**BLANKS[entity], **fields}
        row = side.row_of(entity, record_id)
        self.saves[row] += 1
        if parent := fields.get(PARENT[entity][0] if entity in PARENT else RING):
            self.parents.setdefault(row, set()).add(self.allegory.row_of(ROOT_ENTITY, str(parent)))
        held = side.twin.of(entity).get(record_id, {})
        for name, column in TEXTS[entity].items():
            if name in fields and fields[name] != (held.get(name) or ""):
                self._owe(side.system, row, column, str(fields[name]) or None, f"{entity}:{record_id}")
        side.put(entity, record_id, fields)

    def _create_row(self) -> None:
        entity = self.chance.choice(list(TEXTS))
        values: dict[str, Value] = {}
        accounts = self._parents(entity)
        if entity in PARENT:
            if not accounts:
                entity = ROOT_ENTITY
            else:
                values[PARENT[entity][1]] = RowRef("account", self.chance.choice(accounts))
        texts = self._texts(entity, all_of_them=True)
        row = UUID(int=self.chance.getrandbits(128), version=4)
        self._save_row(
            entity, row, values | {TEXTS[entity][name]: text or None for name, text in texts.items()}
        )

    def _edit_row(self, place: Place, column: str | None = None) -> None:
        entity, row = place[0], UUID(place[1])
        values: dict[str, Value] = {}
        for name, text in self._texts(entity).items():
            values[TEXTS[entity][name]] = text or None
        if column is not None:
            values = {column: self._name("v")}
        elif entity in PARENT and self.chance.random() < 0.1:
            accounts = self._parents(entity)
            if accounts:
                values[PARENT[entity][1]] = RowRef("account", self.chance.choice(accounts))
        self._save_row(entity, row, values)

    def _parents(self, entity: str) -> list[UUID]:
        """The accounts a row may belong to; only a contact needs the placeholder."""
        # The second system's maps are Allegory's and name its records: nothing hangs from its customers.
        theirs = (
            {self.second.row_of(ROOT_ENTITY, each) for each in self.second.twin.of(ROOT_ENTITY)}
            if self.second
            else set()
        )
        accounts = [
            row
            for row in self.dataverse.twin.of(TABLE[ROOT_ENTITY])
            if not self._is_aside(row) and row not in theirs
        ]
        return [row for row in accounts if entity == "contact" or row != placeholder_id(TABLE[ROOT_ENTITY])]

    def _is_aside(self, row: UUID) -> bool:
        """Whether a row was merged into another."""
        return any(self.dataverse.twin.of(table).get(row, {}).get("statecode") for table in ENTITY)

    def _save_row(self, entity: str, row: UUID, values: dict[str, Value]) -> None:
        self.saves[row] += 1
        held = self.dataverse.twin.of(TABLE[entity]).get(row, {})
        for column in TEXTS[entity].values():
            if column in values and values[column] != held.get(column):
                value = values[column]
                self._owe("dataverse", row, column, None if value is None else str(value), str(row))
        self.dataverse.put(TABLE[entity], row, values)

    def _delete(self, records: list[Place], rows: list[Place]) -> None:
        if rows and self.chance.random() < 0.5:
            entity, row = self._one_of(rows)
            target = RowRef(TABLE[entity], UUID(row))
            children = (values for table in ENTITY for values in self.dataverse.twin.of(table).values())
            if not any(target in values.values() for values in children):
                self.ends.append(End("dataverse", UUID(row), len(self.edits)))
                self.dataverse.remove(TABLE[entity], UUID(row))
        elif records:
            entity, record_id = self._one_of(records)
            others = (fields for name in TEXTS for fields in self.allegory.twin.of(name).values())
            parents = {fields.get(field) for fields in others for field, _ in PARENT.values()}
            if record_id not in parents:
                row_id = self.allegory.row_of(entity, record_id)
                self.ends.append(End("allegory", row_id, len(self.edits)))
                self.allegory.remove(entity, record_id)

    def _merge(self, records: list[Place], rows: list[Place]) -> bool:
        """Merge two companies or two contacts on one side; whether there were two."""
        in_dataverse = self.chance.random() < 0.5
        places = [place for place in (rows if in_dataverse else records) if place[0] in MERGED]
        entity = self.chance.choice(MERGED)
        among = [place[1] for place in places if place[0] == entity]
        if len(among) < 2:
            return False
        heir, loser = self.chance.sample(among, 2)
        if in_dataverse:
            self._unite_rows(entity, UUID(heir), UUID(loser))
        else:
            self.allegory.unite(entity, heir, loser)
            self.merges += 1
        return True

    def _texts(self, entity: str, *, all_of_them: bool = False) -> dict[str, str]:
        names = list(TEXTS[entity])
        if not all_of_them:
            names = self.chance.sample(names, self.chance.randrange(1, 3))
        blank = {name for name in names if name != REQUIRED[entity] and self.chance.random() < 0.1}
        return {name: "" if name in blank else self._name("v") for name in names}

    def _one_of(self, places: list[Place]) -> Place:
        """Some records are everybody's business."""
        return places[0] if self.chance.random() < 0.4 else self.chance.choice(places)

    def _records(self) -> list[Place]:
        return [(entity, record_id) for entity in TEXTS for record_id in self.allegory.twin.of(entity)]

    def _rows(self) -> list[Place]:
        return [
            (ENTITY[table], str(row))
            for table in ENTITY
            for row in self.dataverse.twin.of(table)
            if row != placeholder_id(table) and not self._is_aside(row)
        ]

    def _name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"

    def _owe(self, side: str, row: UUID, column: str, value: str | None, record: str) -> None:
        self.edits.append(Edit(side, row, column, value, self._now(), record))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    _errands: list["asyncio.Task[None]"] = field(default_factory=list)
