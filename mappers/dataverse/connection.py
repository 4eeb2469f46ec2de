"""The connection table: how two rows are related. Written beside a row, never a record of its own.

Only what Tandem relates is declared: a contact and the further companies it belongs to.
"""

from mappers.dataverse import targets
from shared.core.mapping.columns import lookup, memo, table

record1id = lookup("record1id", "Connected from", targets.contact("record1id_contact"))
record2id = lookup("record2id", "Connected to", targets.account("record2id_account"))
description = memo("description", "Description", 2000)

TABLE = table("connection", "connections", "connectionid", record1id, record2id, description)
