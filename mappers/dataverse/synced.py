"""The columns every synced table has: whose record a row is, and what Dataverse lets nobody set."""

from mappers.dataverse.targets import OWNERS
from shared.core.mapping.columns import instant, lookup, text

# Dataverse refuses `:` inside a key in a URL, so this key keeps duplicates out; rows are addressed by GUID.
tandem_sourcekey = text("tandem_sourcekey", "Legacy record", 200, incidental=True)
tandem_legacymodifiedon = instant("tandem_legacymodifiedon", "Modified on (legacy)", incidental=True)
overriddencreatedon = instant("overriddencreatedon", "Record Created On", create_only=True)
ownerid = lookup("ownerid", "Owner", *OWNERS, clearable=False)

COLUMNS = (tandem_sourcekey, tandem_legacymodifiedon, overriddencreatedon, ownerid)
KEYS = {"tandem_sourcekey_key": ("tandem_sourcekey",)}
