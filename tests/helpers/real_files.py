"""Documents that other programs made, what those programs read in them, and new ones made by them."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from app.documents.blocks import BlockKind
from tests.helpers.documents import Result, pdf_of, pdf_stream

FAQ = Path("/usr/share/doc/debian/FAQ")
_WORD = re.compile(r"\w+")
_PACKAGE_PARTS = {".docx": r"word/(document|footnotes|endnotes|comments)\.xml", ".pptx": r"ppt/slides/slide\d+\.xml"}
_NAME = re.compile(r"\{.*(?:wordprocessingml|drawingml).*\}(p|t|tab|br|cr)")


def fetched(package: str, *endings: str) -> list[Path]:
    """The documents of an archive that `make test-documents` fetches; their absence is a failure."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "documents"
    found = sorted(path for path in folder.glob(f"{package}-*/**/*") if path.suffix.lower() in endings)
    assert found, f"no documents of {package}: run `make test-documents`"
    return found


def of_poi(name: str) -> Path:
    """A test file of Apache POI, where its source could be had; the test is skipped otherwise."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "documents-poi"
    if not (folder / name).is_file():
        pytest.skip("the source of libapache-poi-java could not be had")
    return folder / name


def program(name: str) -> str:
    """The path of a program; its absence is a failure."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: run `make test-documents`"
    return path


def output_of(command: Sequence[str | Path], given: bytes = b"") -> bytes:
    """What a program writes to its standard output."""
    done = subprocess.run([str(part) for part in command], input=given, capture_output=True, check=False, timeout=110)
    assert done.returncode == 0, (command, done.stderr[-400:])
    return done.stdout


def convert(source: Path, ending: str, folder: Path, input_filter: str = "") -> Path:
    """The file as LibreOffice saves it in another format; `folder` also holds its profile."""
    command: list[str | Path] = [program("soffice"), f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    command += ["--headless", "--norestore", "--convert-to", ending, "--outdir", folder / "made"]
    command += [f"--infilter={input_filter}"] if input_filter else []
    output_of([*command, source])
    made = folder / "made" / f"{source.stem}.{ending.partition(':')[0]}"
    assert made.exists(), f"LibreOffice made no {made.name}"
    return made


def pandoc(source: Path, target: Path, *options: str) -> Path:
    """The file as pandoc writes it in the format of the target's name."""
    output_of([program("pandoc"), "--standalone", source, "-o", target, *options])
    return target


def pandoc_text(path: Path) -> str:
    """What pandoc reads in a file."""
    return output_of([program("pandoc"), "--to=plain", "--wrap=none", path]).decode("utf-8")


def pdftotext_pages(path: Path, *options: str) -> list[str]:
    """What Poppler reads in a PDF, page by page."""
    text = output_of([program("pdftotext"), "-enc", "UTF-8", *options, path, "-"]).decode("utf-8")
    return text.split("\f")[:-1]


def office_text(path: Path) -> str:
    """All text elements of the parts of an Office file that hold its text, a paragraph a line."""
    lines: list[str] = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(_PACKAGE_PARTS[path.suffix.lower()], name):
                root = etree.fromstring(archive.read(name))
                lines += [_paragraph(each) for each in root.iter() if _name(each) == "p"]
    return "\n".join(lines)


def _name(element: etree._Element) -> str:
    match = _NAME.fullmatch(str(element.tag))
    return match[1] if match else ""


def _paragraph(paragraph: etree._Element) -> str:
    """Its text without that of paragraphs inside of it, which are listed by themselves; deletions have no `t`."""
    found, stack = "", list(reversed(paragraph))
    while stack:
        element = stack.pop()
        name = _name(element)
        if name == "p" or str(element.tag).endswith("}Fallback"):
            continue
        found += element.text or "" if name == "t" else " " if name else ""
        stack += reversed(element)
    return found


def book(language: str, ending: str, folder: Path) -> Path:
    """The Debian FAQ in a language; Debian keeps its PDF and its text compressed."""
    names = [f"debian-faq.{language}.{ending}.gz", f"debian-faq.{ending}.gz" if language == "de" else ""]
    packed = next((FAQ / name for name in names if name and (FAQ / name).exists()), None)
    assert packed is not None, f"no Debian FAQ in {language}: run `make test-documents`"
    path = folder / f"faq-{language}.{ending}"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def words_of(result: Result) -> tuple[str, ...]:
    """The words that were read, in order; the numbers of list items too."""
    return folded(
        "\n".join(f"{block.label if block.kind is BlockKind.LIST_ITEM else ''} {block.text}" for block in result.blocks)
    )


def scanned(pdf: Path, page: int, target: Path, dots_per_inch: int = 200) -> Path:
    """A PDF of one page that is nothing but a picture of a page of another."""
    command = [program("pdftoppm"), "-gray", "-r", str(dots_per_inch), "-f", str(page), "-l", str(page), pdf]
    magic, size, _, pixels = output_of(command).split(b"\n", 3)
    assert magic == b"P5"
    width, height = map(int, size.split())
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray" % (width, height)
    picture = pdf_stream(zlib.compress(pixels), entries + b" /BitsPerComponent 8 /Filter /FlateDecode")
    box = b"[0 0 %d %d]" % (width * 72 // dots_per_inch, height * 72 // dots_per_inch)
    matrix = b"%d 0 0 %d 0 0 cm" % (width * 72 // dots_per_inch, height * 72 // dots_per_inch)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>" % box,
        pdf_stream(b"q %s /I Do Q" % matrix),
        picture,
    ]
    target.write_bytes(pdf_of(objects))
    return target


@cache
def folded(text: str) -> tuple[str, ...]:
    """The words of a text without regard to case and to forms of the same letters; hyphens at line ends are gone."""
    joined = re.sub(r"(?<=\w)[\u00ad‐-]\s*\n\s*(?=\w)", "", unicodedata.normalize("NFKC", text))
    return tuple(_WORD.findall(joined.replace("\u00ad", "").casefold()))


def missing(wanted: Iterable[str], found: Iterable[str]) -> Counter[str]:
    """What is wanted and not found, each as often as it is missing."""
    return Counter(wanted) - Counter(found)


def share_found(wanted: Sequence[str], found: Sequence[str]) -> float:
    """How much of what is wanted is found; 1 where nothing is wanted."""
    return 1 - missing(wanted, found).total() / len(wanted) if wanted else 1.0


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """How much of two texts is the same in the same order, 0 to 1 (difflib's ratio)."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
