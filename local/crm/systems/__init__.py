"""The legacy systems this simulator can be, by the name given on its command line."""

from collections.abc import Mapping

from local.crm.declaration import System
from local.crm.sheets.declaration import SheetSystem
from local.crm.systems.allegory import ALLEGORY
from local.crm.systems.legrand import LEGRAND

SYSTEMS: Mapping[str, System] = {"allegory": ALLEGORY}
SHEETS: Mapping[str, SheetSystem] = {"legrand": LEGRAND}
"""Those that have workbooks and nothing else."""
