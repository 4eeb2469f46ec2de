"""Who made and who last changed a record: Dataverse lets nobody set that, so it is kept in columns of ours.

The message says so, not the record's fields, so no line of a map can: these columns are every map's, wherever
its table has them.
"""

from shared.core.change import Change
from shared.core.mapping.columns import Table, Value

CREATED_BY = "tandem_createdby"
MODIFIED_BY = "tandem_modifiedby"
LONGEST = 200
"""How many UTF-16 units a name may have."""


def authorship(table: Table, change: Change) -> dict[str, Value]:
    """What a change says of its authors; nothing of what it does not tell, nor of what Tandem did itself."""
    told = {CREATED_BY: change.created_by, MODIFIED_BY: change.changed_by}
    if change.is_own:
        return {}
    return {name: value for name, value in told.items() if value and name in table.columns}
