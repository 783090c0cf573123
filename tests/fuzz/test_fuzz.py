"""Every parser of foreign bytes on its seeds, on what fuzzing once found, and on the same few thousand changed seeds.

Without a guide by coverage, since instrumenting alone takes longer than this may: `make fuzz` has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.targets import FuzzTarget, targets

FOUND = Path(__file__).parents[1] / "data" / "fuzz"
EDGES = (b"0", b"-1", b"2147483648", b"1e999", b"9" * 400, b"\0", b"\xff\xfe", b"\r", b"\xe2\x80\xae", b"[" * 3000)


def changed(target: FuzzTarget, count: int) -> Iterator[bytes]:
    """Seeds with parts cut out, doubled, swapped, or replaced by words of other seeds; always the same ones."""
    random, seeds = Random(target.name), list(target.seeds())
    words = sorted({word for seed in seeds for word in re.findall(rb"[\w:@<{\[\\]{2,24}", seed)}) or [b"x"]
    for _ in range(count):
        data = random.choice(seeds)
        for _ in range(random.choice((1, 1, 2, 4))):
            start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
            end = min(end, start + random.choice((1, 4, 40, 400)))
            part = random.choice(
                (b"", data[start:end] * 2, random.choice(words), random.choice(EDGES), random.randbytes(3))
            )
            other = random.choice(seeds)
            part = random.choice((part, part, part, other[random.randint(0, len(other)) :]))
            data = data[:start] + part + data[end:]
        yield data


@pytest.mark.parametrize("name", targets())
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    target = targets()[name]
    for data in (*target.seeds(), *(file.read_bytes() for file in sorted((FOUND / name).glob("*")))):
        target.parse(data)
    for data in changed(target, 2 * target.runs):
        try:
            target.parse(data)
        except Exception as error:
            raise AssertionError(f"{data[:20_000]!r}") from error
