"""How large files are, in words."""

from __future__ import annotations

import pytest

from app.core.sizes import size_words


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (17_500, "18 kB"), (999_400, "999 kB"), (999_600, "1.0 MB"),
        (5_680_000, "5.7 MB"), (9_960_000, "10 MB"), (144_811_072, "145 MB"), (999_600_000, "1.0 GB"),
        (5.68e9, "5.7 GB"), (1.2e12, "1.2 TB"),
    ],
)  # fmt: skip
def test_sizes_are_short_and_never_less_than_there_is(size_bytes: float, text: str) -> None:
    assert size_words(size_bytes) == text


def test_units_are_in_the_persons_language() -> None:
    assert size_words(2_000_000, {"MB": "Mo"}.__getitem__) == "2.0 Mo"
