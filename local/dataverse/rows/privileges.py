"""What a user may do: the privileges of the security roles it holds, each with a depth.

A privilege lets a user do one thing (create, read, write, delete, append, append to, assign) to the rows of
a table: to its own, to those of its business unit, of the units below, or to all. Roles come from
`systemuserroles_association` and `teamroles_association`, their privileges from `roleprivileges`. The System
Administrator may do everything. Who holds no role at all may do everything too, unless `roles_required` is
switched on: an organisation of a test is made in a few lines, and the service's refusal is there for those
who ask for it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from local.dataverse.errors import no_roles, privilege_missing, row_out_of_reach
from local.dataverse.rows.caller import Caller
from local.dataverse.schema.catalog import Catalog, metadata_id
from local.dataverse.schema.table import Table
from local.dataverse.seed import ADMINISTRATOR_ROLE
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import RowStore

VERBS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign")
# Privileges that belong to no table, as far as anything here asks for them.
NAMED = (
    "prvActOnBehalfOfAnotherUser",
    "prvOverrideCreatedOnCreatedBy",
    "prvBypassCustomBusinessLogic",
    "prvBypassCustomPlugins",
    "prvCreateEntity",
    "prvCreateAttribute",
    "prvCreateRelationship",
    "prvCreateOptionSet",
    "prvPublishDuplicateRule",
)
# Tables whose privileges carry another name, or that share those of the row they are part of.
_NOUNS = {
    "annotation": "Note",
    "systemuser": "User",
    "activityparty": "Activity",
    "activitymimeattachment": "Activity",
    "opportunityproduct": "Opportunity",
    "quotedetail": "Quote",
    "listmember": "List",
    "productpricelevel": "Product",
    "customeraddress": "Account",
    "uomschedule": "UoM",
    "duplicaterulecondition": "DuplicateRule",
}
SECURITY_TABLES = frozenset({"role", "roleprivileges", "systemuser", "team", "businessunit"})
SECURITY_PAIRS = ("systemuserroles_association", "teamroles_association", "teammembership_association")


class Depth(IntEnum):
    """How far a privilege reaches; the numbers of `privilegedepthmask`."""

    NONE = 0
    USER = 1
    BUSINESS_UNIT = 2
    UNITS_BELOW = 4
    ORGANISATION = 8


Grants = Mapping[str, Depth]


def privilege_name(verb: str, table: Table) -> str:
    """The service's name of a privilege, such as prvWriteAccount; all activities share theirs."""
    noun = _NOUNS.get(table.name) or ("Activity" if table.is_activity else table.schema_name)
    return f"prv{verb}{noun}"


def every_privilege(catalog: Catalog) -> Iterator[str]:
    """The names of all privileges of an organisation."""
    yield from dict.fromkeys(
        privilege_name(verb, table) for table in catalog.tables.values() for verb in VERBS
    )
    yield from NAMED


@lru_cache(maxsize=4096)
def privilege_id(name: str) -> str:
    """The id of a privilege; names are compared without case."""
    return metadata_id("privilege", name.casefold())


@dataclass(slots=True)
class Privileges:
    """The rights of every user; what is worked out is kept until roles, users, teams or units change."""

    store: RowStore
    denied: dict[str, set[str]] = field(default_factory=dict)
    roles_required: bool = False
    stale: bool = True
    _grants: dict[str, Grants | None] = field(default_factory=dict)

    def check(self, caller: Caller, verb: str, table: Table, row: Row | None = None) -> None:
        """Refusal 403 when the caller, or whom it acts for, lacks the privilege or its depth for the row."""
        if self.unlimited(caller):
            return
        for user in dict.fromkeys((caller.user, caller.real)):
            depth = self.depth(user, verb, table)
            if depth is Depth.ORGANISATION:
                continue
            if depth is Depth.NONE:
                raise self._missing(user, privilege_name(verb, table), table)
            if row is not None and not self.reaches(user, depth, table, row):
                raise row_out_of_reach(user, verb, table.name, row, row.get(table.id_column, ""))

    def unlimited(self, caller: Caller) -> bool:
        """Whether nothing needs to be checked for the caller."""
        if self.denied or self.granted(caller.user) is not None:
            return False
        return caller.user == caller.real or self.granted(caller.real) is None

    def check_named(self, caller: Caller, privilege: str) -> None:
        """Refusal 403 when the caller, or whom it acts for, lacks a privilege that belongs to no table."""
        for user in dict.fromkeys((caller.user, caller.real)):
            self.check_user(user, privilege)

    def check_user(self, user: str, privilege: str) -> None:
        """Refusal 403 when one user lacks a privilege."""
        if self._depth(user, privilege) is Depth.NONE:
            raise self._missing(user, privilege, None)

    def check_whole(self, caller: Caller, verb: str, table: Table) -> None:
        """Refusal 403 unless the caller may do it to every row: change tracking asks for that."""
        for user in dict.fromkeys((caller.user, caller.real)):
            if self.depth(user, verb, table) is not Depth.ORGANISATION:
                raise self._missing(user, privilege_name(verb, table), table)

    def sight(self, caller: Caller, table: Table) -> Callable[[Row], bool] | None:
        """Which rows of a table the caller sees; None for all. Refusal 403 when it may read none."""
        self.check(caller, "Read", table)
        limited = [
            (user, depth)
            for user in dict.fromkeys((caller.user, caller.real))
            if (depth := self.depth(user, "Read", table)) is not Depth.ORGANISATION
        ]
        if not limited or "ownerid" not in table.columns:
            return None
        return lambda row: all(self.reaches(user, depth, table, row) for user, depth in limited)

    def depth(self, user: str, verb: str, table: Table) -> Depth:
        """How far a user's privilege on a table reaches."""
        return self._depth(user, privilege_name(verb, table))

    def reaches(self, user: str, depth: Depth, table: Table, row: Row) -> bool:
        """Whether a row lies within a depth; rows nobody owns lie within every one."""
        if depth is Depth.ORGANISATION or "ownerid" not in table.columns:
            return True
        owner = row.get("ownerid")
        if owner is None:
            return True
        if owner == Reference("systemuser", user) or owner[1] in self._teams(user):
            return True
        unit, home = row.get("owningbusinessunit"), self._unit(user)
        if depth is Depth.USER or unit is None or home is None:
            return False
        return bool(unit == home) or (depth is Depth.UNITS_BELOW and home in self._above(unit))

    def deny(self, user: str, privileges: set[str]) -> None:
        """Take privileges away from a user whatever its roles say; an empty set gives all back."""
        if privileges:
            self.denied[user] = {name.casefold() for name in privileges}
        else:
            self.denied.pop(user, None)

    def committed(self, tables: set[str]) -> None:
        """Rows of these tables changed."""
        if self.stale or not SECURITY_TABLES.isdisjoint(tables):
            self.stale = False
            self._grants.clear()

    def granted(self, user: str) -> Grants | None:
        """Privilege ids with their depths; None for a user who may do everything."""
        if self.stale:
            self._grants.clear()
            self.stale = False
        if user not in self._grants:
            self._grants[user] = self._read_grants(user)
        return self._grants[user]

    def roles(self, user: str) -> set[str]:
        """The ids of the roles a user holds, by itself or by its teams."""
        pairs = self.store.pairs
        own = {role for holder, role in pairs.get("systemuserroles_association", ()) if holder == user}
        teams = self._teams(user)
        return own | {role for team, role in pairs.get("teamroles_association", ()) if team in teams}

    def _depth(self, user: str, privilege: str) -> Depth:
        if self.denied and privilege.casefold() in self.denied.get(user, ()):
            return Depth.NONE
        grants = self.granted(user)
        return Depth.ORGANISATION if grants is None else grants.get(privilege_id(privilege), Depth.NONE)

    def _read_grants(self, user: str) -> Grants | None:
        roles = self.roles(user)
        if ADMINISTRATOR_ROLE in roles or (not roles and not self.roles_required):
            return None
        grants: dict[str, Depth] = {}
        for row in self.store.table("roleprivileges").values():
            if row["roleid"][1] in roles:
                depth = Depth(row["privilegedepthmask"])
                grants[row["privilegeid"]] = max(depth, grants.get(row["privilegeid"], Depth.NONE))
        return grants

    def _missing(self, user: str, privilege: str, table: Table | None) -> Exception:
        roles, grants = self.roles(user), self.granted(user)
        if not roles and grants is not None:
            return no_roles(user)
        mode = (self.store.get("systemuser", user) or {}).get("accessmode", 0)
        counts = f"roleCount={len(roles)}, privilegeCount={len(grants or ())}"
        who = f"Id={user}, type=8, {counts}, accessMode={mode}"
        where = f" for entity '{table.name}' (LocalizedName='{table.label}')" if table is not None else ""
        return privilege_missing(who, f"{privilege} privilege (Id={privilege_id(privilege)}){where}", user)

    def _teams(self, user: str) -> set[str]:
        members = self.store.pairs.get("teammembership_association", ())
        return {team for team, member in members if member == user}

    def _unit(self, user: str) -> Reference | None:
        unit: Reference | None = (self.store.get("systemuser", user) or {}).get("businessunitid")
        return unit

    def _above(self, unit: Reference) -> set[Reference]:
        """The units above one, up to the root."""
        seen: set[Reference] = set()
        above = (self.store.get("businessunit", unit[1]) or {}).get("parentbusinessunitid")
        while above is not None and above not in seen:
            seen.add(above)
            above = (self.store.get("businessunit", above[1]) or {}).get("parentbusinessunitid")
        return seen
