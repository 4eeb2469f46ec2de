"""The system that `docs/howto/add-a-legacy-system.md` adds, built from the blocks of that page."""

import importlib.util
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.core.system import LegacySystem

PAGE = Path(__file__).parents[1] / "docs/howto/add-a-legacy-system.md"
_BLOCK = re.compile(r"^( *)```(python|json)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (mappers/acme/(\w+)\.py)\n")


def blocks(language: str) -> list[str]:
    """The blocks of the page in one language."""
    text = PAGE.read_text("utf-8")
    return [textwrap.dedent(found[3]) for found in _BLOCK.finditer(text) if found[2] == language]


@contextmanager
def built(root: Path) -> Iterator[LegacySystem]:
    """The system, written to a folder of its own and imported under the name the page gives it."""
    files = {found[2]: block for block in blocks("python") if (found := _FILE.match(block))}
    for name, block in files.items():
        (root / f"{name}.py").write_text(block, "utf-8")
    place = root / "__init__.py"
    spec = importlib.util.spec_from_file_location(
        "mappers.acme", place, submodule_search_locations=[str(root)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["mappers.acme"] = package
    try:
        spec.loader.exec_module(package)
        yield package.ACME
    finally:
        for name in [name for name in sys.modules if name.startswith("mappers.acme")]:
            del sys.modules[name]
