"""Changes a lock and kills itself after a number of steps: `locking_program set|remove|change STEPS`.

The steps of another passphrase are the calls that reach the disk.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from app.core import synced_files
from app.core.paths import AppPaths
from app.features.lock import lock_change
from app.store import lock_file

PASSPHRASE, OTHER_PASSPHRASE, FAST_ROUNDS = "correct horse", "battery staple", 1000


def main() -> None:
    lock_file.ROUNDS = FAST_ROUNDS
    what, steps = sys.argv[1], int(sys.argv[2])
    if what == "change":
        change_until(steps)
        return
    change = {"set": lock_change.set_lock, "remove": lock_change.remove_lock}[what]
    done = list(islice(change(AppPaths.from_environment(), PASSPHRASE), steps))
    if len(done) == steps:
        os.kill(os.getpid(), signal.SIGKILL)


def change_until(steps: int) -> None:
    """Replace the passphrase, killed before the last of some steps."""
    done = 0

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            nonlocal done
            done += 1
            if done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*given)

        return run

    synced_files.sync_file, synced_files.sync_folder = map(counted, (synced_files.sync_file, synced_files.sync_folder))
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]
    lock_change.change_passphrase(AppPaths.from_environment(), PASSPHRASE, OTHER_PASSPHRASE)


if __name__ == "__main__":
    main()
