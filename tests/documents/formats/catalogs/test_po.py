"""Catalogues of messages written back: msgstr gets the translation, comments and references stay."""

from __future__ import annotations

import gettext
import shutil
import subprocess
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.catalogs.po_entries import entries, plurals_of, strings
from app.documents.segments import Content, Mark, Segment, SegmentKind
from app.documents.source import TargetLanguage
from tests.helpers.rewriting import reversed_words, run_on

CATALOGUE = """\
# A comment
#, fuzzy
msgid ""
msgstr ""
"Project-Id-Version: x\\n"
"Language: \\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=CHARSET\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"

#. said in the menu
#: a.c:1 b.c:2
msgid "Hello <b>you</b>\\n"
msgstr ""

#, fuzzy, c-format
#| msgid "old"
msgctxt "window"
msgid ""
"Long text with %s and more words that go on and on for ever and \\"ever\\"\\n"
"second line"
msgstr "alt"

#, c-format
msgid "One file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid "Known"
msgstr "Bekannt"

#~ msgid "obsolete"
#~ msgstr "obsolete"
"""
RUSSIAN = """\
# A comment
msgid ""
msgstr ""
"Project-Id-Version: x\\n"
"Language: ru\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && "
"n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;\\n"

#. said in the menu
#: a.c:1 b.c:2
msgid "Hello <b>you</b>\\n"
msgstr "olleH <b>uoy</b>\\n"

#, c-format
msgctxt "window"
msgid ""
"Long text with %s and more words that go on and on for ever and \\"ever\\"\\n"
"second line"
msgstr ""
"\\"reve\\" dna reve rof no dna no og taht sdrow erom dna s% htiw txet gnoL\\n"
"enil dnoces"

#, c-format
msgid "One file"
msgid_plural "%d files"
msgstr[0] "elif enO"
msgstr[1] "selif d%"
msgstr[2] "selif d%"

msgid "Known"
msgstr "nwonK"

#~ msgid "obsolete"
#~ msgstr "obsolete"
"""


def put(tmp_path: Path, text: str, new: Content, language: str = "de") -> str:
    """A catalogue whose messages all become this."""
    return run_on("po", tmp_path, text, lambda segment: new, target=TargetLanguage(language)).text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_catalogue_without_translations_comes_back_as_it_was(tmp_path: Path, newline: str) -> None:
    data = CATALOGUE.replace("\n", newline).encode()
    assert run_on("po", tmp_path, data).data == data


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_messages_get_their_translation_and_all_else_stays(tmp_path: Path, newline: str) -> None:
    data = CATALOGUE.replace("\n", newline).encode()
    result = run_on("po", tmp_path, data, reversed_words, target=TargetLanguage("ru"))
    assert result.data == RUSSIAN.replace("\n", newline).encode()


def test_a_message_has_its_context_its_marks_and_what_is_there_of_its_translation(tmp_path: Path) -> None:
    segments = run_on("po", tmp_path, CATALOGUE).segments
    hello, long, one, many, known = segments
    assert {segment.kind for segment in segments} == {SegmentKind.MESSAGE}
    assert hello.content == (
        "Hello ", Mark("open", 1, "bold"), "you", Mark("close", 1), Mark("single", 2, "break"),
    )  # fmt: skip
    assert (hello.context, long.context) == ("said in the menu", "window")
    assert long.translated == ()  # a guess is none
    assert (one.text, many.text) == ("One file", "%d files")
    assert known.translated == ("Bekannt",)


def test_a_translation_that_is_there_stays_where_none_comes(tmp_path: Path) -> None:
    new = run_on("po", tmp_path, CATALOGUE, target=TargetLanguage("ru")).text
    assert '#, fuzzy, c-format\n#| msgid "old"\n' in new
    assert 'msgstr "Bekannt"' in new
    assert 'msgstr[1] ""\nmsgstr[2] ""\n' in new


def test_the_header_says_the_language(tmp_path: Path) -> None:
    new = run_on("po", tmp_path, CATALOGUE, target=TargetLanguage("pt-BR")).text
    assert '"Language: pt_BR\\n"' in new
    assert '"Plural-Forms: nplurals=2; plural=n > 1;\\n"' in new
    without = 'msgid ""\nmsgstr "A: b\\n"\n\nmsgid "some"\nmsgstr ""\n'
    assert run_on("po", tmp_path, without, target=TargetLanguage("de")).text == (
        'msgid ""\nmsgstr ""\n"A: b\\n"\n"Language: de\\n"\n\nmsgid "some"\nmsgstr ""\n'
    )


def test_a_rule_that_says_the_same_stays_as_it_is_written(tmp_path: Path) -> None:
    text = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    assert run_on("po", tmp_path, text, target=TargetLanguage("de")).text == text


def test_a_language_without_plurals_has_one_form(tmp_path: Path) -> None:
    new = run_on("po", tmp_path, CATALOGUE, reversed_words, target=TargetLanguage("ja")).text
    assert 'msgid_plural "%d files"\nmsgstr[0] "selif d%"\n\n' in new


def test_arabic_has_the_singular_second(tmp_path: Path) -> None:
    new = run_on("po", tmp_path, CATALOGUE, reversed_words, target=TargetLanguage("ar")).text
    forms = [line.partition(" ")[2] for line in new.splitlines() if line.startswith("msgstr[")]
    assert forms == ['"selif d%"', '"elif enO"', *['"selif d%"'] * 4]


@pytest.mark.parametrize(
    "text", ['a "quoted" \\ word', "tab\there", "two\nlines", "ends\n", "ünï 中文", "%s {x}", "x " * 100]
)
def test_any_translation_is_read_as_it_was_meant(tmp_path: Path, text: str) -> None:
    new = put(
        tmp_path,
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "some words"\nmsgstr ""\n',
        (text,),
    )
    found = list(entries(new, ""))[1]
    assert found.value("msgstr") == text
    assert max(len(line) for line in new.splitlines()) <= 79


def test_an_encoding_that_the_header_names_holds_until_letters_are_missing(tmp_path: Path) -> None:
    text = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=ISO-8859-2\\n"\n\nmsgid "words"\nmsgstr "źle"\n'
    data = text.encode("iso8859-2")
    assert run_on("po", tmp_path, data, lambda segment: ("łódź",)).data == text.replace("źle", "łódź").encode(
        "iso8859-2"
    )
    new = run_on("po", tmp_path, data, lambda segment: ("дом",)).text
    assert new == text.replace("źle", "дом").replace("ISO-8859-2", "UTF-8")


@pytest.mark.parametrize(
    "text",
    [
        'msgid "a\nmsgstr ""\n',
        'msgid "a" b\nmsgstr ""\n',
        '"a"\n',
        "words\n",
        'msgid "a"\nwords\n',
        'msgid "a\\"\nmsgstr ""\n',
    ],
)
def test_what_is_no_catalogue_is_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        run_on("po", tmp_path, text)
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize(
    "text",
    ["", "# only\n", 'msgid "a"\n', 'msgid "some words"\nmsgid_plural "more words"\n', 'msgid ""\nmsgstr ""\n',
     'msgid "x"\nmsgstr[0] "y"\n', 'msgstr "a"\nmsgid "b"\n', '  msgid   "a b"\n  msgstr   ""  \n',
     'msgid "a"\nmsgstr "b"\nmsgid "c"\nmsgstr "d"', 'msgid "\\q\\x41\\101"\nmsgstr ""\n'],
)  # fmt: skip
def test_odd_catalogues_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    assert run_on("po", tmp_path, text).text == text
    run_on("po", tmp_path, text, reversed_words, target=TargetLanguage("pl"))


def test_messages_without_an_empty_line_between_are_two(tmp_path: Path) -> None:
    new = run_on("po", tmp_path, 'msgid "aa"\nmsgstr "b"\nmsgid "cc"\nmsgstr "d"\n', reversed_words).text
    assert new == 'msgid "aa"\nmsgstr "b"\nmsgid "cc"\nmsgstr "d"\n'
    new = run_on("po", tmp_path, 'msgid "ab"\nmsgstr "b"\nmsgid "cd"\nmsgstr "d"', reversed_words).text
    assert new == 'msgid "ab"\nmsgstr "ba"\nmsgid "cd"\nmsgstr "dc"'


@pytest.mark.parametrize(
    "language", ["de", "fr", "ru", "cs", "pl", "ar", "ja", "sl", "lt", "lv", "ro", "ga", "cy", "mt", "pt-BR", "is"]
)
def test_every_rule_chooses_a_form_that_is_there(language: str) -> None:
    plurals = plurals_of(language)
    choose = gettext.c2py(plurals.rule)
    chosen = {choose(number) for number in range(1000)}
    assert chosen == set(range(plurals.forms))
    if plurals.forms > 1:
        assert choose(1) == plurals.singular


def test_a_language_that_is_not_known_has_two_forms() -> None:
    assert plurals_of("xx").header == "nplurals=2; plural=n != 1;"
    assert plurals_of("zh-Hant").forms == 1
    assert strings("", 7, "\n") == '""'


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext's programs are not installed")
@pytest.mark.parametrize("language", ["de", "ru", "ja", "ar", "sl"])
def test_gettext_itself_takes_what_is_written(tmp_path: Path, language: str) -> None:
    def change(segment: Segment) -> Content:
        return (*segment.content[:-1], "ä") if isinstance(segment.content[-1], str) else segment.content

    out = tmp_path / "out.po"
    out.write_bytes(run_on("po", tmp_path, CATALOGUE.replace("%", "#"), change, target=TargetLanguage(language)).data)
    done = subprocess.run(
        ["msgfmt", "-c", "-o", str(tmp_path / "out.mo"), str(out)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "header field" not in line]) == (0, [])
