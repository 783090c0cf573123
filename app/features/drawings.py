"""Drawings that a model wrote as source, SVG or Mermaid, as a page for the browser that loads nothing from anywhere.

A drawing is shown as a picture: what is in it can run no script, be no link and load nothing, whatever its source says.
The only scripts of a page are Mermaid's library and the line that calls it, which its policy names by their hashes.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import time
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem, resource_path

SVG, MERMAID = "svg", "mermaid"
LIBRARY = "drawing/mermaid.tiny.js"
"""@mermaid-js/tiny: 2.5 MB; a copy of the program that was set up without npm does without it."""
PREFIX = "fireside-drawing-"
KEPT_S = 3600
"""Seconds a page is kept: a browser reads it again on reload."""
_SVG = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg(?=[\s>/])", re.DOTALL | re.IGNORECASE)
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; }
figure { background: #fff; border-radius: 10px; margin: 0 0 1.5rem; padding: 1.5rem; text-align: center; }
img { max-width: 100%; height: auto; }
img:not([src]) { display: none; }
pre { overflow-x: auto; font: 14px/1.5 ui-monospace, monospace; }
p { color: GrayText; }
"""
_DRAW = """
const source = document.getElementById("source").textContent;
const picture = document.getElementById("picture");
mermaid.initialize({startOnLoad: false, securityLevel: "strict", htmlLabels: false, flowchart: {htmlLabels: false}});
mermaid.render("drawing", source).then(({svg}) => {
  const drawn = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  const box = drawn.viewBox.baseVal;
  if (box && box.width) picture.style.width = box.width + "px";
  picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(drawn));
}).catch(() => {
  for (const left of document.querySelectorAll("body > [id^=ddrawing]")) left.remove();
  document.getElementById("problem").hidden = false;
});
"""


@dataclass(frozen=True)
class DrawingWords:
    """A page's texts in the user's language."""

    title: str
    source: str
    """Above the source."""
    about: str
    """Note that nothing is loaded."""
    undrawable: str
    """Mermaid cannot read this source."""
    no_library: str
    """Mermaid's library is not there."""


def kind_of(language: str, text: str) -> str:
    """Return what a code block draws: `SVG`, `MERMAID`, or "" for any other code."""
    if (name := language.lower()) == MERMAID:
        return MERMAID
    # Models write SVG in blocks called xml or html as well.
    is_svg = name == SVG or (name in ("xml", "html", "") and _SVG.match(text) is not None)
    return SVG if is_svg else ""


def page_of(kind: str, source: str, words: DrawingWords) -> str:
    shown = f"<details{' open' if kind == MERMAID else ''}><summary>{escape(words.source)}</summary>"
    shown += f'<pre id="source">{escape(source)}</pre></details><p>{escape(words.about)}</p>'
    if kind == SVG:
        # As a picture, in which scripts don't run and links don't work.
        picture = b64encode(_with_namespace(source).encode()).decode()
        alt = escape(words.undrawable)
        return _drawing_page(
            words.title, f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{picture}"></figure>{shown}'
        )
    if not (library := _mermaid_source()):
        return _drawing_page(words.title, f"<p>{escape(words.no_library)}</p>{shown}")
    figure = f'<figure><img id="picture" alt=""><p id="problem" hidden>{escape(words.undrawable)}</p></figure>'
    return _drawing_page(words.title, figure + shown, (library, _DRAW))


def write_page(page: str) -> Path:
    """Write a page that only its user can read, and delete old ones. Raises DiskFull and FolderNotWritable."""
    # Before writing: the folder never grows, whatever becomes of this page.
    remove_old()
    try:
        # mkdtemp makes a folder that only its person can read.
        path = Path(tempfile.mkdtemp(prefix=PREFIX)) / "drawing.html"
        path.write_text(page, "utf-8")
    except OSError as error:
        raise disk_problem(error, Path(tempfile.gettempdir())) from error
    return path


def remove_page(path: Path) -> None:
    shutil.rmtree(path.parent, ignore_errors=True)


def remove_old(before_s: float | None = None) -> None:
    """Delete pages older than a time (`time.time`), left by a program that was killed."""
    before_s = time.time() - KEPT_S if before_s is None else before_s
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            # A link would let another person choose what is deleted.
            is_old = folder.is_dir() and not folder.is_symlink() and folder.stat().st_mtime < before_s
        except OSError:
            continue
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)  # another person's stays: it cannot be removed


def _drawing_page(title: str, body: str, scripts: tuple[str, ...] = ()) -> str:
    # Only what has exactly this hash may run; an injected script has another.
    hashes = " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts)
    policy = "; ".join(  # to a browser, in every language
        (
            "default-src 'none'",
            "img-src data:",
            "style-src 'unsafe-inline'",  # Mermaid measures its letters in a style of its own
            "script-src " + (hashes or "'none'"),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    ending = "".join(f"<script>{text}</script>" for text in scripts)
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><meta name="referrer" content="no-referrer"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}{ending}</body></html>\n"
    )


def _mermaid_source() -> str:
    """Return Mermaid's packaged source, unzipped; "" if it is missing or contains a closing script tag."""
    path, packed = resource_path(LIBRARY), resource_path(f"{LIBRARY}.gz")
    text = gzip.decompress(packed.read_bytes()).decode("utf-8") if packed.is_file() else ""
    text = path.read_text("utf-8") if path.is_file() else text
    # The text stands inside a script element, which it would end.
    return "" if "</script" in text.lower() else text.replace("\r\n", "\n")


def _with_namespace(source: str) -> str:
    """Add the XML namespace to a drawing: inline it isn't needed, in a file it is."""
    found = _SVG.match(source)
    if found is None or re.search(r"\sxmlns\s*=", source[found.end() :].partition(">")[0]):
        # In a page of HTML the namespace goes without saying, in a file of its own it doesn't.
        return source.strip()
    at = found.end()
    return f'{source[:at]} xmlns="http://www.w3.org/2000/svg"{source[at:]}'.strip()
