"""The legacy systems this simulator can be, by the name given on its command line."""

from collections.abc import Mapping

from local.crm.declaration import System
from local.crm.systems.allegory import ALLEGORY

SYSTEMS: Mapping[str, System] = {"allegory": ALLEGORY}
