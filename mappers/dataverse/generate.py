"""Writes what is rendered from the maps: `python -m mappers.dataverse.generate` from the repository's root.

The files are committed, so that a reader, a deployment and the local stack need no generator; a test keeps
them equal to what this writes.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from mappers import SYSTEMS, deviations, terms
from mappers.dataverse import TABLES
from mappers.dataverse.customisations import customisations
from mappers.dataverse.filters import outbound_filters
from mappers.dataverse.flows import flow
from mappers.reference import page


def files() -> Mapping[str, str]:
    """The content of every generated file, by its path from the repository's root."""
    flows = {
        f"infra/flows/{filter_.table.name}.json": _json(flow(filter_))
        for filter_ in outbound_filters(SYSTEMS)
    }
    return {
        "docs/reference/mappings.md": page(SYSTEMS),
        "docs/reference/terms.md": terms.page(),
        "docs/reference/deviations.md": deviations.page(),
        "infra/dataverse/customisations.json": _json(customisations(TABLES.values())),
        **flows,
    }


def write(root: Path) -> None:
    """Write every generated file under `root`."""
    for name, content in files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write(Path.cwd())
