"""However many threads there are, glibc frees their memory into few places; each would keep some megabytes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.core.freed_memory import MOST_ARENAS

THREADS = """
import ctypes, sys, threading
from app.core.freed_memory import give_back_memory, limit_arenas
if sys.argv[1] == "limited":
    limit_arenas()
all_there = threading.Barrier(12)
def allocate():
    held = [bytes(10_000) for _ in range(100)]
    all_there.wait()
    all_there.wait()
threads = [threading.Thread(target=allocate) for _ in range(11)]
for thread in threads:
    thread.start()
all_there.wait()
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
out = library.fdopen(1, b"w")
library.malloc_info(0, ctypes.c_void_p(out))
library.fflush(ctypes.c_void_p(out))
all_there.wait()
give_back_memory()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has arenas")
def test_threads_share_few_arenas() -> None:
    def count_arenas(how: str) -> int:
        ended = subprocess.run([sys.executable, "-c", THREADS, how], check=True, capture_output=True, text=True)
        return ended.stdout.count("<heap nr=")

    assert count_arenas("limited") == MOST_ARENAS < count_arenas("as it is")
