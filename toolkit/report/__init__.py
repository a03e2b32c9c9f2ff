"""Show an audit: on a terminal, as one self-contained HTML page, as JSON, as a folder on disk.

Nothing here knows a task. All that is shown comes from `goldlabel.results.audit.Audit`.
"""

from __future__ import annotations

from .folder import write
from .html import render
from .summary import describe, to_json
from .terminal import show

__all__ = ["describe", "render", "show", "to_json", "write"]
