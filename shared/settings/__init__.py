"""The only reader of the environment: every setting, its default, and what it is for."""

from shared.settings.app import SETTINGS, Settings
from shared.settings.operator import OperatorSettings
from shared.settings.reader import InvalidSettings, Setting

__all__ = ["SETTINGS", "InvalidSettings", "OperatorSettings", "Setting", "Settings"]
