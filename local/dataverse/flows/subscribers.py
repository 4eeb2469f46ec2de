"""The flows and the service endpoint of the organisation: a committed change in, messages out."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.dataverse.errors import Refusal
from local.dataverse.flows.definition import (
    RUN_AS_MODIFIER,
    RUN_AS_OWNER,
    SCOPE_BUSINESS_UNIT,
    SCOPE_USER,
    Flow,
    Subscription,
    UnreadableFlow,
)
from local.dataverse.flows.execution_context import ServiceEndpoint
from local.dataverse.flows.expression import Run
from local.dataverse.flows.trigger_body import trigger_body
from local.dataverse.odata.predicate import Predicate, Scope, Source, compile_filter
from local.dataverse.seed import ADMINISTRATOR, BUSINESS_UNIT
from local.dataverse.store.row import Row
from local.dataverse.store.transaction import Change, Operation

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FlowSubscribers:
    """Runs every flow whose subscription matches, and the service endpoint if there is one."""

    flows: Iterable[Flow]
    source: Source
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    endpoint: ServiceEndpoint | None = None
    wake: Callable[[], None] = lambda: None
    failures: list[dict[str, str]] = field(default_factory=list)
    _by_table: dict[str, list[tuple[Flow, Predicate | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for flow in self.flows:
            subscription = flow.subscription
            table = self.source.catalog.tables.get(subscription.table)
            if table is None:
                raise UnreadableFlow(f"flow {flow.name}: there is no table {subscription.table}")
            unknown = subscription.columns - table.columns.keys()
            if unknown:
                names = ", ".join(sorted(unknown))
                raise UnreadableFlow(f"flow {flow.name}: {table.name} has no column {names}")
            test = None
            if subscription.filter is not None:
                try:
                    scope = Scope(table, self.source, self.clock())
                    test = compile_filter(subscription.filter, scope)
                except Refusal as wrong:
                    raise UnreadableFlow(f"flow {flow.name}: filterexpression: {wrong.message}") from wrong
            self._by_table.setdefault(table.name, []).append((flow, test))

    def messages(self, change: Change) -> Iterable[tuple[str, str]]:
        """The messages of every flow that hears the change."""
        messages: list[tuple[str, str]] = []
        for flow, test in self._by_table.get(change.table, ()):
            if _hears(flow.subscription, change, test):
                messages += self._run(flow, change)
        if self.endpoint is not None:
            messages += self.endpoint.messages(change, self.source, self.clock(), self.new_id)
        return messages

    def committed(self) -> None:
        """Tell the sender that messages wait."""
        self.wake()

    def _run(self, flow: Flow, change: Change) -> list[tuple[str, str]]:
        table = self.source.catalog.tables[change.table]
        body = trigger_body(change, table, self.source, _run_as(flow.subscription, change))
        try:
            return flow.run({"body": body, "headers": {}}, self._start)
        except (KeyError, TypeError, ValueError) as wrong:
            # A failed run does not fail the write that caused it: it shows in the run history.
            _log.warning("flow %s failed: %s", flow.name, wrong)
            self.failures.append(
                {"flow": flow.name, "table": change.table, "id": change.id, "error": str(wrong)}
            )
            return []

    def _start(self, trigger: Mapping[str, Any]) -> Run:
        return Run(trigger, {}, self.new_id, self.clock())


def _hears(subscription: Subscription, change: Change, test: Predicate | None) -> bool:
    if change.operation not in subscription.operations:
        return False
    row = change.after if change.after is not None else change.before
    if not _within(subscription.scope, row or {}):
        return False
    # A column that was sent counts as changed, equal or not; without a list every column does.
    filtered = change.operation is Operation.UPDATE and bool(subscription.columns)
    if filtered and subscription.columns.isdisjoint(change.columns):
        return False
    # A deleted row has no columns left to filter by.
    return test is None or change.after is None or test(change.after)


def _within(scope: int, row: Row) -> bool:
    """Whether a row is in a flow's scope; every flow belongs to the administrator, in the topmost unit.

    Units below the topmost are all units, so that scope 3 hears what scope 4 hears.
    """
    if scope == SCOPE_USER:
        return bool(row.get("ownerid", ("", ""))[1] == ADMINISTRATOR)
    if scope == SCOPE_BUSINESS_UNIT:
        return bool((row.get("owningbusinessunit") or ("", ""))[1] == BUSINESS_UNIT)
    return True


def _run_as(subscription: Subscription, change: Change) -> str:
    if subscription.run_as == RUN_AS_MODIFIER:
        return change.origin.caller.user
    row = change.after if change.after is not None else change.before
    owner = (row or {}).get("ownerid")
    if subscription.run_as == RUN_AS_OWNER and owner is not None:
        return str(owner[1])
    return ADMINISTRATOR
