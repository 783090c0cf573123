"""Whether an item of the queue has room on the disk beside those that come before it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.hub.part import check_room, reserve_for
from app.hub.queued_download import QueuedDownload


def check(item: QueuedDownload, queue: Iterable[QueuedDownload], folder: Path) -> None:
    """Raises NotEnoughDisk unless all that it needs fits, and a reserve; DownloadFailed for an impossible name."""
    own_bytes = item.needed_bytes(folder)
    if own_bytes:
        check_room(folder, own_bytes + ahead_bytes(item, queue, folder) + reserve_for(own_bytes))


def ahead_bytes(item: QueuedDownload, queue: Iterable[QueuedDownload], folder: Path) -> int:
    """What the others that run, or whose turn comes before, still need."""
    return sum(
        other.needed_bytes(folder)
        for other in queue
        if other is not item and (other.state == "running" or (other.state == "queued" and other.place < item.place))
    )
