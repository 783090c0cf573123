"""Stretches that a model wrote: what is edited leaves, what stands behind moves along; places in any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.write.page_document import Ranges, after_edit, places_of, range_at, units_of, with_run

TEXTS = st.text(alphabet=st.sampled_from("aä漢\U0001f600\n"), max_size=40)


@pytest.mark.parametrize(
    ("position", "removed", "added", "kept"),
    [
        (0, 0, 2, ((12, 22), (32, 42))),
        (10, 0, 2, ((12, 22), (32, 42))),
        (20, 0, 2, ((10, 20), (32, 42))),
        (15, 0, 1, ((31, 41),)),
        (19, 1, 0, ((29, 39),)),
        (20, 10, 0, ((10, 20), (20, 30))),
        (5, 6, 0, ((24, 34),)),
        (15, 20, 0, ()),
        (40, 0, 5, ((10, 20), (30, 40))),
    ],
)
def test_only_what_is_edited_inside_loses_its_mark(position: int, removed: int, added: int, kept: Ranges) -> None:
    assert after_edit(((10, 20), (30, 40)), position, removed, added) == kept


def test_a_run_is_added_in_its_place_and_found_again() -> None:
    ranges = with_run(((10, 20),), 4, 8)
    assert ranges == ((4, 8), (10, 20))
    assert with_run(ranges, 5, 5) == ranges
    assert [range_at(ranges, place) for place in (3, 4, 8, 19, 20)] == [None, (4, 8), None, (10, 20), None]


@given(TEXTS, st.data())
def test_places_come_back_whatever_the_text(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    units = units_of(text, places)
    assert [len(text[:place].encode("utf-16-le")) // 2 for place in places] == units
    assert places_of(text, units) == places
