"""YAML written back: strings that are language change, in their own style; every other byte stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.segments import Segment, marks
from app.documents.source import TargetLanguage
from tests.helpers.rewriting import reversed_words, run_on, takes_words

DOCUMENT = """\
# top
en:
  a: &x Hello wörld   # cc
  b: 'it''s %{name}'
  c: "x \\u00e4 day"
  d: |  # com
    line one

    - line two
    - another

  # comment after
  e: >-
    folded text that is long
    enough

    and more
  f: [one two, "three four", *x]
  g: multi line
    plain here
  h: !!str 12
  i: yes
  j: 3.5
  k: 2026-01-01
  l: "multi
    line quoted"
  m: !tag some words
  n: {o: inner words, p: ~}
  "quoted key": last words 😀
"""
REVERSED = """\
# top
pt-BR:
  a: &x dlröw olleH   # cc
  b: '}eman{% s''ti'
  c: "yad \\xe4 x"
  d: |  # com
    eno enil

    - owt enil
    - rehtona

  # comment after
  e: >-
    hguone gnol si taht txet
    dedlof

    erom dna
  f: [owt eno, "ruof eerht", *x]
  g: ereh nialp enil itlum
  h: !!str 12
  i: yes
  j: 3.5
  k: 2026-01-01
  l: "detouq enil itlum"
  m: !tag some words
  n: {o: sdrow renni, p: ~}
  "quoted key": 😀 sdrow tsal
"""


def put(tmp_path: Path, text: str, new: str) -> str:
    """A text whose one value becomes another."""
    return run_on("yaml", tmp_path, text, lambda segment: (new,)).text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_strings_change_in_their_style_and_every_other_byte_stays(tmp_path: Path, newline: str) -> None:
    data = DOCUMENT.replace("\n", newline).encode()
    takes_words("yaml", tmp_path, data)
    new = run_on("yaml", tmp_path, data, reversed_words, target=TargetLanguage("pt-BR")).data
    assert new == REVERSED.replace("\n", newline).encode()


WORDS_LIKE_YAML = [
    "a: b", "# c", "a # b", "- a", "yes", "12", "null", "~", "it's", 'a "b"', "*x", "&x", "!x", "@x", "`x", "[x]",
    "{x}", "a, b", "? a", "| a", "> a", "%x", " - ", "a:", ":a", "'", '"', "\\", "a\tb", "2026-01-01", "<<", "=",
    "äöü", "مرحبا", "a\x85b", "a\u2028b", "---", "...", "x" * 500, "1_000", "0x1F", ".inf", "a]b", "#",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["k: some words\n", "k: 'some words'\n", 'k: "some words"\n', "k: [some words, 1]\n", "- some words # c\n",
     "k: {o: some words}\n", "k: |\n  some words\n", "k: >-\n  some words\n", "some words\n", "k: &a some words\n",
     "k: |+\n  some words\n\n\n", "k:\n  some words\n"],
)  # fmt: skip
def test_any_words_are_read_as_they_were_meant(tmp_path: Path, text: str) -> None:
    def only(value: Any) -> Any:
        while isinstance(value, dict | list):
            value = next(iter(value.values() if isinstance(value, dict) else value))
        return value

    old = only(yaml.safe_load(text))
    for new in WORDS_LIKE_YAML:
        found = only(yaml.safe_load(put(tmp_path, text, new)))
        assert isinstance(found, str), new
        assert (
            found == " ".join(new.split(" ")).strip(" ").replace("\t", " ") + old[len(old.rstrip("\n")) :]
            or found.split() == new.split()
        )


def test_a_plain_string_gets_quotes_only_where_it_must(tmp_path: Path) -> None:
    assert put(tmp_path, "k: some words\n", "andere Wörter, und: mehr") == "k: 'andere Wörter, und: mehr'\n"
    assert put(tmp_path, "k: some words\n", "andere Wörter, ja") == "k: andere Wörter, ja\n"
    assert put(tmp_path, "k: [some words]\n", "andere Wörter, ja") == "k: ['andere Wörter, ja']\n"


def test_the_language_at_the_top_becomes_the_target(tmp_path: Path) -> None:
    def renamed(text: str, language: str) -> str:
        return run_on("yaml", tmp_path, text, target=TargetLanguage(language)).text

    assert renamed("en:\n  a: some words\n", "de") == "de:\n  a: some words\n"
    assert renamed('"en-US":\n  a: b c\n', "pt-BR") == '"pt-BR":\n  a: b c\n'
    assert renamed("en_US:\n  a: b c\n", "pt-BR") == "pt_BR:\n  a: b c\n"
    assert renamed("en:\n  a: b c\n", "no") == "'no':\n  a: b c\n"
    for text in ("en: some words\n", "app:\n  a: b c\n", "en:\n  a: b\nde:\n  a: b\n", "- en\n"):
        assert renamed(text, "fr") == text


def test_documents_that_follow_each_other_are_all_read(tmp_path: Path) -> None:
    result = takes_words("yaml", tmp_path, "---\na: some words\n...\n---\n- more words\n--- |\n  last words\n")
    assert [text.split("x ")[-1] for text in result.texts] == ["some words", "more words", "last words"]


def test_no_alias_is_followed(tmp_path: Path) -> None:
    bomb = "a0: &a0 [some words]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert len(takes_words("yaml", tmp_path, bomb).segments) == 1


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000 + "x", "{a: " * 5000])
def test_a_depth_beyond_reason_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        run_on("yaml", tmp_path, text)
    assert caught.value.reason in ("too_deep", "damaged")


@pytest.mark.parametrize(
    "text", ["a: [b", "a: 'b", "a: b: c: d", "\ta: b", "a: *none\n b", "a: |\n b\n\0c", "%YAML 9\n---\na", "&a &b c"]
)
def test_what_is_no_yaml_is_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        run_on("yaml", tmp_path, text)
    assert caught.value.reason == "damaged"


LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
KEYS = st.sampled_from(["one", "two", "three"])
YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(LETTERS, max_size=8) | st.just("some words\nand more"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(YAML, st.sampled_from([None, "'", '"', "|", ">"]), st.sampled_from([False, True, None]), st.integers(20, 80))
def test_any_yaml_comes_back_as_it_was_and_stays_yaml(
    tmp_path: Path, value: Any, style: str | None, flow: bool | None, width: int
) -> None:
    text = yaml.safe_dump(value, default_style=style, default_flow_style=flow, width=width, allow_unicode=True)
    data = text.encode()
    assert run_on("yaml", tmp_path, data).data == data
    count = 0

    def change(segment: Segment) -> tuple[str, ...]:
        nonlocal count
        count += 1
        return (f"Zq: {segment.id} 'x' \"y\" # z",)

    new = run_on("yaml", tmp_path, data, change)
    yaml.safe_load(new.data)
    assert repr(yaml.safe_load(new.data)).count("Zq: ") == count


ADDRESSES = """\
note: |
  Ferry company of the northern islands Ltd
  Harbour Road 24, first floor, to the left
  30-126 Gdansk, on the coast of the Baltic

  Boats leave every morning at six o'clock
  and come back before it is dark again, in winter.
  See <b>both</b> of
  them.
"""


def test_a_literal_keeps_its_lines_and_a_paragraph_in_it_is_one_segment(tmp_path: Path) -> None:
    result = run_on("yaml", tmp_path, ADDRESSES, reversed_words)
    old, new = ADDRESSES.splitlines(), result.text.splitlines()
    assert [len(line) for line in new] == [len(line) for line in old]
    assert new[2] == "  tfel eht ot ,roolf tsrif ,42 daoR ruobraH"
    assert new[7] == "  eeS <b>htob</b> fo"
    assert len(result.segments) < 7, "lines of one sentence are shown together"
    looks = {mark.look for segment in result.segments for mark in marks(segment.content)}
    assert looks == {"break", "bold", ""}


def test_html_in_a_literal_is_shown_as_a_page(tmp_path: Path) -> None:
    text = "body: |\n  <h1>First words</h1>\n  <p>Some <i>other</i> words\n  follow.</p>\n"
    result = run_on("yaml", tmp_path, text, reversed_words)
    assert result.texts == ["First words", "Some other words follow."]
    assert result.text.startswith("body: |\n  <h1>sdrow tsriF</h1>\n  <p>emoS <i>rehto</i> ")
