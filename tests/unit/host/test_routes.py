import pytest

from local.host.function import HTTP, Function, UnsupportedFunction
from local.host.routes import route_of


def function(route: str | None, *methods: str) -> Function:
    return Function("f", {"type": HTTP, "name": "req", "route": route, "methods": list(methods)})


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        (None, "api/f", {}),
        ("a", "api/a", {}),
        ("a", "API/A/", {}),
        ("a", "api/a/b", None),
        ("{id}", "api/x y", {"id": "x y"}),
        ("{id}", "api", None),
        ("{id}", "api/a/b", None),
        ("{id:int}", "api/-12", {"id": "-12"}),
        ("{id:int}", "api/12a", None),
        (
            "{id:guid}",
            "api/6e4a2f5c-7d0b-4a1e-9f0b-0123456789ab",
            {"id": "6e4a2f5c-7d0b-4a1e-9f0b-0123456789ab"},
        ),
        ("{id:guid}", "api/6e4a", None),
        ("a/{b?}", "api/a", {}),
        ("a/{b?}", "api/a/c", {"b": "c"}),
        ("a/{*rest}", "api/a", {}),
        ("a/{*rest}", "api/a/b/c", {"rest": "b/c"}),
        ("files/{name}.{ext}", "api/files/a.b.csv", {"name": "a", "ext": "b.csv"}),
    ],
)
def test_a_template_matches_its_paths(template: str | None, path: str, values: dict[str, str] | None) -> None:
    assert route_of(function(template), "api").match("GET", path) == values


def test_no_methods_means_any_and_no_prefix_means_none() -> None:
    assert route_of(function("a"), "").match("DELETE", "a") == {}
    assert route_of(function("a", "get", "POST"), "").match("GET", "a") == {}
    assert route_of(function("a", "get", "POST"), "").match("PUT", "a") is None


def test_the_more_exact_template_ranks_first() -> None:
    templates = ("{*all}", "{a}", "{a:int}", "x", "x/{a}", "x/y", "x/{a:int}")

    ranked = sorted(templates, key=lambda template: route_of(function(template), "api").rank)

    assert ranked == ["x", "x/y", "x/{a:int}", "x/{a}", "{a:int}", "{a}", "{*all}"]


def test_an_unknown_constraint_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedFunction, match="f: the route constraint range"):
        route_of(function("{a:range(1,2)}"), "api")
