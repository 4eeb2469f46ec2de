"""What happened in a run, in order, in words: for people, and for comparing two runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.core.lane import OUTCOME_EVENT
from tests.simulation.scheduler import SeededLoop


@dataclass(slots=True)
class Story:
    """The lines of a run. `about` of a line is the row (or key) it concerns, blank for everybody."""

    loop: SeededLoop
    lines: list[tuple[float, str, str]] = field(default_factory=list)

    def tell(self, what: str, about: object = "") -> None:
        self.lines.append((self.loop.time(), str(about), what))

    def text(self, only: frozenset[str] = frozenset()) -> str:
        """Every line, or those about some records and about everybody."""
        return "\n".join(
            f"{at:10.3f}  {what}" for at, about, what in self.lines if not only or not about or about in only
        )


@dataclass(frozen=True, slots=True)
class ToldTelemetry:
    """Telemetry whose outcomes become lines; as strict as the twin about its dimensions."""

    story: Story
    strict: MemoryTelemetry = field(default_factory=MemoryTelemetry)

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:
        self.strict.event(name, dimensions, error=error)
        if name == OUTCOME_EVENT and dimensions.get("record"):
            code = f" ({dimensions['code']})" if "code" in dimensions else ""
            said = f"{dimensions['message_id']}: {dimensions['outcome']}{code}"
            self.story.tell(said, dimensions["record"])
        elif name == OUTCOME_EVENT:
            self.story.tell(f"{dimensions['message_id']}: refused ({dimensions['code']})")
        elif error:
            self.story.tell(f"{name} {dict(dimensions)}")
