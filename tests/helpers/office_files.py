"""Small DOCX, PPTX and ODF files, written by hand so that a test decides every element."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_WORD_SPACES = (
    f'xmlns:w="{W}" xmlns:r="{RELATIONSHIPS}"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
)
_SLIDE_SPACES = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    f' xmlns:r="{RELATIONSHIPS}"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    ' xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
)
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF_SPACES = (
    " ".join(
        f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "text", "table", "style", "presentation", "meta")
    )
    + f' xmlns:draw="{_ODF}drawing:1.0"'
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def write_zip(path: Path, members: Mapping[str, str | bytes]) -> Path:
    """An archive of these members, deflated."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def rels(targets: Mapping[str, tuple[str, str]]) -> str:
    """A relationships part: id to (last word of the type, target)."""
    lines = "".join(
        f'<Relationship Id="{id_}" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/>'
        for id_, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{lines}</Relationships>'


def word_part(name: str, inner: str) -> str:
    """A part of a DOCX whose root is `w:name`."""
    return f'<?xml version="1.0" encoding="UTF-8"?><w:{name} {_WORD_SPACES}>{inner}</w:{name}>'


def paragraph(text: str, style: str = "", properties: str = "") -> str:
    """A paragraph of one run."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f'<w:p><w:pPr>{named}{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def write_docx(path: Path, body: str, parts: Mapping[str, str | bytes] | None = None) -> Path:
    """A DOCX with this body. `parts` by their names in the folder word, such as "footnotes.xml"; others from /."""
    parts = parts or {}
    kinds = {name: name.removesuffix(".xml").rstrip("0123456789") for name in parts if name.endswith(".xml")}
    members: dict[str, str | bytes] = {
        "_rels/.rels": rels({"rId1": ("officeDocument", "word/document.xml")}),
        "word/document.xml": word_part("document", f"<w:body>{body}</w:body>"),
        "word/_rels/document.xml.rels": rels(
            {f"r{number}": (kind, name) for number, (name, kind) in enumerate(kinds.items())}
        ),
    }
    for name, content in parts.items():
        members[name[1:] if name.startswith("/") else f"word/{name}"] = content
    return write_zip(path, members)


def slide_part(shapes: str, attributes: str = "") -> str:
    """A slide (or, by replacing its root's name, its notes) with these shapes."""
    return f"<p:sld {_SLIDE_SPACES} {attributes}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"


def shape(*paragraphs: str, placeholder: str = "") -> str:
    """A shape with these paragraphs of plain text; `placeholder` is its type, such as "title"."""
    named = f'<p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr>' if placeholder else ""
    inner = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in paragraphs)
    return f"<p:sp>{named}<p:txBody>{inner}</p:txBody></p:sp>"


def write_pptx(path: Path, slides: Mapping[str, str], parts: Mapping[str, str | bytes] | None = None) -> Path:
    """A PPTX: slides by file name in the order they are shown; `parts` by their names in the archive."""
    ids = {f"rId{number}": name for number, name in enumerate(slides, 1)}
    listed = "".join(f'<p:sldId id="{256 + number}" r:id="{id_}"/>' for number, id_ in enumerate(ids))
    members: dict[str, str | bytes] = {
        "_rels/.rels": rels({"rId1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {_SLIDE_SPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": rels({id_: ("slide", f"slides/{name}") for id_, name in ids.items()}),
    }
    members |= {f"ppt/slides/{name}": content for name, content in sorted(slides.items())}
    return write_zip(path, members | dict(parts or {}))


def odf_part(name: str, inner: str, attributes: str = "") -> str:
    """A part of an ODF whose root is `office:name`."""
    return f'<?xml version="1.0" encoding="UTF-8"?><office:{name} {_ODF_SPACES} {attributes}>{inner}</office:{name}>'


def odf_content(body: str, kind: str = "text", styles: str = "") -> str:
    """A content.xml; `kind` is text or presentation."""
    inner = (
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    )
    return odf_part("document-content", inner)


def write_odf(
    path: Path, body: str, parts: Mapping[str, str | bytes] | None = None, kind: str = "text", styles: str = ""
) -> Path:
    """An ODT (or ODP) with this body."""
    members: dict[str, str | bytes] = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": odf_content(body, kind, styles),
    }
    return write_zip(path, members | dict(parts or {}))


def write_flat_odf(path: Path, body: str, kind: str = "text", before: str = "") -> Path:
    """A .fodt (or .fodp): one XML file; `before` stands in front of the body."""
    inner = f"{before}<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    path.write_text(
        odf_part("document", inner, f'office:mimetype="application/vnd.oasis.opendocument.{kind}"'), encoding="utf-8"
    )
    return path


class Planned:
    """A document that is being made up: `seen` are the words to be read, in their order; `never` must not be."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.never: list[str] = []
        self._count = 0

    def word(self) -> str:
        """A word that is read at once."""
        self.seen.append(self.unseen())
        return self.seen[-1]

    def hidden(self) -> str:
        """A word that is never read."""
        self.never.append(self.unseen())
        return self.never[-1]

    def unseen(self) -> str:
        """A word of which nothing is said yet."""
        self._count += 1
        return f"mk{self._count}q"


def misplaced(names: str, attributes: tuple[str, ...], leaf: str) -> st.SearchStrategy[str]:
    """Elements of these names with these attributes, in each other as no program writes them."""
    return st.recursive(
        st.sampled_from(["word", "<!-- x -->", "<?x y?>", leaf]),
        lambda inner: st.builds(
            lambda name, said, parts: f"<{name} {said}>{''.join(parts)}</{name}>",
            st.sampled_from(names.split()),
            st.sampled_from(attributes),
            st.lists(inner, max_size=4),
        ),
        max_leaves=25,
    )
