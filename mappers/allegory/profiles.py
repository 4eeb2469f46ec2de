"""The `seed` profile: what takes the place of the maps of the same entities (C-04)."""

from mappers.allegory.calls import CALL_TASK
from mappers.allegory.emails import EMAIL_TASK
from mappers.allegory.meetings import MEETING_TASK

SEED = (EMAIL_TASK, CALL_TASK, MEETING_TASK)
"""E-mails, calls and meetings as tasks, told apart by their category."""
