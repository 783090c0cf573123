"""Pages of drawings: nothing in them is anything but a picture and words, whatever their source says."""

from __future__ import annotations

import gzip
import os
import re
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.paths import resource_path
from app.features import drawings
from app.features.drawings import (
    LIBRARY,
    MERMAID,
    SVG,
    DrawingWords,
    kind_of,
    page_of,
    remove_old,
    remove_page,
    write_page,
)

WORDS = DrawingWords("A <drawing>", "Source", "Loads nothing.", "Cannot be drawn.", "No library.")
HOSTILE = """<svg width="9" onload="alert(1)"><script>alert(2)</script></svg>
</pre></details><meta http-equiv="refresh" content="0;url=http://x.org"><script src="http://x.org/a.js"></script>"""


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, _tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts.append(data)

    def policy(self) -> str:
        return next(attrs["content"] or "" for tag, attrs in self.found if "http-equiv" in attrs)


@given(st.sampled_from([SVG, MERMAID]), st.one_of(st.text(), st.just(HOSTILE), st.text().map(HOSTILE.__add__)))
def test_whatever_the_source_is_it_adds_no_tag_to_its_page(kind: str, source: str) -> None:
    plain, tags = Tags(page_of(kind, "graph", WORDS)), Tags(page_of(kind, source, WORDS))
    assert [tag for tag, _ in tags.found] == [tag for tag, _ in plain.found]
    assert tags.policy() == plain.policy()
    assert tags.scripts == plain.scripts
    assert not any(
        str(value).startswith(("http", "//"))
        for _, attrs in tags.found
        for name, value in attrs.items()
        if name != "alt"
    )


def test_the_policy_lets_nothing_in_but_pictures_that_the_page_holds() -> None:
    policy = Tags(page_of(SVG, "<svg/>", WORDS)).policy()
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "img-src data:" in policy
    assert "unsafe-eval" not in policy
    assert "form-action 'none'" in policy


def test_a_drawing_without_its_name_space_gets_it_as_a_picture_needs_it() -> None:
    def drawn(source: str) -> str:
        page = page_of(SVG, source, WORDS)
        found = re.search(r"base64,([^\"]+)", page)
        assert found is not None
        return b64decode(found[1]).decode()

    assert drawn("<svg width='1'/>") == "<svg xmlns=\"http://www.w3.org/2000/svg\" width='1'/>"
    assert drawn("<?xml version='1.0'?>\n<svg xmlns='x'/>").count("xmlns") == 1


@pytest.mark.skipif(not resource_path(LIBRARY).is_file(), reason="set up without npm")
def test_only_the_library_and_the_call_of_it_may_run() -> None:
    tags = Tags(page_of(MERMAID, "graph TD", WORDS))
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in tags.scripts]
    assert tags.policy().split("script-src ")[1].split(";")[0] == " ".join(f"'sha256-{one}'" for one in hashes)
    assert len(hashes) == 2


def test_without_the_library_mermaid_is_its_source_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drawings, "resource_path", lambda name: tmp_path / name)
    page = page_of(MERMAID, "graph <TD>", WORDS)
    assert "No library." in page
    assert "graph &lt;TD&gt;" in page
    assert "<script" not in page
    (tmp_path / "drawing").mkdir()
    (tmp_path / f"{LIBRARY}.gz").write_bytes(gzip.compress(b"draw()"))  # as packages have it
    assert Tags(page_of(MERMAID, "graph TD", WORDS)).scripts[0] == "draw()"


def test_what_is_a_drawing() -> None:
    assert [kind_of("mermaid", ""), kind_of("SVG", "x"), kind_of("xml", " <svg a='b'>")] == [MERMAID, SVG, SVG]
    assert [kind_of("xml", "<svgs>"), kind_of("python", "<svg>"), kind_of("", "text")] == ["", "", ""]


def test_a_page_is_its_persons_alone_and_old_ones_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drawings.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(drawings.tempfile, "tempdir", str(tmp_path))
    first = write_page("one")
    assert first.parent.parent == tmp_path
    assert first.parent.stat().st_mode & 0o077 == 0 or os.name == "nt"
    second = write_page("two")
    assert first.exists(), "it is not old"
    remove_page(second)
    assert not second.parent.exists()
    remove_old(time.time() + 1)
    assert not first.parent.exists()
