"""One measured number, and what it may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its limits: `most` and `least` are what it may be; with neither it is only told."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the limits are kept."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )


def rounded(value: float) -> float:
    """Three digits that mean something."""
    return float(f"{value:.3g}")
