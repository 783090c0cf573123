"""The memory of one wish, and its file: what is found again, with whose marks, and what a glossary changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.segments import Content, Mark, content_from_json
from app.features.translate.tmx_file import content_text, key_of, read_tmx, write_tmx
from app.features.translate.translation_events import Formality, GlossaryTerm, TranslationWish
from app.features.translate.translation_memory import KeptMemory, model_key, own_entry, with_marks_of
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    OpenedMemory,
    TranslationMemory,
    TranslationOrigin,
    opened_memory,
)

PAIR = LanguagePair("en", "de")
SOURCE: Content = ("Pay ", Mark("open", 1, "bold"), "now", Mark("close", 1), Mark("single", 2, "image"))
TARGET: Content = (Mark("open", 1, "bold"), "Jetzt", Mark("close", 1), " zahlen", Mark("single", 2, "image"))


@pytest.fixture
def store() -> Iterator[TranslationMemory]:
    with opened_memory(None) as opened:
        yield opened.memory


def memory(store: TranslationMemory, wish: TranslationWish | None = None, model: str = "a.gguf 7") -> KeptMemory:
    return KeptMemory(store, wish or TranslationWish("de"), PAIR, model=model, prompt_version=1)


def test_the_same_words_with_the_same_marks_are_found_in_the_looks_of_the_source(store: TranslationMemory) -> None:
    memory(store).keep_step(SOURCE, TARGET)
    assert memory(store).find_step(SOURCE) == TARGET
    italic: Content = ("Pay ", Mark("open", 1, "italic"), "now", Mark("close", 1), Mark("single", 2, "note", "3"))
    assert memory(store).find_step(italic) == (
        Mark("open", 1, "italic"), "Jetzt", Mark("close", 1), " zahlen", Mark("single", 2, "note", "3"),
    )  # fmt: skip
    assert memory(store).find_step(("Pay now",)) is None
    assert memory(store).find_step(SOURCE, "menu") is None


def test_of_a_glossary_only_the_terms_of_the_text_count(store: TranslationMemory) -> None:
    wish = TranslationWish("de", glossary=(GlossaryTerm("tenant", "Mieter"), GlossaryTerm("roof", "Dach")))
    memory(store, wish).keep_step(("The tenant pays.",), ("Der Mieter zahlt.",))
    longer = TranslationWish("de", glossary=(*wish.glossary, GlossaryTerm("cellar", "Keller")))
    assert memory(store, longer).find_step(("The tenant pays.",)) == ("Der Mieter zahlt.",)
    other = TranslationWish("de", glossary=(GlossaryTerm("tenant", "Mietpartei"),))
    assert memory(store, other).find_step(("The tenant pays.",)) is None
    assert memory(store).find_step(("The tenant pays.",)) is None


@pytest.mark.parametrize(
    "wish", [TranslationWish("de", formality=Formality.FORMAL), TranslationWish("de", domain="a lease")]
)
def test_another_wish_is_another_translation(store: TranslationMemory, wish: TranslationWish) -> None:
    memory(store).keep_step(("Come in.",), ("Komm rein.",))
    assert memory(store, wish).find_step(("Come in.",)) is None
    memory(store, wish).keep_step(("Come in.",), ("Treten Sie ein.",))
    assert memory(store, wish).find_step(("Come in.",)) == ("Treten Sie ein.",)
    assert memory(store).find_step(("Come in.",)) == ("Komm rein.",)


def test_a_persons_own_is_found_whatever_the_model_and_the_glossary(store: TranslationMemory) -> None:
    store.save_entries([own_entry(PAIR, SOURCE, TARGET)])
    wish = TranslationWish("de", domain="a lease", glossary=(GlossaryTerm("pay", "zahlen"),))
    assert memory(store, wish, "b.gguf 9").find_step(SOURCE) == TARGET


@pytest.mark.parametrize("kept", ["no JSON", '["Jetzt zahlen"]', '[["open", 1, "", ""], ["open", 2, "", ""]]'])
def test_what_has_not_the_marks_of_the_source_is_not_used(kept: str) -> None:
    assert with_marks_of(SOURCE, kept) is None


def test_keys_tell_words_from_marks() -> None:
    assert key_of(("a", Mark("single", 1, "break"))) == key_of(("a", Mark("single", 1, "tab", "x")))
    assert len({key_of(one) for one in [("a",), ("b",), ("a", Mark("single", 1)), (Mark("single", 1), "a")]}) == 4


def test_a_model_is_told_by_the_name_and_size_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    assert model_key(path) == "a.gguf 0"
    path.write_bytes(b"1234567")
    assert model_key(path) == "a.gguf 7"


def test_a_memory_is_opened_beside_another_program_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "fireside.db"
    with opened_memory(path) as first, opened_memory(path) as second:
        assert (first.is_kept, first.moved_aside) == (True, None)
        memory(first.memory).keep_step(SOURCE, TARGET)
        assert memory(second.memory).find_step(SOURCE) == TARGET
    with opened_memory(path) as again:
        assert memory(again.memory).find_step(SOURCE) == TARGET


def test_where_the_file_cannot_be_used_the_memory_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with opened_memory(tmp_path / "data" / "fireside.db") as opened:
        assert isinstance(opened, OpenedMemory)
        assert not opened.is_kept
        memory(opened.memory).keep_step(SOURCE, TARGET)
        assert memory(opened.memory).find_step(SOURCE) == TARGET


XML = "{http://www.w3.org/XML/1998/namespace}"
OPEN, CLOSE, IMAGE = Mark("open", 1, "bold"), Mark("close", 1), Mark("single", 2, "image")
BOLD: Content = ("The tenant pays ", OPEN, "960 <euros> & more", CLOSE, IMAGE)
FETT: Content = (IMAGE, "Der Mieter zahlt ", OPEN, "960 <Euro>", CLOSE)

OMEGAT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4">
  <header creationtool="OmegaT" o-tmf="OmegaT TMX" adminlang="EN-US" datatype="plaintext" creationtoolversion="6.0.0"
    segtype="sentence" srclang="EN-US"/>
  <body>
    <tu>
      <tuv xml:lang="EN-US">
        <seg>Press the <bpt i="0" x="0">&lt;f0&gt;</bpt>red<ept i="0">&lt;/f0&gt;</ept> key.</seg>
      </tuv>
      <tuv xml:lang="DE-DE" changeid="anna" changedate="20240102T030405Z">
        <seg>Die <bpt i="0" x="0">&lt;f0&gt;</bpt>rote<ept i="0">&lt;/f0&gt;</ept> Taste.</seg>
      </tuv>
    </tu>
    <tu><note>alternative</note><prop type="file">a.odt</prop>
      <tuv lang="en"><seg>Save &amp; close<ph>x</ph></seg></tuv>
      <tuv lang="de"><seg>Sichern<ph>x</ph></seg></tuv>
      <tuv lang="fr"><seg>Enregistrer<ph>x</ph></seg></tuv>
    </tu>
    <tu><tuv xml:lang="en"><seg>Only here</seg></tuv></tu>
    <tu><tuv xml:lang="en"><seg></seg></tuv><tuv xml:lang="de"><seg>Leer</seg></tuv></tu>
  </body>
</tmx>
"""


def entry(source: Content, target: Content, *, is_own: bool = False, **made: object) -> MemoryEntry:
    how = TranslationOrigin(**made)  # type: ignore[arg-type]
    words = (content_text(source), content_text(target))
    return MemoryEntry(LanguagePair("en", "pt-BR"), key_of(source), *words, "menu", how, is_own, 1_760_000_000.0)


def written(folder: Path, *entries: MemoryEntry) -> Path:
    path = folder / "memory.tmx"
    with path.open("wb") as file:
        write_tmx(entries, file)
    return path


def shapes(content: str) -> list[object]:
    """Texts, and marks without their looks."""
    return [one if isinstance(one, str) else one.key for one in content_from_json(json.loads(content))]


def test_a_memory_comes_back_as_it_was(tmp_path: Path) -> None:
    own = entry(("Good morning. \u0001\n2",), ("Bom dia.",), is_own=True, formality="formal")
    model = entry(BOLD, FETT, formality="formal", hints="ab12", model="model.gguf 7", prompt_version=3)
    back = list(read_tmx(written(tmp_path, own, model)))
    assert [(one.pair, one.context, one.made, one.is_own) for one in back] == [
        (one.pair, one.context, one.made, one.is_own) for one in (own, model)
    ]
    assert shapes(back[0].source) == ["Good morning. \n2"], "XML has no place for U+0001"
    assert (back[1].key, back[1].source) == (model.key, model.source)
    assert shapes(back[1].target) == shapes(model.target)


def test_what_is_written_is_tmx_for_other_programs(tmp_path: Path) -> None:
    root = etree.parse(written(tmp_path, entry(BOLD, FETT, is_own=True)), etree.XMLParser(no_network=True)).getroot()
    header = root.find("header")
    assert header is not None
    assert (root.tag, root.get("version"), header.get("srclang"), header.get("creationtool")) == (
        ("tmx", "1.4", "*all*", "fireside")
    )
    needed = {"creationtool", "creationtoolversion", "segtype", "o-tmf", "adminlang", "srclang", "datatype"}
    assert needed <= set(header.attrib)
    first, second = root.iter("tuv")
    assert (first.get(f"{XML}lang"), second.get(f"{XML}lang")) == ("en", "pt-BR")
    seg = first.find("seg")
    assert seg is not None
    tags = [(one.tag, one.get("i"), one.get("x")) for one in seg]
    assert tags == [("bpt", "1", "1"), ("ept", "1", None), ("ph", None, "2")]
    assert (seg.text, seg[0].tail) == ("The tenant pays ", "960 <euros> & more")
    assert [one.get("changedate") for one in root.iter("tu")] == ["20251009T085320Z"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_memory_of_another_program_is_a_persons_own(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "omegat.tmx"
    path.write_bytes(OMEGAT.replace("UTF-8", encoding.upper()).encode(encoding))
    first, german, french = read_tmx(path)
    assert (first.pair, first.is_own, first.context, first.made) == (
        LanguagePair("en", "de"),
        True,
        "",
        TranslationOrigin(),
    )
    assert shapes(first.source) == ["Press the ", ("open", 1), "red", ("close", 1), " key."]
    assert shapes(first.target) == ["Die ", ("open", 1), "rote", ("close", 1), " Taste."]
    assert first.key == key_of(("Press the ", Mark("open", 1, "bold"), "red", Mark("close", 1), " key."))
    assert [(one.pair.target, shapes(one.target)) for one in (german, french)] == [
        ("de", ["Sichern", ("single", 1)]), ("fr", ["Enregistrer", ("single", 1)]),
    ]  # fmt: skip
    assert shapes(german.source) == ["Save & close", ("single", 1)]


def test_the_source_is_the_language_the_unit_or_the_header_says(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(
        '<tmx version="1.4"><header srclang="fr"/><body><tu><tuv xml:lang="de"><seg>Milch</seg></tuv>'
        '<tuv xml:lang="fr"><seg>lait</seg></tuv></tu><tu srclang="en"><tuv xml:lang="de"><seg>Brot</seg></tuv>'
        '<tuv xml:lang="en-GB"><seg>bread</seg></tuv></tu></body></tmx>'
    )
    assert [(one.pair, one.source) for one in read_tmx(path)] == [
        (LanguagePair("fr", "de"), '["lait"]'), (LanguagePair("en", "de"), '["bread"]'),
    ]  # fmt: skip


BOMB = '<!DOCTYPE tmx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><tmx version="1.4"><body>&b;</body></tmx>'
OUTSIDE = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]><tmx version="1.4"><body>&a;</body></tmx>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "entities"), (OUTSIDE, "entities"), ("", "damaged"), ("no XML", "damaged"), ("<html/>", "damaged"),
        ('<tmx version="1.4"><body><tu>', "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_memory_or_a_hostile_one_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(content)
    with pytest.raises(DocumentUnreadable) as raised:
        list(read_tmx(path))
    assert raised.value.reason == reason


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name, reason in (("none.tmx", "missing"), ("", "not_a_file")):
        with pytest.raises(DocumentUnreadable) as raised:
            list(read_tmx(tmp_path / name))
        assert raised.value.reason == reason


def test_a_variant_whose_marks_do_not_nest_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(
        '<tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>milk</seg></tuv>'
        '<tuv xml:lang="de"><seg><bpt i="1">x</bpt>Milch</seg></tuv><tuv xml:lang="fr"><seg>lait</seg></tuv></tu>'
        "</body></tmx>"
    )
    assert [one.pair.target for one in read_tmx(path)] == ["fr"]


def test_a_large_memory_is_read_as_it_comes(tmp_path: Path) -> None:
    many = (own_entry(LanguagePair("en", "de"), (f"Word {number}.",), (f"Wort {number}.",)) for number in range(5_000))
    path = written(tmp_path, *many)
    reading = read_tmx(path)
    assert next(reading).target == '["Wort 0."]'
    assert sum(1 for _ in reading) == 4_999
