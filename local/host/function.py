"""A function of the app as its index describes it: a name, one trigger, and what it may return."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SERVICE_BUS = "serviceBusTrigger"
HTTP = "httpTrigger"
TIMER = "timerTrigger"

TRIGGERS = (SERVICE_BUS, HTTP, TIMER)


class UnsupportedFunction(ValueError):
    """A function asks for something this host does not do; the message names function and binding."""


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function. `trigger` is the trigger's binding, as in a function.json."""

    name: str
    trigger: dict[str, Any]

    @property
    def kind(self) -> str:
        """The trigger's type."""
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """The name of the function's parameter that takes the trigger's data."""
        return str(self.trigger["name"])


def function_of(name: str, raw_bindings: Iterable[str]) -> Function:
    """A function from its indexed bindings. Raises UnsupportedFunction for one this host cannot serve."""
    bindings = [json.loads(raw) for raw in raw_bindings]
    triggers = [binding for binding in bindings if str(binding["type"]).endswith("Trigger")]
    if len(triggers) != 1 or triggers[0]["type"] not in TRIGGERS:
        raise UnsupportedFunction(f"{name}: one trigger of {', '.join(TRIGGERS)}")
    for binding in bindings:
        if binding is not triggers[0] and (binding["type"], binding["name"]) != ("http", "$return"):
            raise UnsupportedFunction(f"{name}: a binding of type {binding['type']} is not served locally")
    if triggers[0].get("cardinality", "one").lower() != "one":
        raise UnsupportedFunction(f"{name}: only cardinality one keeps the order within a session")
    return Function(name, triggers[0])
