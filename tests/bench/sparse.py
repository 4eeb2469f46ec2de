"""Sparse sessions (B1s): many messages, each alone in its session, against the same in few sessions.

One record per session is the normal case, and the one that kills a Functions app with default settings: eight
sessions, each held for a minute after its last message, are eight messages a minute
(Azure/azure-sdk-for-net issue 33046).
"""

from collections.abc import Iterator
from uuid import uuid4

from tests.bench.crossing import through_tandem
from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER, Stack
from tests.bench.traffic import companies

_MESSAGES = 960
_FEW = 16
_MOST = 2
"""The target is 1.5, which one run in two keeps on a busy machine: to open a session and to give it back is
work that sixteen sessions do not have.
"""

_DEFAULT_PER_SECOND = 8 / 60
"""What the defaults of host.json come to: the sessions that are held, by the seconds an idle one is."""


def sparse(stack: Stack) -> Iterator[Measure]:
    """The same number of messages in as many sessions, and in sixteen."""
    rates = {}
    for sessions in (_MESSAGES, _FEW):
        tag = f"sparse-{uuid4().hex[:6]}"
        messages = companies(tag, sessions, _MESSAGES // sessions, OWNER)
        crossing = through_tandem(stack, "inbound", tag, messages)
        rates[sessions] = crossing.messages / crossing.seconds
    many, few = rates[_MESSAGES], rates[_FEW]
    yield Measure(f"time of {_MESSAGES} sessions, of {_FEW}", rounded(few / many), "ratio", most=_MOST)
    yield Measure(
        "rate, of what the defaults of host.json would allow",
        rounded(many / _DEFAULT_PER_SECOND),
        "ratio",
        least=100,
    )
    yield Measure(f"rate in {_MESSAGES} sessions", rounded(many), "changes/s")
    yield Measure(f"rate in {_FEW} sessions", rounded(few), "changes/s")
