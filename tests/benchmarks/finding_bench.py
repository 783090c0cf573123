"""Words in 100,000 messages of 2,000 chats: from a query to its hits with snippets, against a scan of the texts."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from comparing import progress, span
from run import Row

from app.features.finding import HistorySearch
from app.store.database import Database

MESSAGES, CHATS = 100_000, 2_000
WORDS, WORDS_A_MESSAGE = 30_000, (8, 40, 120)
COMMON = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "is",
    "it",
    "you",
    "that",
    "he",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "I",
    "his",
    "they",
]
EVERY_20TH = "".join(chr(0x4E00 + number) for number in range(2_000))
"""What a message in a script without spaces is made of."""
MOST_MS = 50
ROUNDS = 9


def rows() -> Iterator[Row]:
    """Each query through all of the feature; the scan is what finds the same without an index, and shows nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder,
        closing(Database.open(Path(folder) / "fireside.db")) as database,
    ):
        progress(f"{MESSAGES:,} messages")
        rare, ending = _fill(database)
        finding, slowest = HistorySearch(database), 0.0
        for name, query in (
            ("a rare word", rare),
            ("its first letters", rare[:4]),
            ("a common word and a rare one", f"the {rare}"),
            ("the most common word", "the"),
            ("two letters that many words begin with", "th"),
            ("a single letter", "t"),
            ("three common words", "he was on"),
            ("nothing that is there", "qqqq"),
        ):
            row = _held(name, finding, database, query)
            slowest = max(slowest, row.value)
            yield row
        yield Row("find: the slowest of these", slowest, "ms", MOST_MS, at_most=1.0)
        yield _held("two signs of a script without spaces", finding, database, EVERY_20TH[:2])
        yield _held("the same, and nothing is found", finding, database, ending)


def _held(name: str, finding: HistorySearch, database: Database, query: str) -> Row:
    found, scanned = [], []
    for _ in range(ROUNDS):
        found.append(_ms(lambda: finding.search_text(query)))
        scanned.append(_ms(lambda: _scan(database, query)))
    ratios = tuple(one / other for one, other in zip(found, scanned, strict=True))
    baseline = round(statistics.median(scanned), 1)
    return Row(f"find: {name}", round(statistics.median(found), 1), "ms", baseline, span(found), ratios)


def _scan(database: Database, query: str) -> None:
    tests = " AND ".join(["text LIKE ?"] * len(query.split()))
    with database.reading() as connection:
        connection.execute(
            f"SELECT id, text FROM messages WHERE {tests} ORDER BY id DESC LIMIT 50",
            [f"%{word}%" for word in query.split()],
        ).fetchall()


def _ms(do: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    do()
    return (time.perf_counter() - began_s) * 1000


def _fill(database: Database) -> tuple[str, str]:
    """Words as often as words are (Zipf); returns a rare word, and two signs that stand together nowhere."""
    chance = random.Random(7)
    syllables = [one + other for one in "bcdfglmnprst" for other in "aeiou"]
    words = COMMON + ["".join(chance.choices(syllables, k=chance.randint(2, 5))) for _ in range(WORDS)]
    weights = [1 / (number + 1) for number in range(len(words))]
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO conversations (id, title, system_prompt, model, created_at, updated_at)"
            " VALUES (?, ?, '', '', ?, ?)",
            [(n + 1, " ".join(chance.choices(words, weights, k=4)), n, n) for n in range(CHATS)],
        )
        a_chat = MESSAGES // CHATS
        connection.executemany(
            "INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, created_at, chosen)"
            " VALUES (?, ?, ?, ?, ?, 'complete', '', ?, 1)",
            (
                (
                    n + 1,
                    n // a_chat + 1,
                    n if n % a_chat else None,
                    ("user", "assistant")[n % 2],
                    "".join(chance.choices(EVERY_20TH, k=100))
                    if n % 20 == 0
                    else " ".join(chance.choices(words, weights, k=chance.choice(WORDS_A_MESSAGE))),
                    float(n),
                )
                for n in range(MESSAGES)
            ),
        )
    return words[20_000], "\u9f00\u9f01"
