"""What the Web API answers when it refuses: status, hexadecimal code, message.

The codes are those of the service's published list where it has one; `reference` names follow it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Refusal(Exception):
    """An error answer of the Web API."""

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


def row_missing(table: str, row_id: str) -> Refusal:
    """The row addressed or pointed at does not exist."""
    return Refusal(404, "0x80040217", f"{table} With Id = {row_id} Does Not Exist")


def key_missing(table: str) -> Refusal:
    """No row carries the alternate key value."""
    return Refusal(
        404, "0x80060891", f"A record with the specified key values does not exist in {table} entity"
    )


def unknown_key(table: str) -> Refusal:
    """The columns in the address are no alternate key of the table."""
    return Refusal(
        400,
        "0x80060890",
        f"The specified key attributes are not a defined key for the {table} entity",
    )


def key_taken(key: str, columns: str, holder: str, table: str) -> Refusal:
    """Another row carries the alternate key value; the message names the holder as the service does."""
    detail = f"<Attributes>{columns}</Attributes><EntityId>{holder}</EntityId><Entity>{table}</Entity>"
    return Refusal(
        412,
        "0x80060892",
        f"Entity Key {key} violated. A record with the same value for {columns} already exists. "
        f"A duplicate record cannot be created. Select one or more unique values and try again. {detail}",
    )


def already_exists() -> Refusal:
    """A row with this primary key exists."""
    return Refusal(412, "0x80040237", "A record with matching key values already exists.")


def duplicate_found() -> Refusal:
    """A duplicate detection rule found a row like this one."""
    return Refusal(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already exists.",
    )


def version_mismatch(table: str) -> Refusal:
    """The row is newer than the version the caller decided on."""
    return Refusal(
        412,
        "0x80060882",
        f"The version of the existing record doesn't match the RowVersion property provided. Entity: {table}",
    )


def unknown_segment(name: str) -> Refusal:
    """The path names nothing."""
    return Refusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def no_property(table: str, name: str) -> str:
    """The service's words for a name a type does not have."""
    return f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."


def unknown_property_in_query(table: str, name: str) -> Refusal:
    """A query names a column the table does not have."""
    return Refusal(
        400,
        "0x80060888",
        no_property(table, name),
    )


def bad_query(message: str) -> Refusal:
    """A query option cannot be read."""
    return Refusal(400, "0x80060888", message)


def unknown_property(table: str, name: str) -> Refusal:
    """A body names a column the table does not have."""
    return bad_payload(
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table}'. "
        "Make sure to only use property names that are defined by the type."
    )


def undeclared_binding(name: str) -> Refusal:
    """A body binds a navigation property the table does not have; names are case-sensitive."""
    return bad_payload(
        f"An undeclared property '{name}' which only has property annotations in the payload but no property "
        "value was found in the payload. In OData, only declared navigation properties and declared named "
        "streams can be represented as properties without values."
    )


def bad_payload(message: str) -> Refusal:
    """The body cannot be read as a row of the table."""
    return Refusal(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user ----> InnerException : {message}",
    )


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """Refusal when a body that is read inside turns out to have another shape than it must have."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as wrong:
        raise bad_payload(f"{what} cannot be read: {type(wrong).__name__} {wrong}.") from wrong


def too_long(column: str, table: str, limit: int) -> Refusal:
    """Text is longer than its column."""
    return Refusal(
        400,
        "0x80044331",
        f"A validation error occurred. The length of the '{column}' attribute of the '{table}' entity "
        f"exceeded the maximum allowed length of '{limit}'.",
    )


def no_such_option(column: str, table: str) -> Refusal:
    """A choice column was given a value that is no option."""
    return Refusal(
        400,
        "0x8004431A",
        f"A validation error occurred. The value of '{column}' on record of type '{table}' is outside the "
        "valid range.",
    )


def out_of_range(code: str, column: str, table: str, low: float | None, high: float | None) -> Refusal:
    """A number is outside the range of its column."""
    return Refusal(
        400,
        code,
        f"A validation error occurred. The value of '{column}' on record of type '{table}' is outside the "
        f"valid range. Minimum: {low}, maximum: {high}.",
    )


def required_missing(column: str, table: str) -> Refusal:
    """A column the system needs is null."""
    return Refusal(400, "0x80040203", f"Required field '{column}' is missing for entity '{table}'.")


def bad_status(table: str, status: int, state: object, row_id: str) -> Refusal:
    """The status reason does not belong to the state."""
    return Refusal(
        400,
        "0x80048408",
        f"{status} is not a valid status code for state code {state} on {table} with Id {row_id}.",
    )


def wrong_state(message: str) -> Refusal:
    """The row's state does not allow this."""
    return Refusal(400, "0x80040233", message)


def privilege_missing(who: str, privilege: str, user: str) -> Refusal:
    """The user's roles lack a privilege; `who` and `privilege` describe both as the service does."""
    return Refusal(
        403, "0x80040220", f"Principal user ({who}), is missing {privilege}. context.Caller={user}"
    )


def row_out_of_reach(user: str, verb: str, table: str, row: Mapping[str, Any], row_id: str) -> Refusal:
    """The user has the privilege, but not for this row."""
    owner = row.get("ownerid") or ("systemuser", "")
    unit = (row.get("owningbusinessunit") or ("", ""))[1]
    return Refusal(
        403,
        "0x80048306",
        f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {row_id}, OwnerId: {owner[1]}, "
        f"OwnerIdType: {9 if owner[0] == 'team' else 8} and CallingUser: {user}. ObjectTypeCode: {table}, "
        f"objectBusinessUnitId: {unit}, AccessRights: {verb}Access",
    )


def no_roles(user: str) -> Refusal:
    """The user holds no security role."""
    return Refusal(
        403, "0x80042f09", f"The user with id {user} has not been assigned any roles. They need a role."
    )


def user_disabled(user: str) -> Refusal:
    """The caller or the owner is a disabled user."""
    return Refusal(403, "0x80040225", f"The specified user(Id = {user}) is disabled.")


def loop_in_hierarchy() -> Refusal:
    """An account would be above itself."""
    message = "Creating this parental association would create a loop in Accounts hierarchy."
    return Refusal(400, "0x80040507", message)


def not_for_this_table(verb: str, table: str) -> Refusal:
    """The table's rows come and go by other means."""
    return Refusal(405, "0x80040800", f"The '{verb}' method does not support entities of type '{table}'.")


def not_supported(what: str) -> Refusal:
    """Something the service can do and the simulator cannot."""
    return Refusal(501, "0x80060600", f"{what} is not supported by this simulator.")
