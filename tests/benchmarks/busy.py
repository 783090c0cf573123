"""Other programs that want a core: processes that count, for as long as a measurement needs them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

# It looks for its parent now and then, so that it never outlives a measurement that was killed.
SPIN = """
import os
parent = os.getppid()
print(flush=True)
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """`count` processes are busy within; each has begun when the block begins and is gone when it ends."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", SPIN], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        for process in spinning:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in spinning:
            process.kill()
        for process in spinning:
            process.communicate()


def beside(count: int) -> str:
    """How a row says it."""
    return f"beside {count} busy process{'' if count == 1 else 'es'}"
