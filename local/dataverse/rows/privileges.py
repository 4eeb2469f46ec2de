"""What a user may do: everything, unless an entry takes a privilege away."""

from dataclasses import dataclass, field

from local.dataverse.errors import privilege_missing
from local.dataverse.schema.table import Table


@dataclass(slots=True)
class Privileges:
    """Privileges taken away from users, by systemuserid; changed through `/admin/privileges`."""

    denied: dict[str, set[str]] = field(default_factory=dict)

    def check(self, user: str, verb: str, table: Table) -> None:
        """Refusal 403 when the user lacks, say, prvWriteAccount."""
        if self.denied:
            self.check_named(user, f"prv{verb}{table.name.capitalize()}")

    def check_named(self, user: str, privilege: str) -> None:
        """Refusal 403 when the user lacks a privilege."""
        if self.lacks(user, privilege):
            raise privilege_missing(privilege, user)

    def lacks(self, user: str, privilege: str) -> bool:
        """Whether a privilege was taken away; names are compared without case."""
        return privilege.casefold() in self.denied.get(user, ())

    def deny(self, user: str, privileges: set[str]) -> None:
        """Take privileges away from a user; an empty set gives all back."""
        if privileges:
            self.denied[user] = {name.casefold() for name in privileges}
        else:
            self.denied.pop(user, None)
