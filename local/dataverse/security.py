"""Security roles and who holds them, from one document: a file at start, or a body of `/admin/security`.

    {"roles": {"Tandem integration": {"tables": {"account": {"read": "organisation", "write": "user"},
                                                 "*": "organisation"},
                                      "also": ["prvActOnBehalfOfAnotherUser"]}},
     "users": {"7a2d0000-0000-4000-8000-00000000a11e": ["Tandem integration"]},
     "roles_required": true}

A table's entry is a depth for everything, or a depth for each verb; `*` stands for every table not named. A
user is named by systemuserid, applicationid or Entra object id; its roles are exactly those listed.
"""

from collections.abc import Mapping
from typing import Any

from local.dataverse.api.organisation import Organisation
from local.dataverse.rows.caller import Caller, Origin
from local.dataverse.rows.privileges import (
    NAMED,
    SECURITY_PAIRS,
    VERBS,
    Depth,
    every_privilege,
    privilege_id,
    privilege_name,
)
from local.dataverse.schema.catalog import Catalog, metadata_id
from local.dataverse.seed import ADMINISTRATOR, BUSINESS_UNIT
from local.dataverse.store.row import Reference
from local.dataverse.store.transaction import Transaction

_DEPTHS = {
    "none": Depth.NONE,
    "user": Depth.USER,
    "business unit": Depth.BUSINESS_UNIT,
    "business unit and below": Depth.UNITS_BELOW,
    "organisation": Depth.ORGANISATION,
}
_WORDS = {depth: word for word, depth in _DEPTHS.items()}
_VERBS = {verb.lower(): verb for verb in VERBS} | {"append to": "AppendTo"}
_USER_ROLES = SECURITY_PAIRS[0]
_IDENTITIES = ("systemuserid", "applicationid", "azureactivedirectoryobjectid")


def apply_security(organisation: Organisation, document: Mapping[str, Any]) -> None:
    """Put roles and assignments in force; ValueError names what is unknown, and then nothing has changed."""
    unknown = document.keys() - {"roles", "users", "roles_required"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    transaction = organisation.begin(Origin(Caller(ADMINISTRATOR, ADMINISTRATOR), silent=True))
    for name, role in document.get("roles", {}).items():
        _put_role(transaction, name, _grants(organisation.catalog, name, role))
    for user, roles in document.get("users", {}).items():
        _assign(transaction, user, roles)
    organisation.privileges.roles_required = bool(
        document.get("roles_required", organisation.privileges.roles_required)
    )
    organisation.privileges.stale = True
    organisation.commit(transaction)


def shown_security(organisation: Organisation) -> dict[str, Any]:
    """Who holds which roles, and what every role other than the administrator's may do."""
    store = organisation.store
    names = {privilege_id(name): name for name in every_privilege(organisation.catalog)}
    roles: dict[str, dict[str, str]] = {str(row["name"]): {} for row in store.table("role").values()}
    for row in store.table("roleprivileges").values():
        role = store.table("role")[row["roleid"][1]]["name"]
        name = str(names.get(row["privilegeid"], row["privilegeid"]))
        roles[role][name] = _WORDS[Depth(row["privilegedepthmask"])]
    users = {
        user: sorted(store.table("role")[role]["name"] for role in held)
        for user in store.table("systemuser")
        if (held := organisation.privileges.roles(user))
    }
    return {"roles": roles, "users": users, "roles_required": organisation.privileges.roles_required}


def _grants(catalog: Catalog, role: str, spec: Mapping[str, Any]) -> dict[str, Depth]:
    tables: Mapping[str, Any] = spec.get("tables", {})
    unknown = tables.keys() - catalog.tables.keys() - {"*"}
    unnamed = set(spec.get("also", ())) - set(NAMED)
    if unknown or unnamed or spec.keys() - {"tables", "also"}:
        raise ValueError(f"role {role}: unknown {', '.join(sorted(unknown | unnamed)) or 'field'}")
    # A privilege that several tables share takes the deepest of what is said about them by name.
    grants: dict[str, Depth] = {}
    for name, table in catalog.tables.items():
        if name in tables:
            for verb, depth in _depths(role, tables[name]).items():
                privilege = privilege_name(verb, table)
                grants[privilege] = max(depth, grants.get(privilege, Depth.NONE))
    for name, table in catalog.tables.items():
        if name not in tables and "*" in tables:
            for verb, depth in _depths(role, tables["*"]).items():
                grants.setdefault(privilege_name(verb, table), depth)
    grants |= dict.fromkeys(spec.get("also", ()), Depth.ORGANISATION)
    return {name: depth for name, depth in grants.items() if depth is not Depth.NONE}


def _depths(role: str, spec: str | Mapping[str, str]) -> dict[str, Depth]:
    words = dict.fromkeys(VERBS, spec) if isinstance(spec, str) else spec
    try:
        return {_VERBS[verb.lower()]: _DEPTHS[word] for verb, word in words.items()}
    except KeyError as wrong:
        raise ValueError(f"role {role}: {wrong} is no verb and no depth") from wrong


def _put_role(transaction: Transaction, name: str, grants: Mapping[str, Depth]) -> None:
    tables = transaction.store.catalog.tables
    role_id = metadata_id("role", name)
    unit = Reference("businessunit", BUSINESS_UNIT)
    transaction.put(
        tables["role"], {"roleid": role_id, "name": name, "businessunitid": unit}, frozenset({"name"})
    )
    for row in list(transaction.rows("roleprivileges")):
        if row["roleid"] == Reference("role", role_id):
            transaction.delete(tables["roleprivileges"], row["roleprivilegeid"])
    for privilege, depth in grants.items():
        row_id = metadata_id("roleprivileges", name, privilege)
        transaction.put(
            tables["roleprivileges"],
            {
                "roleprivilegeid": row_id,
                "roleid": Reference("role", role_id),
                "privilegeid": privilege_id(privilege),
                "privilegedepthmask": int(depth),
            },
            frozenset({"privilegedepthmask"}),
        )


def _assign(transaction: Transaction, user: str, roles: list[str]) -> None:
    found = next(
        (
            row["systemuserid"]
            for row in transaction.rows("systemuser")
            if any(row.get(name) == user.lower() for name in _IDENTITIES)
        ),
        None,
    )
    if found is None:
        raise ValueError(f"there is no user {user}")
    known = {row["name"]: row["roleid"] for row in transaction.rows("role")}
    missing = set(roles) - known.keys()
    if missing:
        raise ValueError(f"there is no role {', '.join(sorted(missing))}")
    for holder, role in list(transaction.store.pairs.get(_USER_ROLES, ())):
        if holder == found:
            transaction.pair(_USER_ROLES, holder, role, present=False)
    for name in roles:
        transaction.pair(_USER_ROLES, found, known[name], present=True)
