"""The story: traffic both ways, waited for, and told as a table that adds up."""

import sys
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.story.cast import Scene, inbound
from local.story.far_sides import Allegory, Dataverse, NeverHappenedError, Service, wait_for

_PLACED = {"parked", "held", "failed"}
"""Fates with a place in a lane: explained, but not over."""


@dataclass(slots=True)
class Told:
    """What was sent and what is known of it so far."""

    tag: str
    sent: dict[str, Scene] = field(default_factory=dict)
    fates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    outbound: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)


def tell(endpoints: Mapping[str, Any], once: bool) -> int:  # noqa: FBT001  # the stack's contract with its story
    """Feed the sample traffic and print what happened; 0 when every message is explained, else 1."""
    service, dataverse, allegory = Service(endpoints), Dataverse(endpoints), Allegory(endpoints)
    told = Told("S" + uuid.uuid4().hex[:5].upper())
    before = service.now()
    print(f"\nSample traffic, records {told.tag}-...", flush=True)
    try:
        _inbound_part(told, service, dataverse)
        _legacy_part(told, service, allegory, before)
        _outbound_part(told, dataverse, allegory)
        after = _quiet(service)
    except NeverHappenedError as missing:
        print(f"\nNever happened: {missing}. `.venv/bin/tandem now` says how things stand.")
        return 1
    _print_inbound(told)
    _print_outbound(told)
    _print_sum(before, after)
    if not once:
        _print_next(endpoints, told)
    return 1 if told.unexplained or not after["conserved"] else 0


def _inbound_part(told: Told, service: Service, dataverse: Dataverse) -> None:
    dataverse.add_users()
    for scene in inbound(told.tag):
        told.sent[f"{told.tag}-{uuid.uuid4()}"] = scene
    posted = {key: scene for key, scene in told.sent.items() if scene.entity == "deal"}
    print(f"  {len(told.sent) - len(posted)} envelopes onto the queue `inbound`", flush=True)
    service.send([(key, scene) for key, scene in told.sent.items() if key not in posted])
    print(f"  {len(posted)} envelopes through POST /api/inbound", flush=True)
    for key, scene in posted.items():
        answer = service.post(key, scene)
        if answer.status_code not in {202, 422}:
            told.unexplained.append(f"{scene.id}: the door answered {answer.status_code}")
    for key, scene in told.sent.items():
        about = f"an outcome of {scene.entity} {scene.id}"
        told.fates[key] = wait_for(about, partial(_fate, service, key))


def _legacy_part(told: Told, service: Service, allegory: Allegory, before: Mapping[str, Any]) -> None:
    """The records stand in Allegory, too; its change feed tells of them, and that is no news to Dynamics."""
    standing = [scene for key, scene in told.sent.items() if told.fates[key]["outcome"] == "applied"]
    print(f"  {len(standing)} records saved again in Allegory, without a change", flush=True)
    for scene in standing:
        allegory.put(scene)
    expected = before["received"]["inbound"] + len(told.sent) + len(standing)
    wait_for("Allegory's change feed", partial(_received, service, expected))


def _received(service: Service, expected: int) -> bool | None:
    now = service.now()
    return (now["received"]["inbound"] >= expected and now["waiting"] == 0) or None


def _fate(service: Service, message_id: str) -> Mapping[str, Any] | None:
    """The fate of a message once it is final, or explained by its place in a lane."""
    found = service.fate(message_id)
    return found if found and found["outcome"] is not None else None


def _outbound_part(told: Told, dataverse: Dataverse, allegory: Allegory) -> None:
    """Three people work in Dynamics; what they did is looked for in Allegory."""
    account = dataverse.row("accounts", f"allegory:company:{told.tag}-C3")
    deal = dataverse.row("opportunities", f"allegory:deal:{told.tag}-D2")
    if account is None or deal is None:
        raise NeverHappenedError("the rows that people were to edit")
    print("  3 people work in Dynamics: a phone number, an amount, a new account", flush=True)
    dataverse.edit(f"accounts({account['accountid']})", {"telephone1": "+49 341 555 0303"})
    dataverse.edit(f"opportunities({deal['opportunityid']})", {"estimatedvalue": 101000.75})
    name = f"Hafenlicht {told.tag}"
    dataverse.create("accounts", {"name": name, "address1_city": "Rostock"})
    wait_for(
        "the phone number in Allegory",
        lambda: allegory.get("companies", f"{told.tag}-C3")["phone"] == "+49 341 555 0303" or None,
    )
    told.outbound.append("phone number of Backhaus Sommer        -> Allegory company")
    wait_for(
        "the amount in Allegory",
        lambda: float(allegory.get("deals", f"{told.tag}-D2")["amount"]) == 101000.75 or None,
    )
    told.outbound.append("amount of Ofenlinie                    -> Allegory deal")
    made = wait_for("the new account in Allegory", lambda: allegory.named("companies", name))
    told.outbound.append(f"new account {name:<26} -> Allegory company {made['company_id']}")


def _quiet(service: Service) -> Mapping[str, Any]:
    """How things stand once no message waits for its turn."""
    return wait_for("the end of the traffic", lambda: _settled(service.now()))


def _settled(now: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return now if now["waiting"] == 0 else None


def _print_inbound(told: Told) -> None:
    print("\nInto Dynamics")
    for key, scene in told.sent.items():
        fate = told.fates[key]
        outcome = fate["outcome"]
        why = _why(fate) if outcome == "rejected" or outcome in _PLACED else scene.about
        print(f"  {scene.entity:<8} {scene.id:<11} {outcome:<9} {why}".rstrip())


def _why(fate: Mapping[str, Any]) -> str:
    faults: Sequence[Mapping[str, str]] = fate.get("faults") or ()
    if faults:
        return "; ".join(f"{fault['pointer']}: {fault['expected']} ({fault['code']})" for fault in faults)
    return str(fate.get("reason") or "")


def _print_outbound(told: Told) -> None:
    print("\nOut of Dynamics")
    for line in told.outbound:
        print(f"  {line}")


def _print_sum(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Received messages by direction and outcome; each row must add up to what was received."""
    print("\nEvery message has exactly one outcome, or a place in a lane")
    for direction in ("inbound", "outbound"):
        old, new = Counter(before["messages"][direction]), Counter(after["messages"][direction])
        fresh = {name: count - old[name] for name, count in new.items() if count != old[name]}
        received = after["received"][direction] - before["received"][direction]
        parts = "  ".join(f"{name} {count}" for name, count in sorted(fresh.items()))
        total = sum(fresh.values())
        sign = "=" if total == received else "IS NOT"
        print(f"  {direction:<9} received {received:>3}  {sign}  {parts}")
    print("  (echo: what says nothing new, our own writes coming back among it; recognised and dropped)")


def _print_next(endpoints: Mapping[str, Any], told: Told) -> None:
    print("\nLook further")
    print(f"  .venv/bin/tandem record show allegory:company:{told.tag}-C3")
    print("  .venv/bin/tandem failures list")
    print(f"  tickets at {endpoints['tickets']}   service at {endpoints['functions']}/api/health")
    sys.stdout.flush()
