"""Customers that may be one: people look, accept, refuse, and take a record out again.

Nothing is written from here. A decision is kept, and a sealed message that names it goes to the heir's lane
through the gate; the policy `certain` decides in the same way, under its own name (C-32, L-02c).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.core.change import Json, Message
from shared.core.crosswalk import Crosswalk
from shared.core.customers import TOLD, Case, CaseKind, NotOpen, Sayings, Unfitting
from shared.core.envelope import JOIN, SCHEMA_VERSION, SPLIT
from shared.core.identity import RecordKey, chosen_row_id, normalised_id
from shared.core.mapping.personal import Classified, Mask
from shared.core.matching import MatchRule
from shared.core.page import Page
from shared.core.ports import Bus, Clock, Report
from shared.core.seal import Seal
from shared.core.system import LegacySystem
from shared.core.trace import carried_on

REVIEW, CERTAIN = "review", "certain"
"""The policies: a person decides every match; or a certain one between two systems decides itself."""

BY_POLICY = "policy:certain"

_PAGE = 200
_PATIENCE = timedelta(seconds=30)
"""How long a decision may be on its way before it is sent again."""


class Casebook(Protocol):
    """Where cases are kept."""

    async def waiting(self, limit: int, *, after: int | None = None, certain: bool = False) -> Page:
        """Matches that nobody has decided, behind the case `after`."""
        ...

    async def one(self, number: int) -> Report | None:
        """One case, with what both rows hold."""
        ...

    async def seen_by(self, actor: str, number: int) -> None:
        """Write down who saw a case's values unmasked."""
        ...

    async def accept(self, number: int, heir: UUID, actor: str, reason: str, told_as: str) -> Case:
        """Two rows are one customer; raises NotOpen."""
        ...

    async def refuse(self, number: int, actor: str, reason: str) -> None:
        """They are two; raises NotOpen."""
        ...

    async def split(
        self, key: RecordKey, rows: tuple[UUID, UUID], table: str, said: tuple[str, str], told_as: str
    ) -> Case:
        """A record leaves the first row for the second."""
        ...

    async def untold(self, before: datetime, limit: int) -> Sequence[Case]:
        """Decisions that have not come to their lane."""
        ...


@dataclass(frozen=True, slots=True)
class Customers:
    """Lists matches and takes people's decisions about customers."""

    book: Casebook
    sayings: Sayings
    crosswalk: Crosswalk
    systems: Mapping[str, LegacySystem]
    rules: Sequence[MatchRule]
    personal: Classified
    bus: Bus
    clock: Clock
    queues: tuple[str, str]
    seal: Seal
    new_id: Callable[[], UUID]
    policy: str = REVIEW

    async def waiting(self, after: int | None = None) -> Report:
        """The matches that wait for a person, the surest first, with reasons: 200 behind the case `after`.

        `more` says how many come behind the last one.
        """
        page = await self.book.waiting(_PAGE, after=after)
        return {
            "matches": [self._told(one) for one in page.entries],
            "more": page.more,
            "policy": self.policy,
        }

    async def one(self, number: int, *, plain_for: str | None = None) -> Report | None:
        """One case with what both rows hold: masked, or plain for somebody who may see it, and noted."""
        found = await self.book.one(number)
        if found is None:
            return None
        told = self._told(found)
        if plain_for is not None:
            await self.book.seen_by(plain_for, number)
            return told
        mask = Mask(self.personal)
        rows = [
            {
                **row,
                "columns": {
                    name: mask.value(told["table"], name, value) for name, value in row["columns"].items()
                },
            }
            for row in told["rows"]
        ]
        return {**told, "rows": rows, "masked": True}

    async def accept(self, number: int, heir: str, actor: str, reason: str) -> Report:
        """Two rows are one customer: `heir` lives on, the other is merged into it.

        Raises NotOpen, Unfitting for a row that is none of the two, and Transient when the queue cannot be
        reached: the decision is kept then, and the timer sends it.
        """
        found = await self.book.one(number)
        if found is None or found["state"] != "open":
            raise NotOpen
        rows = [row["row"] for row in found["rows"]]
        chosen = heir.lower() if heir else _elder(found["rows"])
        if chosen not in rows:
            raise Unfitting("the heir is one of the two rows")
        case = await self.book.accept(number, UUID(chosen), actor, reason, self._told_as(number))
        await self.bus.post(self._message(case))
        return {"case": number, "heir": chosen, "status": "queued"}

    async def refuse(self, number: int, actor: str, reason: str) -> Report:
        """Two rows are two customers, and are not told again; raises NotOpen."""
        await self.book.refuse(number, actor, reason)
        return {"case": number, "status": "refused"}

    async def unmerge(self, record: str, actor: str, reason: str) -> Report:
        """A record gets a row of its own again; raises Unfitting when it cannot, saying why."""
        key = RecordKey.parse(record)
        system = self.systems.get(key.system) if key is not None else None
        entry = system.map_of(key.entity) if system is not None and key is not None else None
        if key is None or entry is None:
            raise Unfitting("name the record as system:entity:id")
        key = RecordKey(key.system, key.entity, normalised_id(key.id))
        known = await self.crosswalk.entry(key)
        if known is None or not known.is_paired:
            raise Unfitting("no row is known for this record")
        before = await self.sayings.before(key, known.row)
        if not before.is_shared:
            raise Unfitting("no other record shares its row")
        own = before.row or await self._own_row(key)
        told_as = f"{TOLD}{self.new_id()}"
        case = await self.book.split(key, (known.row, own), entry.table.name, (actor, reason), told_as)
        await self.bus.post(self._message(case))
        return {"case": case.number, "record": str(key), "row": str(own), "status": "queued"}

    async def run(self) -> int:
        """Let the policy decide what it may, and send again what has not come to its lane; how many."""
        if self.policy == CERTAIN:
            await self._decide_by_policy()
        untold = await self.book.untold(self.clock.now() - _PATIENCE, _PAGE)
        for case in untold:
            await self.bus.post(self._message(case))
        return len(untold)

    async def _decide_by_policy(self) -> None:
        """Accept what is certain between two systems. Doubles within one are a person's, and stay listed."""
        after, more = None, 1
        while more:
            page = await self.book.waiting(_PAGE, after=after, certain=True)
            for found in page.entries:
                after = number = found["case"]
                if _between_systems(found["rows"]):
                    reason = f"certain: {', '.join(self._told(found)['reasons'])}"
                    heir = UUID(_elder(found["rows"]))
                    await self.book.accept(number, heir, BY_POLICY, reason, self._told_as(number))
            more = page.more

    async def _own_row(self, key: RecordKey) -> UUID:
        """A row for a record that has none of its own to go back to: the one chosen for it, unless that is
        another customer's by now.
        """
        chosen = chosen_row_id(key)
        is_taken = await self.crosswalk.claims_on(chosen) or await self.crosswalk.heir_of(chosen) is not None
        return self.new_id() if is_taken else chosen

    def _told_as(self, number: int) -> str:
        return f"{TOLD}{number}-{self.new_id()}"

    def _told(self, found: Report) -> dict[str, Any]:
        """A case with its reasons in words."""
        names = json.loads(found["rules"])
        says = {rule.name: rule.says for rule in self.rules if rule.table == found["table"]}
        return {**found, "rules": names, "reasons": [says.get(name, name) for name in names]}

    def _message(self, case: Case) -> Message:
        """The message that tells the heir's lane: the same one each time, byte for byte."""
        inbound, outbound = self.queues
        decided_on = case.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        body: dict[str, Json] = {"schemaVersion": SCHEMA_VERSION, "case": case.number}
        body["decidedOn"] = decided_on
        if case.kind is CaseKind.SPLIT and case.key is not None:
            body |= {"kind": SPLIT, "source": case.key.system, "entity": case.key.entity}
            body |= {"sourceKey": case.key.id, "record": str(case.heir)}
        else:
            body |= {"kind": JOIN, "table": case.table, "heir": str(case.heir), "loser": str(case.loser)}
        message = Message(
            id=case.told_as,
            queue=inbound if case.kind is CaseKind.SPLIT else outbound,
            session_id=str(case.heir),
            body=json.dumps(body, separators=(",", ":")).encode(),
            sender=case.by,
            properties={"contentType": "application/json"},
            application_properties={"tandem-sender": case.by},
        )
        return self.seal.on(carried_on(message))


def _elder(rows: Sequence[Report]) -> str:
    """The row that has had a record for longer; a row without one comes last."""
    return str(min(rows, key=lambda row: (row["since"] is None, row["since"] or "", row["row"]))["row"])


def _between_systems(rows: Sequence[Report]) -> bool:
    """Whether no system has a record of both rows: those are never put together unasked."""
    first, second = ({key.partition(":")[0] for key in row["records"]} for row in rows)
    return bool(first) and bool(second) and not first & second
