"""nbgrader's exchange folder, with the permissions that it lets us set.

nbgrader insists on a folder that everyone may write to. Like `/tmp`, it gets the sticky bit here,
and so does the folder that takes the submissions: nobody renames or deletes what is another's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseAssignment


class ReleaseAssignment(ExchangeReleaseAssignment):
    """nbgrader's own, then the sticky bit on the two folders that many people write to."""

    def ensure_root(self) -> None:
        """Make the exchange folder, as nbgrader does."""
        super().ensure_root()
        _stick(Path(self.root))

    def init_dest(self) -> None:
        """Make the course's folders in it, as nbgrader does."""
        super().init_dest()
        _stick(Path(self.inbound_path))


def _stick(folder: Path) -> None:
    """Set the sticky bit, where the folder is ours to change."""
    found = folder.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
        folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_ISVTX)
