"""The sample traffic: hands the addresses of the stack that is up to the story."""

import json

from local.stack.layout import Layout
from local.story import tell


def tell_story(layout: Layout, *, once: bool) -> int:
    """Tells the story against the stack's endpoints and returns its exit status."""
    return tell(json.loads(layout.endpoints.read_text()), once)
