"""Names, texts and sizes as they are kept and shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.visible import (
    NEUTRAL,
    ByteSize,
    clean_text,
    has_directions,
    reveal_directions,
    settle_directions,
    size_words,
    visible_line,
    visible_name,
    visible_text,
)

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("a\0b\0", "ab"),
        ("\ud800", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("\ud83dx", "\ufffdx"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\udd25", "🔥"),
        ("\ufeffstart", "\ufeffstart"),
        ("مرحبا \u202e עברית", "مرحبا \u202e עברית"),
        ("👩\u200d👩\u200d👧 e\u0301\r\n\t", "👩\u200d👩\u200d👧 e\u0301\r\n\t"),
    ],
)
def test_only_what_cannot_be_stored_changes(text: str, kept: str) -> None:
    assert clean_text(text) == kept


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


@given(st.text().filter(lambda text: "\0" not in text))
def test_text_without_halves_and_nul_is_never_touched(text: str) -> None:
    assert clean_text(text) == text


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
        ("a\u3164b\u115f\u1160\uffa0", r"a\u3164b\u115f\u1160\uffa0"),
        ("a\u2800b\u00ad\u034f\u17b4\U0001d159\u206a", r"a\u2800b\xad\u034f\u17b4\U0001d159\u206a"),
        (
            "한글 파일 ⠓⠊ \u0dc1\u0dca\u200d\u0dbb 葛\U000e0100 ❤\ufe0f.pdf",
            "한글 파일 ⠓⠊ \u0dc1\u0dca\u200d\u0dbb 葛\U000e0100 ❤\ufe0f.pdf",
        ),
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
    assert f"{ByteSize(size_bytes)}" == text


def test_units_are_in_the_persons_language() -> None:
    assert size_words(2_000_000, {"MB": "Mo"}.__getitem__) == "2.0 Mo"


N = NEUTRAL
LRE, RLE, PDF, LRO, RLO = "\u202a", "\u202b", "\u202c", "\u202d", "\u202e"
LRI, RLI, FSI, PDI = "\u2066", "\u2067", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("مرحبا بالعالم 12 abc", "مرحبا بالعالم 12 abc"),
        ("שלום\u200f! a\u200eb", "שלום\u200f! a\u200eb"),  # marks of one place are what such texts need
        (f"a {RLI}שלום{PDI} b {FSI}x{PDI}", f"a {RLI}שלום{PDI} b {FSI}x{PDI}"),
        (f"a {RLE}שלום{PDF} b", f"a {RLE}שלום{PDF} b"),
        (f"invoice{RLO}fdp.exe", f"invoice{N}fdp.exe"),
        (f"{RLO}abc{PDF} d", f"{N}abc{N} d"),
        (f"{LRO}abc", f"{N}abc"),
        (f"a {RLI}b", f"a {N}b"),
        (f"a {RLE}b {LRI}c{PDI}", f"a {N}b {LRI}c{PDI}"),
        (f"{RLI}a {LRE}b{PDI} c", f"{RLI}a {LRE}b{PDI} c"),
        (f"{LRI}a{PDF}b{PDI}", f"{LRI}a{N}b{PDI}"),
        (f"a{PDI}b{PDF}c", f"a{N}b{N}c"),
    ],
)
def test_marks_of_direction_end_where_the_text_ends(text: str, shown: str) -> None:
    assert settle_directions(text) == shown


@given(st.text(alphabet=f"a א{LRE}{RLE}{PDF}{LRO}{RLO}{LRI}{RLI}{FSI}{PDI}"))
def test_a_settled_text_is_as_long_and_settled(text: str) -> None:
    shown = settle_directions(text)
    assert len(shown) == len(text) and settle_directions(shown) == shown
    assert RLO not in shown and LRO not in shown
    assert shown.count(PDI) == sum(map(shown.count, (LRI, RLI, FSI)))
    assert not has_directions(reveal_directions(text)) and len(reveal_directions(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A plain title", "A plain title"),
        ("one\r\ntwo\tthree\u2028four", "one two three four"),
        (f"a{RLO}b \x1b[2J", r"a\u202eb \x1b[2J"),
        (f"a {RLI}שלום{PDI} b {LRI}c", f"a {RLI}שלום{PDI} b {N}c"),
    ],
)
def test_a_title_is_one_line_whose_directions_end_with_it(text: str, shown: str) -> None:
    assert visible_line(text) == shown
