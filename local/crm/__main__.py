"""`python -m local.crm --system allegory --port N --store F --api-key-file F [--drop-url URL]`.

For a system that has files only: `--system legrand --port N --store F --drop-url URL [--import-url URL]`.
Any other system that is registered in `mappers` and has a REST interface is made from its declaration.
"""

import argparse
from pathlib import Path

from local.crm.declared import declared
from local.crm.rest import application
from local.crm.sheets.desk import application as desk
from local.crm.systems import SHEETS, SYSTEMS
from local.loopback.server import serve
from mappers import SYSTEMS as REGISTERED


def main() -> None:
    """Serve until told to stop."""
    over_rest = {system.name: declared(system) for system in REGISTERED if system.rest} | dict(SYSTEMS)
    parser = argparse.ArgumentParser(prog="local.crm", description=__doc__)
    parser.add_argument("--system", choices=sorted({*SHEETS, *over_rest}), required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--api-key-file", type=Path)
    parser.add_argument("--drop-url")
    parser.add_argument("--import-url")
    given = parser.parse_args()
    if given.system in SHEETS:
        if given.drop_url is None:
            parser.error(f"{given.system} has files only: --drop-url says where it drops them")
        app = desk(SHEETS[given.system], given.drop_url, store=given.store, import_url=given.import_url)
    else:
        system = over_rest[given.system]
        app = application(system, store=given.store, api_key_file=given.api_key_file, drop_url=given.drop_url)
    serve(f"crm {given.system}", app, given.port)


if __name__ == "__main__":
    main()
