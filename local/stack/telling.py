"""The sample traffic: hands the addresses of the stack that is up to the story, if this checkout has one."""

import importlib
import json

from local.stack.fault import NotReadyError
from local.stack.layout import Layout


def tell_story(layout: Layout, *, once: bool) -> int:
    """Calls `tell(endpoints, once)` of the story and returns its exit status."""
    if not (layout.root / "local" / "stack" / "story.py").exists():
        raise NotReadyError("This checkout has no sample traffic: local/stack/story.py is missing.")
    story = importlib.import_module("local.stack.story")
    status: int = story.tell(json.loads(layout.endpoints.read_text()), once)
    return status
