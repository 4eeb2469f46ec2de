"""What runs by the clock: reading feeds, looking for gaps, telling people, forgetting."""

from typing import TYPE_CHECKING

from shared.connectors.legacy.feed import RestFeed
from shared.connectors.legacy.snapshot import RestSnapshot
from shared.connectors.tickets.desk import HttpTicketDesk
from shared.core.gate import Gate
from shared.core.legacy import going_out
from shared.inbound.drops.reading import Drops, FileExchange
from shared.inbound.feed import Feed
from shared.outbound.imports.handing import Handing, Handover
from shared.recovery.alert import Alerts
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps
from shared.recovery.record_owners import RecordOwners
from shared.recovery.retention import Retention
from shared.recovery.teams import Teams, routes_of
from shared.wiring.flows import owner_lookup, takers
from shared.wiring.world import World, client

if TYPE_CHECKING:
    from shared.recovery.gaps.cycle import Look

_LASTING = 4
"""Of the longest pauses between tries: what has failed for so long is told to people."""


def alerts(world: World) -> Alerts:
    """Tickets, one per group of failures."""
    settings = world.settings
    token = world.credentials.token(settings.tickets_scope)
    desk = HttpTicketDesk(client("the ticket desk", settings.tickets_url, settings, token))
    teams = Teams(routes_of(settings.ticket_teams), tuple(world.sides.systems.values()))
    return Alerts(
        world.store.operations.groups,
        desk,
        world.store.jobs,
        world.telemetry,
        world.owner,
        world.clock,
        lasting=_LASTING * settings.longest_delay,
        teams=teams,
    )


def feeds(world: World, gate: Gate) -> dict[str, Feed]:
    """What each legacy system tells of its own changes, read on a schedule; by its name."""
    return {
        name: Feed(
            world.sides.systems[name],
            RestFeed(told, over),
            world.store.cursors,
            world.store.jobs,
            world.bus,
            gate,
            world.telemetry,
            queue=world.settings.inbound_queue,
            owner=world.owner,
            page_size=told.page_size,
        )
        for name, over in world.clients.items()
        if (told := world.sides.systems[name].interface.feed) is not None
    }


def file_exchange(world: World, gate: Gate) -> FileExchange:
    """The systems that drop files: those with a place for them."""
    said = world.settings.systems
    places = [(system, url) for name, system in world.sides.systems.items() if (url := said[name].drop_url)]
    if not places:
        return FileExchange((), world.store.snapshots)
    # The readers of workbooks are native code, and the maps' declarations of exports many words.
    from mappers.exports import EXPORTS  # noqa: PLC0415  # only a system that drops files needs it
    from shared.connectors.files.place import DropFolders  # noqa: PLC0415  # as above

    drops = tuple(
        Drops(
            system,
            EXPORTS[system.name],
            DropFolders(url, EXPORTS[system.name]),
            world.store.snapshots,
            world.store.cursors,
            world.store.jobs,
            world.bus,
            gate,
            world.clock,
            world.telemetry,
            queue=world.settings.inbound_queue,
            owner=world.owner,
            settle=world.settings.exchange.settle,
        )
        for system, url in places
    )
    return FileExchange(drops, world.store.snapshots)


def handover(world: World) -> Handover:
    """The systems that take imports: those with a place for them."""
    settings, queue = world.settings, world.store.imports
    if not (places := takers(settings)):
        return Handover((), queue)
    from mappers.imports import IMPORTS  # noqa: PLC0415  # see `file_exchange`
    from shared.connectors.files.imports import ImportFolder  # noqa: PLC0415  # as above

    handings = tuple(
        Handing(
            IMPORTS[name],
            ImportFolder(settings.systems[name].import_url),
            queue,
            world.store.jobs,
            world.bus,
            world.clock,
            world.telemetry,
            owner=world.owner,
            collect=settings.exchange.collect,
            lost_after=settings.exchange.lost_after,
        )
        for name in sorted(places)
    )
    return Handover(handings, queue, {name: world.sides.systems[name].latency for name in places})


def gaps(world: World, gate: Gate) -> GapDetector:
    """What nobody told of, found by comparing."""
    return GapDetector(
        _gap_looks(world),
        world.store.gaps,
        world.store.jobs,
        world.bus,
        gate,
        world.clock,
        world.telemetry,
        grace=world.settings.gap_grace,
        owner=world.owner,
    )


def _gap_looks(world: World) -> "list[Look]":
    """Every table that a map sends out, and every collection of a system."""
    settings, store, sides, changes = world.settings, world.store, world.sides, world.changes
    systems, places = sides.systems.values(), takers(settings)
    kept = (store.gaps, store.cursors, sides.clock)
    tables = {entry.table.name: entry for system in systems for entry in system.maps if entry.outbound}
    rows = [
        RowGaps(
            entry,
            changes,
            sides.rows,
            sides.shadows,
            *kept,
            queue=settings.outbound_queue,
            takers={
                system.name: going_out(to)
                for system in systems
                if (to := system.map_to(entry.table.name))
                and to.outbound
                and (not system.by_import or system.name in places)
            },
        )
        for entry in tables.values()
    ]
    records = [
        RecordGaps(
            system,
            entry,
            RestSnapshot(system, world.clients[system.name]),
            sides.records[system.name],
            sides.lookups()[system.name],
            sides.shadows,
            sides.crosswalk,
            *kept,
            queue=settings.inbound_queue,
        )
        for system in systems
        for entry in system.maps
        if entry.entity in system.collections
    ]
    return [*rows, *records]


def record_owners(world: World, gate: Gate) -> RecordOwners:
    """Owners who are no user yet."""
    return RecordOwners(
        world.store.record_owners,
        world.people,
        owner_lookup(world.settings, world.sides),
        gate.systems,
        world.store.crosswalk,
        world.bus,
        world.store.jobs,
        world.clock,
        world.telemetry,
        queue=world.settings.inbound_queue,
        owner=world.owner,
    )


def retention(world: World) -> Retention:
    """What is forgotten, and when."""
    return Retention(
        world.store.retention,
        world.store.jobs,
        world.clock,
        world.telemetry,
        world.owner,
        bodies_for=world.settings.payload_days,
        messages_for=world.settings.metadata_days,
    )
