"""From a seed that fails to a story a person can read: fewer faults, fewer acts, one record."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.simulation.judgement import judge
from tests.simulation.run import play
from tests.simulation.world import Plan


def told(plan: Plan) -> str:
    """What is wrong with a plan, and the smallest story found in which something still is."""
    smallest = shrunk(plan, lambda tried: bool(play(tried, judge)[1]))
    world, found = play(smallest, judge)
    about = frozenset(broken.partition(":")[0] for broken in found if ":" in broken)
    faults = ", ".join(sorted(fault.name for fault in smallest.faults))
    return "\n".join(
        (
            f"seed {plan.seed} breaks a promise, and still does",
            f"with {smallest.acts} acts, {smallest.workers} workers and the faults {faults or 'none'}:",
            *(f"  {broken}" for broken in found),
            world.story.text(about),
        )
    )


def shrunk(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """A plan that still fails and of which nothing can be left out, among those tried."""
    smaller = next((tried for tried in _smaller(plan) if fails(tried)), None)
    return plan if smaller is None else shrunk(smaller, fails)


def _smaller(plan: Plan) -> Iterator[Plan]:
    for acts in (plan.acts // 2, plan.acts - 1):
        if 0 < acts < plan.acts:
            yield replace(plan, acts=acts)
    if plan.workers > 1:
        yield replace(plan, workers=plan.workers - 1)
    for fault in sorted(plan.faults):
        yield replace(plan, faults=plan.faults - {fault}, storm=plan.storm - {fault})
