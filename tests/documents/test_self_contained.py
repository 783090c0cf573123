"""Nothing of this computer gets into a picture or a document that names it: by what is drawn, and by the kernel."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.core import landlock
from app.core.child import CHECKOUT
from app.core.errors.document_errors import DocumentUnreadable
from app.documents.protocol import Decode, Decoded, Draw, Drawn
from app.documents.read_document import _ReadingChild
from app.documents.worker import last_event
from tests.helpers.caged import check_caged
from tests.helpers.documents import read
from tests.helpers.office_files import write_docx, write_odf
from tests.helpers.picture_files import BLUE, Colour, is_near, picture, rows_of
from tests.helpers.web_files import write_epub

SECRET: Colour = (255, 0, 255)
SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
WHOLE = 'width="64" height="64"'
SEEN = '<rect width="64" height="16" fill="#1e3cc8"/>'
"""Above whatever a drawing names: a drawing that was refused would show nothing, either."""
ENTITY = '<!DOCTYPE svg [<!ENTITY e SYSTEM "{file}"><!ENTITY p "{secret}">]>'


def _svg(body: str, before: str = "", spaces: str = SPACES) -> str:
    return f"{before}<svg {spaces} {WHOLE}>{body}{SEEN}</svg>"


def _image(address: str) -> str:
    return f'<image xlink:href="{address}" {WHOLE}/>'


UNDRAWN = ("prefixed", "entity")
"""Qt knows no prefixed elements, and an entity that stands for a file is damage."""
INSIDE = _svg(_image("{secret}"))
FORMS = {
    "xlink": _svg(_image("{secret}")),
    "href": _svg(f'<image href="{{secret}}" {WHOLE}/>'),
    "name": _svg(_image("secret.png")),
    "above": _svg(_image("../{folder}/secret.png")),
    "blanks": _svg(_image("  {secret}")),
    "file": _svg(_image("file://{secret}")),
    "root": _svg(_image("/proc/self/root{secret}")),
    "upper": _svg(f'<image XLINK:HREF="{{secret}}" {WHOLE}/>'),
    "undeclared": _svg(_image("{secret}"), spaces='xmlns="http://www.w3.org/2000/svg"'),
    "declared": _svg(f'<image y:href="{{secret}}" {WHOLE}/>', spaces=SPACES.replace("xmlns:xlink", "xmlns:y")),
    "prefixed": f'<s:svg xmlns:s="http://www.w3.org/2000/svg" {WHOLE}><s:image href="{{secret}}" {WHOLE}/></s:svg>',
    "behind a style sheet": _svg("<style>a<g/></style>" + _image("{secret}")),
    "behind a broken name": _svg('<g a:="url(x)" b:1="url(x)"/>' + _image("{secret}")),
    "base": _svg(f'<g xml:base="{{above}}/">{_image("secret.png")}</g>'),
    "use": _svg('<use xlink:href="{drawing}#r"/>'),
    "pattern": _svg(
        f'<pattern id="p" patternUnits="userSpaceOnUse" {WHOLE}>{_image("{secret}")}</pattern>'
        f'<rect fill="url(#p)" {WHOLE}/>'
    ),
    "filter": _svg(f'<filter id="f"><feImage href="{{secret}}"/></filter><rect filter="url(#f)" fill="none" {WHOLE}/>'),
    "mask": _svg(f'<mask id="m">{_image("{secret}")}</mask><rect mask="url(#m)" fill="none" {WHOLE}/>'),
    "switch": _svg(f"<switch>{_image('{secret}')}</switch>"),
    "paint": _svg(f'<rect {WHOLE} fill="url({{secret}})"/>'),
    "style": _svg(f"<rect {WHOLE} style=\"fill:url('{{secret}}')\"/>"),
    "sheet": _svg(f"<style>rect.a {{{{ fill: url({{secret}}) }}}}</style><rect class='a' {WHOLE}/>"),
    "import": _svg(f"<style>@import url({{css}});@import '{{css}}';</style><rect {WHOLE} class='a' fill='none'/>"),
    "instruction": _svg(f"<rect {WHOLE} class='a' fill='none'/>", '<?xml-stylesheet type="text/css" href="{css}"?>'),
    "named instruction": _svg(
        f"<rect {WHOLE} class='a' fill='none'/>", '<?xml version="1.0"?><?xml-stylesheet type="text/css" href="a.css"?>'
    ),
    "entity in an address": _svg(_image("&p;"), ENTITY),
    "entity": _svg("&e;", ENTITY),
    "include": _svg('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{drawing}"/>'),
    "page inside": _svg(
        f'<foreignObject {WHOLE}><p xmlns="http://www.w3.org/1999/xhtml"><img src="{{secret}}"/></p></foreignObject>'
    ),
    "drawing inside": _svg(_image("data:image/svg+xml;base64,{inside}")),
    "packed drawing inside": _svg(_image("data:image/svg+xml;base64,{packed}")),
    "drawing that says it is a PNG": _svg(_image("data:image/png;base64,{inside}")),
    "data twice": _svg(_image("data:image/png;base64,{pixels};base64,{inside}")),
    "data that is a path": _svg(_image("data:{secret}")),
}


def _names(folder: Path) -> dict[str, str]:
    """What the forms name: files of one colour, as a picture, a drawing and a style sheet."""
    secret = picture(folder / "secret.png", SECRET, (64, 64))
    (folder / "drawing.svg").write_text(_svg(f'<rect id="r" {WHOLE} fill="#ff00ff"/>'))
    (folder / "a.css").write_text(".a { fill: #ff00ff }")
    inside = INSIDE.format(secret=secret).encode()
    return {
        "secret": str(secret), "folder": folder.name, "above": str(folder), "drawing": str(folder / "drawing.svg"),
        "css": str(folder / "a.css"), "file": str(folder / "drawing.svg"),
        "inside": base64.b64encode(inside).decode(), "packed": base64.b64encode(gzip.compress(inside)).decode(),
        "pixels": base64.b64encode(secret.read_bytes()[:20]).decode(),
    }  # fmt: skip


def _colours(path: Path, most_side: int = 64) -> set[bytes]:
    """Of the picture that is drawn of a file, as the child does it, but here, where nothing but the drawing helps."""
    out = path.with_name("out.ppm")
    out.write_bytes(b"")
    event = last_event(Decode(str(path), str(out), most_side=most_side), lambda _event: None)
    if not isinstance(event, Decoded):
        return set()
    pixels = rows_of(out)[2]
    return {pixels[at : at + 3] for at in range(0, len(pixels), 3)}


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("form", list(FORMS))
def test_a_drawing_shows_nothing_that_it_only_names(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.svg"
    path.write_text(FORMS[form].format_map(_names(tmp_path)))
    found = _colours(path)
    assert not any(is_near(tuple(colour), SECRET, 60) for colour in found)  # type: ignore[arg-type]
    assert bytes(BLUE) in found or form in UNDRAWN


OWN: dict[str, Callable[[str], bytes]] = {
    "a bitmap": lambda png: _svg(_image(f"data:image/png;base64,{png}")).encode(),
    "its data over lines": lambda png: _svg(_image(f"data:image/png;base64,\n{png[:30]}\n {png[30:]}\n")).encode(),
    "a prefix nobody declared": lambda png: _svg(
        _image(f"data:image/png;base64,{png}"), spaces='xmlns="http://www.w3.org/2000/svg"'
    ).encode(),
    "a gradient": lambda _png: _svg(
        f'<linearGradient id="g"><stop stop-color="#f0f"/></linearGradient><rect fill="url(#g)" {WHOLE}/>'
    ).encode(),
    "a part used again": lambda _png: _svg(
        f'<defs><rect id="r" fill="#f0f" {WHOLE}/></defs><use xlink:href="#r"/>'
    ).encode(),
    "a style sheet": lambda _png: _svg(f"<style>.a {{ fill: #f0f }}</style><rect class='a' {WHOLE}/>").encode(),
    "a namespace by entity": lambda _png: _svg(
        f'<rect fill="#f0f" {WHOLE}/>', '<!DOCTYPE svg [<!ENTITY n "http://www.w3.org/2000/svg">]>', 'xmlns="&n;"'
    ).encode(),
    "two bytes a letter": lambda _png: _svg(
        f'<rect fill="#f0f" {WHOLE}/>', '<?xml version="1.0" encoding="UTF-8"?><!-- a -->'
    ).encode(),
}


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("name", list(OWN))
def test_what_a_drawing_has_itself_is_drawn(tmp_path: Path, name: str) -> None:
    png = base64.b64encode(picture(tmp_path / "own.png", SECRET, (64, 64)).read_bytes()).decode()
    (tmp_path / "a.svg").write_bytes(OWN[name](png))
    assert bytes(SECRET) in _colours(tmp_path / "a.svg")


XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
LINKED: dict[str, Callable[[Path, str], Path]] = {
    "html": lambda path, name: _written(
        path, f"<p>Words</p><img src='{name}'><iframe src='{name}'></iframe><object data='{name}'></object>"
    ),
    "md": lambda path, name: _written(path, f"Words\n\n![a]({name}) ![b](<file://{name}>) <img src='{name}'>\n"),
    "tex": lambda path, name: _written(
        path, f"\\section{{Words}} Text \\input{{{name}}} \\includegraphics{{{name}}}\n"
    ),
    "epub": lambda path, name: write_epub(path, {"a.xhtml": XHTML.format(f"<p>Words</p><img src='{name}'/>")}),
    "docx": lambda path, name: write_docx(
        path,
        '<w:p><w:r><w:t>Words</w:t></w:r><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml">'
        f'<v:imagedata src="{name}"/></v:shape></w:pict></w:r></w:p>',
    ),
    "odt": lambda path, name: write_odf(
        path,
        "<text:p>Words<draw:frame xmlns:draw='urn:oasis:names:tc:opendocument:xmlns:drawing:1.0'>"
        f"<draw:image xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='{name}'/></draw:frame></text:p>",
    ),
}


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("ending", list(LINKED))
def test_what_a_document_only_links_to_is_not_read(tmp_path: Path, ending: str) -> None:
    (tmp_path / "secret.txt").write_text("Sesame")
    path = LINKED[ending](tmp_path / f"a.{ending}", str(tmp_path / "secret.txt"))
    text = read(path, tmp_path / "work").text
    assert "Words" in text and "Sesame" not in text


enforced = pytest.mark.skipif(not landlock.kernel_version(), reason="this kernel restricts no files")


@enforced
def test_the_document_child_opens_its_own_file_and_no_other(tmp_path: Path) -> None:
    own, other = picture(tmp_path / "own.png", BLUE), picture(tmp_path / "other.png", SECRET)
    (tmp_path / "work").mkdir()
    with closing(_ReadingChild(tmp_path / "work", Draw(str(own), 1, 1.0))) as child:
        events = list(child.ask(Draw(str(own), 1, 1.0), lambda: False))
        assert any(isinstance(event, Drawn) for event in events)
        check_caged(child._child.pid)
        with pytest.raises(DocumentUnreadable) as refused:
            list(child.ask(Draw(str(other), 1, 1.0), lambda: False))
    assert refused.value.reason == "denied"


@enforced
def test_the_decoding_child_opens_nothing_by_itself(tmp_path: Path) -> None:
    """It gets each picture open, from a thread that was there before; what would draw another one finds it closed."""
    first = picture(tmp_path / "first.png", BLUE)
    script = f"""
import os
from pathlib import Path
from app.documents.protocol import Decode
from app.documents.worker import FileOpener, restrict_to
os.chdir({str(tmp_path / "work")!r})
opener = FileOpener()
restrict_to(Decode({str(first)!r}, ""))
assert opener.open(Path({str(first)!r}), "rb").read(4) == b"\\x89PNG"
Path("unpacked").write_text("mine")
import app.documents.decoding
for path in ({str(first)!r}, "/proc/self/root" + {str(first)!r}):
    try:
        open(path)
    except PermissionError:
        continue
    raise SystemExit(path)
"""
    (tmp_path / "work").mkdir()
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
