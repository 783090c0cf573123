"""Messages of programs as content: tags and line breaks are marks, and what is written back is the message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.documents.formats.catalogs.values import tagged
from app.documents.segments import Mark, content_of, marks, nests


def test_tags_that_nest_are_pairs_and_others_text() -> None:
    found = tagged("Go <b>to <a href='x'>it</a></b> <file> </i> 1 < 2<br>", has_breaks=True)
    assert [(mark.role, mark.number, mark.look) for mark in marks(found.content)] == [
        ("open", 1, "bold"), ("open", 2, "link"), ("close", 2, ""), ("close", 1, ""), ("single", 3, "break"),
    ]  # fmt: skip
    assert " <file> </i> 1 < 2" in found.content


def test_a_line_feed_is_a_mark_where_it_must_stay() -> None:
    assert tagged("a\nb", has_breaks=True).content == ("a", Mark("single", 1, "break"), "b")
    assert tagged("a\nb").content == ("a\nb",)


@given(
    st.lists(
        st.sampled_from(["<b>", "</b>", "<i>", "</i>", "<br/>", "<x y>", "</", ">", "<", "a", "\n"]), max_size=12
    ).map("".join)
)
def test_any_message_is_written_back_as_it_was(message: str) -> None:
    found = tagged(message, has_breaks=True)
    assert found.text_of(found.content) == message
    assert nests(found.content)
    assert content_of(found.content) == found.content
