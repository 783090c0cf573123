"""XML: read in every encoding, with its named characters, and never further than itself."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.markup import xml_tree
from app.documents.formats.markup.xml_tree import iterate, parse, stream_blocks
from app.documents.source import FileSource

XHTML = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://127.0.0.1:9/xhtml11.dtd">'


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    path = tmp_path / "a.docx"
    path.write_bytes(b"x" * 100)
    return FileSource(path)


def words(content: str | bytes, source: FileSource) -> str:
    """The text of all elements."""
    root = parse(content.encode() if isinstance(content, str) else content, source)
    return "".join(root.itertext())


def reason(content: str | bytes, source: FileSource) -> str:
    """Why it cannot be read; the same from both functions."""
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(DocumentUnreadable) as parsed:
        parse(data, source)
    with pytest.raises(DocumentUnreadable) as streamed:
        list(iterate(data, source, ("p",)))
    assert parsed.value.reason == streamed.value.reason
    return parsed.value.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1", "windows-1252"])
def test_every_encoding_is_read(source: FileSource, encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    content = f'<?xml version="1.0" encoding="{declared}"?><a>' + "Käse ÄÖ " * 50_000 + "</a>"
    assert words(content.encode(encoding), source) == "Käse ÄÖ " * 50_000


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_wide_encoding_is_seen_without_its_mark(source: FileSource, encoding: str) -> None:
    assert words("<a>Ж 中</a>".encode(encoding), source) == "Ж 中"


@pytest.mark.parametrize("declared", ["utf-16", "no-such-thing", "base64", "utf-7", "rot13"])
def test_a_declaration_that_cannot_be_true_is_not_believed(source: FileSource, declared: str) -> None:
    assert words(f'<?xml version="1.0" encoding="{declared}"?><a>é</a>', source) == "é"


def test_a_harmless_document_type_and_named_characters_are_read(source: FileSource) -> None:
    text = "a&nbsp;b &eacute;&AMP;&lt;&hellip;&amp;lt; &NotAName;"
    content = f"<?xml version='1.0'?><!-- before -->\n{XHTML}<html>{text}</html>"
    assert words(content, source) == "a\xa0b é&<…&lt; &NotAName;"
    assert words("<!doctype html><html>a</html>", source) == "a"
    assert words("<a>&nbsp;&euro;</a>", source) == "\xa0€"


def test_a_document_type_with_an_innocent_inner_part_is_read(source: FileSource) -> None:
    inner = '<!-- it\'s > harmless ]> --><!ELEMENT a (#PCDATA)><!ATTLIST a b CDATA "]>">'
    assert words(f"<!DOCTYPE a [{inner}]><a>text</a>", source) == "text"


def test_named_characters_stay_as_they_are_in_cdata(source: FileSource) -> None:
    assert words("<a>&eacute;<![CDATA[&eacute; &lt; <b>]]>&eacute;</a>", source) == "é&eacute; &lt; <b>é"


def test_attributes_have_named_characters_too(source: FileSource) -> None:
    assert parse(b'<a b="x&nbsp;y&quot;&QUOT;"/>', source).get("b") == 'x\xa0y""'


ENTITIES = [
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a [<!-- [ -->\n<!ENTITY x SYSTEM "file://CANARY">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:PORT/x.dtd"> %x;]><a/>',
    '<!DOCTYPE a SYSTEM "file://CANARY" [<!ENTITY x "&#37;">]><a/>',
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a b="&b;">&b;</a>',
    '<!DOCTYPE a [<!ENTITY x "]>"><!ENTITY y "z">]><a>&y;</a>',
    '<!DOCTYPE a [<!ENTITY x "y"',
    "<?xml version='1.0'?><!-- " + "x" * 200_000 + ' --><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
]


@pytest.mark.parametrize("content", ENTITIES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_declared_entities_are_refused_and_nothing_is_reached(
    source: FileSource, tmp_path: Path, content: str, encoding: str
) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("never read")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        text = content.replace("CANARY", str(canary)).replace("PORT", str(server.getsockname()[1]))
        assert reason(text.encode(encoding), source) == "entities"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_document_type_elsewhere_is_no_way_around(source: FileSource) -> None:
    assert reason('<a><!DOCTYPE a [<!ENTITY x "y">]>&x;</a>', source) == "damaged"
    for between in ("", f"<!--{'x' * 200_000}-->", "<?p " + "y" * 65_500 + "?>", " " * 65_523):
        assert reason(f'<!DOCTYPE a>{between}<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', source) == "damaged"
        assert words(f"<!DOCTYPE a><a><![CDATA[{between.strip('<>')}<!DOCTYPE b>]]></a>", source).endswith(
            "<!DOCTYPE b>"
        )


def test_an_outer_document_type_is_not_fetched(source: FileSource) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        content = f'<!DOCTYPE a SYSTEM "http://127.0.0.1:{port}/a.dtd"><a>text&x;</a>'
        assert words(content, source) == "text&x;"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("levels", [300, 200_000])
def test_deep_nesting_is_refused(source: FileSource, levels: int) -> None:
    assert reason("<p>" * levels + "</p>" * levels, source) == "too_deep"


def test_too_many_elements_are_a_bomb(source: FileSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_tree, "MOST_TAGS", 200_000)
    assert len(parse(("<a>" + "<b></b>" * 99_000 + "</a>").encode(), source)) == 99_000
    assert reason("<a>" + "<b/>" * 200_001 + "</a>", source) == "inflates"


def test_a_text_longer_than_the_parser_takes_is_a_bomb(source: FileSource) -> None:
    assert len(words("<a>" + "x" * 8_900_000 + "</a>", source)) == 8_900_000
    assert reason("<a>" + "x" * 10_100_000 + "</a>", source) == "inflates"


@pytest.mark.parametrize("content", ["", " ", "no xml", "<a>", "<a><b></a>", "<a/><b/>", "<a b/>", "<!-- ", "<?xml"])
def test_what_is_no_xml_is_damage(source: FileSource, content: str) -> None:
    assert reason(content, source) == "damaged"


def test_characters_that_xml_forbids_are_taken_out(source: FileSource) -> None:
    content = "<a>b\ufffec\uffffd\x00e\x01f\x0bg&#0;h&#x1F;i&#xFFFE;j&#55296;k&#x41;l&#99999999;m</a>"
    assert words(content, source) == "bcdef ghijkAlm"


def test_bytes_that_are_no_text_become_replacement_characters(source: FileSource) -> None:
    assert words(b"<a>x\xff\xfey \xed\xa0\x80</a>", source).replace("\ufffd", "") == "xy "


def test_strict_namespaces_become_the_usual_ones(source: FileSource) -> None:
    root = parse(b'<w:p xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"/>', source)
    assert root.tag == "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"


def test_outermost_elements_are_streamed(source: FileSource) -> None:
    content = b"<a><!-- x --><s><p>1<b/><p>2</p></p><i/><p>3</p>tail</s><s><s><p>4</p></s></s><p>5</p></a>"
    found = [etree.tostring(each, with_tail=False) for each in iterate(content, source, ("p",))]
    assert found == [b"<p>1<b/><p>2</p></p>", b"<p>3</p>", b"<p>4</p>", b"<p>5</p>"]


def test_streamed_elements_are_not_kept(source: FileSource) -> None:
    content = b"<!-- before --><a>" + b"<b/><p><c/></p>" * 100_000 + b"</a>"
    largest = 0
    for count, element in enumerate(iterate(content, source, ("p",)), 1):
        if count % 1000 == 0:
            largest = max(largest, sum(1 for _ in element.getparent().iter()))
    assert count == 100_000
    assert largest < 20_000


def test_blocks_are_streamed_with_their_places_and_gone_afterwards(source: FileSource) -> None:
    inner = "".join(f"<p>{number}<b>x</b></p>tail<!-- between --><s><p>inside</p><s/></s>" for number in range(20_000))
    content = f"<a><!-- x --><s>{inner}</s><i/></a>".encode()
    everything = list(etree.fromstring(content).iter())
    count, last = 0, None
    for start, end, element in stream_blocks(content, source, frozenset("as")):
        assert [each.tag for each in element.iter()] == [each.tag for each in everything[start:end]]
        assert element.tag not in ("a", "s")
        count, last = count + 1, element
    assert (count, last.tag) == (60_002, "i")
    assert len(last.getroottree().getroot()) == 0


TREES = st.recursive(
    st.sampled_from(["<p/>", "<b/>", "<s/>", "<!--c-->", "text", "<?i?>"]),
    lambda inner: st.tuples(st.sampled_from("pbss"), st.lists(inner, max_size=4)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0]}>"
    ),
    max_leaves=30,
)


@given(st.lists(TREES, max_size=6), st.integers(1, 40))
def test_places_are_right_in_any_tree_wherever_the_stream_is_cut(parts: list[str], cut: int) -> None:
    content = f"<s>{''.join(parts)}</s>".encode()
    everything = list(etree.fromstring(content).iter())
    found = stream_blocks(Slow(content, cut), FileSource(Path(__file__)), frozenset("s"))
    taken = [number for start, end, _ in found for number in range(start, end)]
    containers = [number for number, each in enumerate(everything) if each.tag == "s" and _is_outside(each)]
    assert sorted(taken + containers) == list(range(len(everything)))
    again = stream_blocks(content, FileSource(Path(__file__)), frozenset("s"))
    assert [(start, element.tag) for start, _, element in again] == [
        (number, each.tag)
        for number, each in enumerate(everything)
        if each.getparent() is not None and each.tag != "s" and each.getparent().tag == "s" and _is_outside(each)
    ]


def _is_outside(element: etree._Element) -> bool:
    return all(each.tag == "s" for each in element.iterancestors())


class Slow(io.BytesIO):
    """A stream that gives only a little at a time."""

    def __init__(self, content: bytes, cut: int) -> None:
        super().__init__(content)
        self._cut = cut

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._cut)


@given(text=st.text(), cut=st.integers(1, 200))
def test_text_comes_through_wherever_the_stream_is_cut(text: str, cut: int) -> None:
    root = etree.Element("a")
    allowed = "".join(each for each in text if each.isprintable())
    root.text, root.tail = allowed + "&eacute;]]>", None
    content = etree.tostring(root, encoding="utf-8").replace(b"</a>", b"<![CDATA[&x;]]]]>&uuml;</a>")

    parsed = parse(Slow(content, cut), FileSource(Path(__file__)))
    assert "".join(parsed.itertext()) == allowed + "&eacute;]]>&x;]]ü"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_tree_or_a_situation(content: bytes) -> None:
    try:
        parse(content, FileSource(Path(__file__)))
    except DocumentUnreadable as error:
        assert error.reason in ("damaged", "entities", "too_deep", "inflates")
