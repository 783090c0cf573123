"""A program with the download queue and real children, which tells every change on standard output until it is killed.

``python -m tests.hub.downloading_program HOME HUB [REPO FILE SIZE SHA256]`` queues that file, besides what is queued.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from app.hub.access import NetworkAccess
from app.hub.download import Download, DownloadRequest
from app.hub.model_files import RemoteFile
from app.hub.running_fetch import fetch_download
from tests.hub.queue_parts import Home


def main() -> None:
    folder, hub, *file = sys.argv[1:]
    writing = threading.Lock()

    def tell(download: Download) -> None:
        with writing:
            print(json.dumps({"state": download.state, "done_bytes": download.done_bytes}), flush=True)

    home = Home(Path(folder), fetch_download)
    home.access = NetworkAccess(endpoint=hub)
    home.listener = tell  # type: ignore[assignment]
    queue = home.open()
    if file:
        repo, name, size, sha256 = file
        queue.add(DownloadRequest(repo, "main", name, (RemoteFile(name, int(size), sha256),)))
    threading.Event().wait()


if __name__ == "__main__":
    main()
