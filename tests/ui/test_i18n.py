"""Texts go through one door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue
from app.ui.i18n import breakable, tr


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    use_catalogue(TextCatalogue())


def test_without_a_catalogue_the_text_is_the_text() -> None:
    assert tr("Open folder") == "Open folder"


def test_values_are_filled_in() -> None:
    assert tr("{size} GB", size="2.7") == "2.7 GB"


def test_a_name_from_outside_is_safe_to_show() -> None:
    assert tr("Saved as {name}", name="a\u202eb\nc") == r"Saved as a\u202eb\nc"
    assert tr("{words}", words="two\nlines") == "two\nlines"


def test_braces_in_a_text_without_values_stay() -> None:
    assert tr("{not a field}") == "{not a field}"


def test_a_catalogue_translates_and_keeps_the_fields() -> None:
    use_catalogue(TextCatalogue("de", {"loading {percent} %": ("lädt, {percent} %",)}))
    assert tr("loading {percent} %", percent=42) == "lädt, 42 %"
    assert tr("ready") == "ready"


def test_long_paths_may_break_and_read_the_same() -> None:
    text = breakable("may not write to /home/ada/data or C:\\data\\x")
    assert "\u200b" in text
    assert text.replace("\u200b", "") == "may not write to /home/ada/data or C:\\data\\x"
    assert breakable("either / or") == "either / or"
