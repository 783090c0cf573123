"""From a question to the first rows of a search, a repository's files and a memory estimate, on a Hub on loopback."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import span
from run import Row

from app.core.paths import starter_model
from app.engine.fit import MemoryRoom
from app.features.models.estimate import estimate_fit
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_search import HubQuery, HubSearch
from app.hub.network import Network
from tests.helpers.fake_hub import COMMIT, FakeHub

ROUNDS = 21
REPOSITORIES = 200
MOST_ROWS_MS = 300
ROOM = MemoryRoom(8 * 10**9, 16 * 10**9)


def rows() -> Iterator[Row]:
    """All numbers of this part. The debounce of the search box is not in them."""
    starter = starter_model()
    assert starter is not None
    size = starter.stat().st_size
    with FakeHub() as fake, tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        for number in range(REPOSITORIES):
            facts = {"total": 10**9, "architecture": "llama", "context_length": 8192, "chat_template": "x" * 20_000}
            fake.add(f"org/model-{number}", {}, downloads=number, gguf=facts)
        fake.add("org/starter", {"model-Q8_0.gguf": starter, "README.md": b"# A model\n" * 500})

        def fresh() -> HubSearch:
            return HubSearch(
                Network(lambda: NetworkAccess(endpoint=fake.url), ConnectionLedger(Path(scratch) / "connections.jsonl"))
            )

        began_s = time.monotonic()
        fresh().search(HubQuery("model"))
        first_ms = (time.monotonic() - began_s) * 1000
        yield Row("search_first_of_all", round(first_ms, 1), "ms", spread="the library is imported, once a process")
        yield measured("search_to_first_rows", lambda: fresh().search(HubQuery("model")), MOST_ROWS_MS)
        yield measured("repository_with_its_files", lambda: fresh().read_repository("org/starter"))
        yield measured(
            "estimate_from_64_kib",
            lambda: estimate_fit(fresh().read_beginning("org/starter", COMMIT, "model-Q8_0.gguf"), size, ROOM),
        )


def measured(name: str, do: Callable[[], object], most_ms: float | None = None) -> Row:
    """The median of several rounds."""
    taken_ms = []
    for _ in range(ROUNDS):
        began_s = time.monotonic()
        do()
        taken_ms.append((time.monotonic() - began_s) * 1000)
    spread = f"{span(taken_ms)}, {ROUNDS} rounds"
    return Row(name, round(statistics.median(taken_ms), 1), "ms", most_ms, spread, at_most=1.0 if most_ms else None)
