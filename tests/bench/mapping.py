"""Mapping: from the body of a message to the body of a request, against the floor of doing just that.

Ours reads the envelope, checks and maps every field by the map's lines, and writes the row. The floor
decodes the body, puts the same fields into a plain dictionary with the same types, and encodes it: it refuses
nothing.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

from mappers.allegory import ALLEGORY
from shared.core import envelope
from shared.core.change import Change, Message
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.rows import encode, write_row
from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER
from tests.bench.traffic import Sent, companies

_MESSAGES = 2000
_ROUNDS = 15
_NOW = datetime(2026, 2, 2, tzinfo=UTC)
_DAY = timedelta(days=1)
_REFERENCES = frozenset({DirectoryRef, PlaceholderRef, RecordRef})


def mapping() -> Iterator[Measure]:
    """CPU per message, in turns."""
    lot = companies("mapping", _MESSAGES, 1, OWNER)
    rounds = [(_cpu(_ours, lot), _cpu(_floor, lot)) for _ in range(_ROUNDS)]
    ours, floor = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(mine / least for mine, least in rounds)
    yield Measure("decode, map and encode, of the floor", rounded(ratio), "ratio", most=2)
    yield Measure("decode, map and encode", rounded(1e6 * ours), "us/message")
    yield Measure("the floor", rounded(1e6 * floor), "us/message")


def _cpu(work: Callable[[Sent], bytes], lot: list[Sent]) -> float:
    began = time.process_time()
    for sent in lot:
        work(sent)
    return (time.process_time() - began) / len(lot)


def _ours(sent: Sent) -> bytes:
    change = envelope.read(Message(sent.id, "inbound", sent.session, sent.body), _NOW, _DAY)
    entry = ALLEGORY.map_of("company")
    assert isinstance(change, Change)
    assert entry is not None
    values = entry.to_columns(change.data).values
    # What names another row is for the crosswalk.
    plain = {name: value for name, value in values.items() if type(value) not in _REFERENCES}
    return encode(write_row(entry.table, plain))


def _floor(sent: Sent) -> bytes:
    body = json.loads(sent.body)
    data = body["data"]
    row = {
        "name": data["name"],
        "websiteurl": data["domain"],
        "address1_country": data["country"],
        "address1_city": data["city"],
        "address1_line1": data["street"],
        "address1_postalcode": data["postal_code"],
        "telephone1": data["phone"],
        "numberofemployees": int(data["employees"]),
        "revenue": str(Decimal(data["annual_revenue_musd"]) * 1_000_000),
        "tandem_industry": data["industry"],
        "overriddencreatedon": datetime.fromisoformat(data["created_at"]).isoformat(),
        "tandem_legacymodifiedon": datetime.fromisoformat(data["updated_at"]).isoformat(),
        "tandem_sourcekey": f"allegory:company:{body['sourceKey']}",
    }
    return json.dumps(row).encode()
