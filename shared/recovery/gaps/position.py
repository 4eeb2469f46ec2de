"""How far a look has come: kept as the text of its watermark."""

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Position:
    """`token` is where reading goes on ("" is the beginning), `began` when the detector first looked.

    `whole_at` is when the last look that saw everything began; `is_whole` whether the one under way has seen
    everything so far.
    """

    token: str
    began: datetime
    whole_at: datetime | None = None
    is_whole: bool = True
    at: datetime | None = None

    @classmethod
    def of(cls, text: str, now: datetime) -> "Position":
        """The position that was kept; the very first one when none was."""
        if not text:
            return cls("", now)
        kept = json.loads(text)
        return cls(
            kept["token"],
            datetime.fromisoformat(kept["began"]),
            _instant(kept["whole_at"]),
            kept["is_whole"],
            _instant(kept["at"]),
        )

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(
            {
                "token": self.token,
                "began": self.began.isoformat(),
                "whole_at": self.whole_at.isoformat() if self.whole_at else None,
                "is_whole": self.is_whole,
                "at": self.at.isoformat() if self.at else None,
            }
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
