"""Which port each part answers on.

A port is, in this order: fixed by the person (`--port host=7071`, or `TANDEM_PORT_HOST=7071`), the one of
the last start if it is free, or the next free one. Ports are picked below the range that the operating system
gives to outgoing connections, so that no such connection can sit on a part's port while the part restarts.
"""

import errno
import json
import os
import socket
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from local.stack import stand_ins
from local.stack.fault import NotReadyError
from local.stack.private_file import write_private_json

PORTS_OF: Final = {
    "broker": ("broker_amqp", "broker_amqps", "broker_admin"),
    "azurite": ("blob", "queue", "table"),
    "dataverse": ("dataverse", "dataverse_https"),
    "crm": ("allegory",),
    "identity": ("identity",),
    "vault": ("vault",),
    "desk": ("desk",),
    "telemetry": ("telemetry",),
    "host": ("host",),
    "legrand": ("legrand",),
    **{name: (name,) for name in stand_ins.NAMES},
}
"""The names of each part's ports."""

NAMES: Final = tuple(name for names in PORTS_OF.values() for name in names)
_FIRST, _LAST = 15_000, 31_999


def is_free(port: int) -> bool:
    """Whether a server may listen on 127.0.0.1:`port` now, as the parts do it (with SO_REUSEADDR)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            if fault.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def fixed_ports(given: Iterable[str], environment: Mapping[str, str]) -> dict[str, int]:
    """The ports that a person fixed: `name=number` each, over TANDEM_PORT_<NAME> of the environment."""
    wishes = {
        name: environment[variable]
        for name in NAMES
        if (variable := f"TANDEM_PORT_{name.upper()}") in environment
    }
    for wish in given:
        name, _, number = wish.partition("=")
        wishes[name] = number
    for name, number in wishes.items():
        if name not in NAMES:
            raise NotReadyError(f"There is no port called {name}; the names are {', '.join(NAMES)}.")
        if not (number.isdecimal() and 0 < int(number) < 65_536):
            raise NotReadyError(f"The port of {name} must be a number from 1 to 65535.")
    return {name: int(number) for name, number in wishes.items()}


def pick_ports(fixed: Mapping[str, int], file: Path, without: frozenset[str] = frozenset()) -> dict[str, int]:
    """A port per name, remembered in `file`. A fixed port that is taken raises NotReadyError.

    The ports of the parts in `without`, which the person runs, may be taken: by exactly those.
    """
    elsewhere = {name for part in without for name in PORTS_OF[part]}
    for name, port in fixed.items():
        if name not in elsewhere and not is_free(port):
            raise NotReadyError(f"Port {port}, which was asked for {name}, is in use on this machine.")
    remembered = json.loads(file.read_text()) if file.exists() else {}
    picked = dict(fixed)
    # Each checkout starts looking somewhere else, so that two of them seldom want the same port.
    candidate = _FIRST + zlib.crc32(os.fsencode(file)) % (_LAST - _FIRST)
    for name in NAMES:
        if name in picked:
            continue
        port = int(remembered.get(name, 0))
        while port == 0 or port in picked.values() or not (name in elsewhere or is_free(port)):
            candidate = candidate + 1 if candidate < _LAST else _FIRST
            port = candidate
        picked[name] = port
    write_private_json(file, picked)
    return picked
