"""No line of the app is written for one legacy system: what differs is in its declaration."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from mappers import SYSTEMS
from shared.settings import known

NAMES = {system.name for system in SYSTEMS}


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name, attribute, import and text of a module, without what only explains."""
    explaining = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                yield node.lineno, word
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word):
                yield node.lineno, word
            case ast.alias(name=word):
                yield node.lineno, word
            case ast.Constant(value=str() as word) if id(node) not in explaining:
                yield node.lineno, word


def named(path: str, tree: ast.Module) -> list[str]:
    return [
        f"{path}:{line} names {name}" for line, word in words(tree) for name in NAMES if name in word.lower()
    ]


def test_the_app_names_no_legacy_system(trees: Mapping[str, ast.Module]) -> None:
    app = {path: tree for path, tree in trees.items() if path.startswith(("shared/", "function_app"))}

    assert app
    assert [found for path, tree in app.items() for found in named(path, tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        "from mappers.allegory import ALLEGORY",
        "world.allegory",
        "x = 'LEGRAND_DROP_URL'",
        "def legrand(): ...",
    ],
)
def test_a_planted_name_is_caught(line: str) -> None:
    assert named("shared/planted.py", ast.parse(line)) != []


SHARED = ("dataverse", "definitions")
"""What lies beside the folders of the systems, and every map may know."""


def strangers(path: str, tree: ast.Module) -> list[str]:
    """What a module of a system's maps imports from `mappers` that is neither its own nor everybody's."""
    _, folder, _ = path.split("/", 2)
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [alias.name for alias in names]
            case ast.ImportFrom(module="mappers", names=names):
                found += [f"mappers.{alias.name}" for alias in names]
            case ast.ImportFrom(module=str() as module):
                found.append(module)
    ours = [name.split(".") for name in found if name.split(".")[0] == "mappers"]
    return [f"{path} imports {'.'.join(name)}" for name in ours if not {*name[1:2]} & {folder, *SHARED}]


def test_the_maps_of_a_system_know_no_other_system(trees: Mapping[str, ast.Module]) -> None:
    """Every folder of maps but Dataverse's is a system's, those to come, too: there is no list to add to."""
    maps = {
        path: tree
        for path, tree in trees.items()
        if path.startswith("mappers/") and path.count("/") > 1 and not path.startswith("mappers/dataverse/")
    }

    assert {path.split("/")[1] for path in maps} == NAMES
    assert [found for path, tree in maps.items() for found in strangers(path, tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import mappers",
        "import mappers.legrand",
        "import mappers.legrand.words",
        "from mappers import legrand",
        "from mappers import SYSTEMS",
        "from mappers.legrand import LEGRAND",
        "from mappers.exports import EXPORTS",
    ],
)
def test_a_planted_import_of_another_system_is_caught(line: str) -> None:
    assert strangers("mappers/acme/planted.py", ast.parse(line)) != []


@pytest.mark.parametrize(
    "line", ["from mappers.acme.words import SYSTEM", "from mappers.dataverse import ACCOUNT"]
)
def test_a_map_may_know_its_own_system_and_dataverse(line: str) -> None:
    assert strangers("mappers/acme/planted.py", ast.parse(line)) == []


def test_no_two_settings_share_a_name() -> None:
    names = [setting.name for setting in known(SYSTEMS)]

    assert [name for name in names if names.count(name) > 1] == []
