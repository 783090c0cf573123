"""Start, memory and search of a home of years: 200 chats of 500 messages and 1,000 documents; a row of JSON each.

``python -m tests.soak.large_home`` on a display. An empty home is started in turns with it.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from app.bootstrap import build_program
from tests.helpers.program import Program, wait_until
from tests.helpers.summaries import paragraphs, store_document
from tests.soak.figures import count_own_bytes

CHATS, MESSAGES, DOCUMENTS, BLOCKS, ROUNDS = 200, 500, 1000, 50, 5
QUERIES = ("harbour", "harbour 77777", "the", "no such words")
VISIBLE = re.compile(r"window visible after (\d+) ms")
SETTLE_S = 4


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="fireside-large-") as name:
        large, empty = Path(name) / "large" / "home", Path(name) / "empty" / "home"
        os.environ["FIRESIDE_HOME"] = str(large)
        _fill_home()
        found: dict[Path, list[tuple[float, ...]]] = {large: [], empty: []}
        for _ in range(ROUNDS):
            for home, figures in found.items():
                figures.append(_start_window(home))
        for home, figures in found.items():
            visible_ms, processor_s, megabytes = (statistics.median(one) for one in zip(*figures, strict=True))
            _tell({"home": home.parent.name, "visible_ms": visible_ms, "processor_s": processor_s, "mb": megabytes})
        _search_home()
    return 0


def _fill_home() -> None:
    app = build_program()
    try:
        with app.database.transaction() as connection:
            connection.executemany(
                "INSERT INTO conversations (id, title, system_prompt, model, created_at, updated_at)"
                " VALUES (?, ?, '', '', ?, ?)",
                [(number, f"Chat {number}", number, number) for number in range(1, CHATS + 1)],
            )
            connection.executemany(
                "INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, created_at, chosen)"
                " VALUES (?, ?, ?, ?, ?, 'complete', '', ?, 1)",
                [_message_row(number) for number in range(1, CHATS * MESSAGES + 1)],
            )
        for number in range(DOCUMENTS):
            store_document(app.documents.store, f"{number}.pdf", *paragraphs(BLOCKS, f"kiln of {number}"))
    finally:
        app.close()


def _message_row(number: int) -> tuple[object, ...]:
    is_first, role = number % MESSAGES == 1, ("assistant", "user")[number % 2]
    text = f"The harbour {number} was dredged, and the {number * 7} boats lay at the quay until the spring tide came."
    return number, 1 + (number - 1) // MESSAGES, None if is_first else number - 1, role, text, number


def _start_window(home: Path) -> tuple[float, float, float]:
    """Return when it was visible in ms, the processor time of its start in s, and its own memory in MB."""
    home.parent.mkdir(parents=True, exist_ok=True)
    program = Program(home, {"FIRESIDE_TIMING": "1"})
    try:
        said = wait_until(lambda: VISIBLE.search(program.stderr()), "the window to be visible")
        ends_s = time.monotonic() + SETTLE_S
        wait_until(lambda: time.monotonic() >= ends_s, "it to settle")
        process = psutil.Process(program.process.pid)
        times = process.cpu_times()
        return float(said[1]), round(times.user + times.system, 2), round(count_own_bytes(process) / 1e6, 1)
    finally:
        program.kill()


def _search_home() -> None:
    app = build_program()
    try:
        for query in QUERIES:
            taken = []
            for _ in range(ROUNDS):
                began_s = time.perf_counter()
                hits = app.finding.search_text(query)
                taken.append(time.perf_counter() - began_s)
            _tell({"search": query, "ms": round(statistics.median(taken) * 1000, 1), "found": bool(hits)})
    finally:
        app.close()


def _tell(figures: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
