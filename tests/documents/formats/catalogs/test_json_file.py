"""JSON written back: strings that are language change, every other byte stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.catalogs.icu_messages import forms, is_choice
from app.documents.formats.catalogs.values import is_prose
from app.documents.segments import Mark, Segment
from app.documents.source import TargetLanguage
from tests.helpers.rewriting import reversed_words, run, run_on, takes_words

DOCUMENT = r"""
{
  "title": "Hello \u00e4 world",   // a comment with "quotes"
  "list": ["one two", 3, true, null, -1.5e3, "btn_x", "#fff", "https://x"], /* more */
  "deep": {"er": [{"text": "Some words"}]},
  "h": "Click <b>here</b>\nnow",
  "p": "a\/b c",
  "empty": "", "space": "  ", "esc": "tab\there \"quoted\"",
}
""".lstrip()
REVERSED = r"""
{
  "title": "dlrow \u00e4 olleH",   // a comment with "quotes"
  "list": ["owt eno", 3, true, null, -1.5e3, "btn_x", "#fff", "https://x"], /* more */
  "deep": {"er": [{"text": "sdrow emoS"}]},
  "h": "kcilC <b>ereh</b>\nwon",
  "p": "c b\/a",
  "empty": "", "space": "  ", "esc": "\"detouq\" ereh\tbat",
}
""".lstrip()


def put(tmp_path: Path, text: str, **new: str) -> str:
    """A text whose values with these contexts become others."""

    def change(segment: Segment) -> tuple[str, ...] | None:
        return (new[segment.context],) if segment.context in new else None

    return run_on("json", tmp_path, text, change).text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_strings_change_and_every_other_byte_stays(tmp_path: Path, newline: str, encoding: str) -> None:
    data = DOCUMENT.replace("\n", newline).encode(encoding)
    takes_words("json", tmp_path, data)
    assert run_on("json", tmp_path, data, reversed_words).data == REVERSED.replace("\n", newline).encode(encoding)


def test_tags_are_marks(tmp_path: Path) -> None:
    (segment,) = run_on("json", tmp_path, '{"a": "Go <a href=\\"x\\">there</a><br/> or < 3"}').segments
    assert segment.content == (
        "Go ", Mark("open", 1, "link"), "there", Mark("close", 1), Mark("single", 2, "break"), " or < 3",
    )  # fmt: skip


def test_letters_are_escaped_as_the_file_does(tmp_path: Path) -> None:
    assert put(tmp_path, '{"a": "some words"}', a="größer 😀") == '{"a": "größer 😀"}'
    assert put(tmp_path, '{"a": "some w\\u00f6rds"}', a="größer 😀") == '{"a": "gr\\u00f6\\u00dfer \\ud83d\\ude00"}'
    assert put(tmp_path, '{"a": "w\\u003eö b"}', a="x > ö") == '{"a": "x \\u003e ö"}'
    assert put(tmp_path, '{"a": "some words"}', a='a "b" \\ c') == '{"a": "a \\"b\\" \\\\ c"}'


def test_a_plural_is_translated_form_by_form(tmp_path: Path) -> None:
    text = '{"n": "{count, plural, offset:1 =0 {no items} one {# item} other {# items of {name}}}"}'
    result = run_on("json", tmp_path, text, reversed_words)
    assert [(segment.text, segment.context) for segment in result.segments] == [
        ("no items", "n (=0)"), ("# item", "n (one)"), ("# items of {name}", "n (other)"),
    ]  # fmt: skip
    assert "{smeti on} one {meti #} other {" in result.text


def test_a_plural_inside_a_sentence_has_its_syntax_as_marks(tmp_path: Path) -> None:
    text = '{"n": "You have {count, plural, one {# item} other {# items}} left"}'
    (segment,) = run_on("json", tmp_path, text).segments
    one, two, three = [part for part in segment.content if isinstance(part, Mark)]
    assert one.shows == "{count, plural, one {"
    done = run_on("json", tmp_path, text, lambda segment: ("Noch ", one, "# Ding", two, "# Dinge", three, " da"))
    assert done.text == '{"n": "Noch {count, plural, one {# Ding} other {# Dinge}} da"}'
    moved = run_on("json", tmp_path, text, lambda segment: ("Noch ", two, "# Ding", one, "# Dinge", three, " da"))
    assert moved.text == text
    assert [(remark.name, remark.values) for remark in moved.remarks] == [("left_values", {"count": 1})]


def test_nested_plurals_are_left_and_told(tmp_path: Path) -> None:
    text = '{"n": "{a, plural, one {x {b, select, m {he} other {they}}} other {words}}"}'
    result = run_on("json", tmp_path, text, reversed_words)
    assert (result.text, result.segments) == (text, [])
    assert [(remark.name, remark.values) for remark in result.remarks] == [("left_values", {"count": 1})]


def test_braces_between_apostrophes_are_no_syntax() -> None:
    message = "{n, plural, one {a '{' b} other {c}}"
    found = forms(message)
    assert found is not None
    assert [message[form.start : form.end] for form in found] == ["a '{' b", "c"]
    assert forms("{n, plural, one {a '{ b} other {c}}") is None
    assert not is_choice("{name} and {count, number}")


def test_what_is_about_messages_is_left(tmp_path: Path) -> None:
    path = tmp_path / "app_en.arb"
    path.write_text('{"@@locale": "en", "hi": "Hello you", "@hi": {"description": "A greeting here"}}')
    result = run("json", path, reversed_words, TargetLanguage("pt-BR"))
    assert result.text == '{"@@locale": "pt-BR", "hi": "uoy olleH", "@hi": {"description": "A greeting here"}}'
    text = '{"k": {"message": "Hi you", "description": "for whom", "placeholders": {"x": {"content": "some words"}}}}'
    (segment,) = run_on("json", tmp_path, text).segments
    assert (segment.text, segment.context) == ("Hi you", "k.message\nfor whom")


def test_the_language_at_the_top_becomes_the_target(tmp_path: Path) -> None:
    assert (
        run_on("json", tmp_path, '{"en": {"a": "some words"}}', target=TargetLanguage("de")).text
        == '{"de": {"a": "some words"}}'
    )
    assert (
        run_on("json", tmp_path, '{"en_US": {"a": "b c"}}', target=TargetLanguage("pt-BR")).text
        == '{"pt_BR": {"a": "b c"}}'
    )
    for text in ('{"en": "some words"}', '{"app": {"a": "b c"}}', '{"en": {}, "de": {}}'):
        assert run_on("json", tmp_path, text, target=TargetLanguage("fr")).text == text
    assert run_on("json", tmp_path, '{"en": {"a": "some words"}}').text == '{"en": {"a": "some words"}}'


@pytest.mark.parametrize(
    "value",
    [
        "#ff00aa", "rgb(1, 2, 3)", "https://x.y/z", "a@b.cd", "/usr/bin", "./a/b.png", "image.png", "2026-11-25",
        "2026-11-25T10:00:00Z", "btn_primary", "btnPrimary", "v1.2.3", "en-US", "text/html", "{{count}}", "%s", "{0}",
        "123", "", "$t(key)", "YYYY-MM-DD", "dd.MM.yyyy HH:mm", "0b1c2d3e4f50617283", "C:\\dir", "src/app/main",
        "my-css-class", "<br>", "&nbsp;", "-", "SELECT a FROM b",
    ],
)  # fmt: skip
def test_what_is_for_programs_is_no_language(value: str) -> None:
    assert not is_prose(value)


@pytest.mark.parametrize(
    "value",
    ["Save", "OK", "save", "Hello, {{name}}!", "%d files", "Öffnen", "保存", "Yes/No", "E-mail", "Are you sure?", "I",
     "Don't", "12 items", "see https://x.y for more", "Save…", "<b>Bold</b>", "wi-fi", "Step {n}"],
)  # fmt: skip
def test_what_people_read_is_language(value: str) -> None:
    assert is_prose(value)


def test_a_key_tells_what_a_word_is_for() -> None:
    assert not is_prose("primary", "type")
    assert is_prose("primary reasons", "type")
    assert not is_prose("echo some words", "run")
    assert is_prose("primary", "label")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", '{"a": "words here', '{"a" "b c"}', '["a b" "c d"]', "[1,,2]", '{"a": }', "nope", '{"a": "b c"}}',
        '{"a": "bad \\x escape"}', '{"a": "line\nbreak"}', "[1] [2]", '{1: "a b"}', "]", '{"a": "b c",, }', "/* open",
    ],
)  # fmt: skip
def test_what_is_no_json_is_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        run_on("json", tmp_path, text)
    assert caught.value.reason == "damaged"


def test_a_depth_beyond_reason_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        run_on("json", tmp_path, "[" * 100_000)
    assert caught.value.reason == "too_deep"


def test_a_lone_half_of_a_letter_stays(tmp_path: Path) -> None:
    text = '{"a": "bad \\ud800 half", "b": "some words"}'
    assert put(tmp_path, text, b="neu") == text.replace("some words", "neu")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("some words"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_any_json_comes_back_as_it_was_and_stays_json(
    tmp_path: Path, value: Any, is_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    data = text.encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return
    assert run_on("json", tmp_path, data).data == data
    new = run_on("json", tmp_path, data, lambda segment: ('x "y" \\ ä',))
    assert json.dumps(json.loads(new.data), ensure_ascii=False).count('x \\"y\\" \\\\ ä') >= len(new.segments)


def test_values_on_lines_of_their_own_are_all_taken(tmp_path: Path) -> None:
    text = '{"a": "One thing"}\n{"a": "Two things"}\n'
    new = run_on("json", tmp_path, text.encode(), lambda segment: (segment.text.upper(),))
    assert new.data.decode() == text.replace("One thing", "ONE THING").replace("Two things", "TWO THINGS")
    with pytest.raises(DocumentUnreadable):
        run_on("json", tmp_path, b'{"a": "One thing"} {"a": "Two things"}')


@pytest.mark.parametrize("key", ["html", "body_html", "bodyHtml", "rendered"])
def test_html_in_a_value_is_shown_as_a_page(tmp_path: Path, key: str) -> None:
    html = r"<h1 id=\"a\">First words<\/h1>\n<script>var w = 'left';<\/script><p>A &amp; <b>big<\/b> word<br>more<\/p>"
    text = f'{{"{key}": "{html}", "n": 1}}\n'
    result = run_on("json", tmp_path, text, reversed_words)
    assert [" ".join(each.split()) for each in result.texts] == ["First words", "A & big wordmore"]
    assert {segment.context for segment in result.segments} == {key}
    new = json.loads(result.text)[key]
    assert new.startswith("<h1 id=\"a\">sdrow tsriF</h1>\n<script>var w = 'left';</script><p>")
    assert "<b>gib</b>" in new
    assert "&amp;" in new


def test_a_name_of_a_file_under_the_key_html_stays(tmp_path: Path) -> None:
    assert run_on("json", tmp_path, '{"html": "index.html"}').segments == []


def test_a_rare_character_makes_it_no_other_encoding(tmp_path: Path) -> None:
    text = '{"\x7f": "Wörter und mehr"}'
    assert run_on("json", tmp_path, text).texts == ["Wörter und mehr"]
    assert run_on("json", tmp_path, '{"\x7f": null}').texts == []
