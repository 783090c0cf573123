"""What is known of formats: every line of the registry holds, and a new one is all that a new format needs."""

from __future__ import annotations

import importlib
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents import read_document
from app.documents.formats import registry
from app.documents.formats.format_detection import find_format, really
from app.documents.formats.registry import FileFormat, formats
from app.documents.protocol import Draw, Rewritten
from app.ui.widgets.dialogs import document_filters
from tests.documents.formats import toy
from tests.helpers.documents import read
from tests.helpers.rewriting import by_the_child, reversed_words

ROOT = Path(__file__).resolve().parents[3]
FILE = b"TOY\nlanguage=en\n* A wooden horse.\nwheels=4\r\n* A drum, \xe2\x80\x9cloud\xe2\x80\x9d.\n"


@pytest.mark.parametrize("each", formats(), ids=lambda each: each.name)
def test_what_a_line_names_is_there(each: FileFormat) -> None:
    assert each.read or each.rewrite
    for module, name in ((each.read, "read"), (each.rewrite, "rewrite"), (each.draw, "draw")):
        if module:
            assert callable(getattr(importlib.import_module(module, registry.__package__), name))


def test_an_ending_is_of_one_format() -> None:
    endings = [ending for each in formats() for ending in each.endings.split()]
    assert len(endings) == len(set(endings))


@pytest.fixture
def with_toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys' line is in the registry, here and in the real document child."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from app.documents import worker
from app.documents.formats import registry
from tests.documents.formats import toy

registry.add(toy.LINE)
worker.main([])
"""
    monkeypatch.setattr(registry, "_FORMATS", dict(registry._FORMATS))
    registry.add(toy.LINE)
    monkeypatch.setattr(read_document, "own_command", lambda _flag: [sys.executable, "-c", code])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A toy."""
    path = tmp_path / "horse.toy"
    path.write_bytes(FILE)
    return path


@pytest.mark.usefixtures("with_toys")
def test_a_new_format_is_known_wherever_formats_are_told_apart(path: Path) -> None:
    assert find_format(path) == "toy"
    assert really("toy", ".pdf")
    assert not really("toy", ".toy")
    assert registry.words_for("toy") == "a toy"
    assert not registry.can_draw("toy")
    every, *kinds = document_filters()
    assert "*.toy" in every
    assert "Toys (*.toy)" in kinds


@pytest.mark.usefixtures("with_toys")
def test_a_new_format_is_read_by_the_child(path: Path, tmp_path: Path) -> None:
    result = read(path, tmp_path / "work")
    assert (result.found.format, result.found.opened.title) == ("toy", "A toy")
    assert [block.text for block in result.blocks] == ["A wooden horse.", "A drum, “loud”."]
    assert result.remarks == {}


@pytest.mark.usefixtures("with_toys")
def test_a_new_format_is_written_back_by_the_child(path: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    done, last = by_the_child(path, tmp_path / "out.toy", work, reversed_words)
    assert (done.format, done.segments, last) == ("toy", 2, Rewritten(2, 2))
    expected = FILE.decode().replace("=en", "=de").replace("A wooden horse.", ".esroh nedoow A")
    assert (tmp_path / "out.toy").read_bytes() == expected.replace("A drum, “loud”.", ".”duol“ ,murd A").encode()


def test_without_its_line_it_is_a_text(path: Path) -> None:
    assert find_format(path) == "text"
    assert registry.words_for("toy") == "toy", "a stored document of a format that is no longer known has a name"
    assert not registry.can_draw("toy")


def test_pages_of_a_format_that_has_none_are_not_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Words.")
    drawing = read_document.PageRenderer(tmp_path / "work")
    with closing(drawing), pytest.raises(DocumentUnreadable) as caught:
        list(drawing.draw(Draw(str(tmp_path / "a.txt"), 1, 1.0), CancelToken()))
    assert caught.value.reason == "not_drawn"
