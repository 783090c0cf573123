"""Names and texts from outside: nothing in them acts where they are shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.visible import visible_name, visible_text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("Größe Ωμέγα 文書 תשלום.pdf", "Größe Ωμέγα 文書 תשלום.pdf"),
        ("family 👩\u200d👧.png", "family 👩\u200d👧.png"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("one\r\ntwo\u2028three.txt", r"one\r\ntwo\u2028three.txt"),
        ("\x1b]52;c;ZXZpbA==\x07.txt", r"\x1b]52;c;ZXZpbA==\x07.txt"),
        ("a\x9b31mred.txt", r"a\x9b31mred.txt"),
        ("caf\udce9.txt", "caf\ufffd.txt"),
    ],
)
def test_a_name_shows_what_would_act_in_it(name: str, shown: str) -> None:
    assert visible_name(name) == shown


def test_a_text_keeps_its_lines_and_its_directions_but_letters_are_not_turned_around() -> None:
    shown = "one\n\ttwo\\x1b[2J\\r\\u202eabc\u202c\u2067\\x9b"
    assert visible_text("one\n\ttwo\x1b[2J\r\u202eabc\u202c\u2067\x9b") == shown


@given(st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Ll"))))
def test_no_control_and_no_surrogate_is_left(text: str) -> None:
    assert not {unicodedata.category(each) for each in visible_name(text)} & {"Cc", "Cs", "Zl", "Zp"}
    assert {each for each in visible_text(text) if unicodedata.category(each) in ("Cc", "Cs")} <= {"\n", "\t"}
