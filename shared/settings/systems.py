"""The settings of the legacy systems: a system's declaration says which, its name what they are called.

Of a system `acme`: ACME_URL, ACME_KEY_SECRET and ACME_FEED_SCHEDULE where it has a REST interface and a feed,
ACME_DROP_URL where it drops exports, ACME_IMPORT_URL where it takes imports.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.settings.reader import Reader, Setting

if TYPE_CHECKING:
    from shared.core.system import LegacySystem

_FEED = "FEED_SCHEDULE"


def feeds(env: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The systems whose feeds have a schedule, as far as the environment tells: no system is loaded."""
    said = os.environ if env is None else env
    names = (name.removesuffix(f"_{_FEED}") for name, value in said.items() if value.strip())
    return tuple(sorted(name.lower() for name in names if schedule_of(name) in said))


def schedule_of(system: str) -> str:
    """The name of the setting that tells when a system's feed is read."""
    return f"{system.upper()}_{_FEED}"


def settings_of(system: "LegacySystem") -> tuple[Setting, ...]:
    """The settings of one system."""
    name, title = system.name, system.title
    said: list[tuple[str, str, str, str | None]] = []
    if system.rest is not None:
        said.append(("URL", f"Base URL of {title}'s REST API.", "http://127.0.0.1:7081", None))
        purpose = f"Name of the vault secret with {title}'s key."
        said.append(("KEY_SECRET", purpose, f"{name}-api-key", None))
    if has_feed(system):
        purpose = f"When {title}'s change feed is read (six-field NCRONTAB)."
        said.append((_FEED, purpose, "*/5 * * * * *", None))
    if system.drops:
        purpose = f"Where {title}'s exports are dropped: a folder, or a container (az://{name}-drop); "
        said.append(("DROP_URL", f"{purpose}blank: nowhere.", f"az://{name}-drop", ""))
    if system.by_import:
        purpose = f"Where workbooks for {title}'s imports are put and acknowledged: a folder, or a container "
        purpose += f"(az://{name}-import); blank: nothing is sent to {title}."
        said.append(("IMPORT_URL", purpose, f"az://{name}-import", ""))
    return tuple(
        Setting(f"{name.upper()}_{word}", purpose, sample, default) for word, purpose, sample, default in said
    )


def has_feed(system: "LegacySystem") -> bool:
    """Whether a system declares a feed, which then needs a schedule."""
    return system.rest is not None and system.rest.feed is not None


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """How one legacy system is reached; blank where it is not, in that way."""

    url: str = ""
    key_secret: str = ""
    feed_schedule: str = ""
    drop_url: str = ""
    import_url: str = ""

    @classmethod
    def read(cls, reader: Reader, system: "LegacySystem") -> "SystemSettings":
        """The settings of a system; faults are the reader's to tell."""
        start = f"{system.name.upper()}_"
        read_as = {"url": reader.address, "drop_url": reader.place, "import_url": reader.place}
        said: dict[str, str] = {}
        for setting in settings_of(system):
            word = setting.name.removeprefix(start).lower()
            said[word] = read_as.get(word, reader.text)(setting.name)
        return cls(**said)


def read(
    reader: Reader, systems: "Collection[LegacySystem]", said: Mapping[str, str]
) -> dict[str, SystemSettings]:
    """The settings of these systems, by name; a schedule for what is none of their feeds is a fault, too."""
    for name in sorted({*feeds(said)} - {system.name for system in systems if has_feed(system)}):
        reader.fault(f"{schedule_of(name)} is set, and no system {name} has a change feed")
    return {system.name: SystemSettings.read(reader, system) for system in systems}
