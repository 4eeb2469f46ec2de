"""The only reader of the environment: every setting, its default, and what it is for."""

from shared.settings.app import SETTINGS, Settings, known
from shared.settings.operator import OperatorSettings
from shared.settings.reader import InvalidSettings, Setting
from shared.settings.systems import feeds, schedule_of

__all__ = [
    "SETTINGS",
    "InvalidSettings",
    "OperatorSettings",
    "Setting",
    "Settings",
    "feeds",
    "known",
    "schedule_of",
]
