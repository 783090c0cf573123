"""Makes a frozen program smaller without taking anything from it: symbols, unused ICU data, icons nobody draws."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from parts import folder_bytes, is_program

ROOT = Path(__file__).resolve().parents[1]

# Of ICU's data Qt uses collation, converters and time zones: ucol, ucnv and ucal are all that libQt6Core imports.
# Names of units, currencies, languages and regions, spelled-out numbers, transliterations, word dictionaries and the
# dates of every locale, which Qt has in tables of its own, are 24 of 32 MB.
ICU_NOT_USED = ("unit/", "curr/", "lang/", "region/", "zone/", "translit/", "rbnf/", "brkitr/")
ICU_KEPT = (
    *("root", "pool", "res_index", "supplementalData", "likelySubtags", "keyTypeData", "timezoneTypes"),
    *("zoneinfo64", "metaZones", "windowsZones", "numberingSystems", "metadata", "dayPeriods", "icuver", "icustd"),
)
LARGEST_CONVERTER_BYTES = 8_000
"""Of one for an alphabet; those of thousands of signs are larger."""
CONVERTERS_KEPT = (
    *("gb18030", "windows-936-2000", "ibm-1386_P100-2001", "windows-950-2000", "ibm-1373_P100-2002"),
    *("windows-949-2000", "ibm-1363_P11B-1998", "ibm-970_P110_P110-2006_U2", "euc-jp-2007", "ibm-943_P15A-2003"),
)
"""For Chinese (GB 18030, GBK, Big5), Korean and Japanese (EUC and Shift JIS), with what these are made of."""
ICU_MARK, ICU_MARK_AT = b"CmnD", 12


def trim(internal: Path) -> list[tuple[str, int]]:
    """Makes everything below PyInstaller's folder smaller; what each step took off, in bytes."""
    steps = [
        ("symbols of libraries", strip_libraries),
        ("second names of libraries", link_copies),
        ("ICU's unused data", cut_icu),
        ("icons that are not drawn", cut_icons),
        ("language data", pack_languages),
        ("drawing in the browser", pack_drawing),
        ("Vulkan until it is used", pack_backends),
    ]
    saved, before = [], folder_bytes(internal)
    for name, step in steps:
        step(internal)
        after = folder_bytes(internal)
        saved.append((name, before - after))
        before = after
    return saved


def strip_libraries(folder: Path) -> None:
    """Takes from every library what only a debugger reads, and the builder's folders that it would search too."""
    libraries = sorted(path for path in folder.rglob("*") if is_program(path))
    for path in libraries:
        # A library of the system may be a hard link, and a wheel's is not to be changed: PyInstaller copies both.
        done = subprocess.run(["strip", "--strip-unneeded", path], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{path.name} could not be stripped: {done.stderr.strip()}")
        places = _patched(path, "--print-rpath")
        beside = ":".join(place for place in places.split(":") if place.startswith("$ORIGIN"))
        if beside != places:
            _patched(path, *(["--set-rpath", beside] if beside else ["--remove-rpath"]))


def _patched(path: Path, *arguments: str) -> str:
    """What patchelf says; "" of a program that is linked with nothing."""
    done = subprocess.run(["patchelf", *arguments, path], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def link_copies(internal: Path) -> None:
    """The engine's library by the name that Python knows, and by the one that other libraries are linked with."""
    first: dict[bytes, Path] = {}
    for path in sorted(internal.glob("llama_cpp/lib/*.so*"), reverse=True):  # the longer name is the file's
        if not path.is_symlink():
            same = first.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
            if same != path:
                path.unlink()
                path.symlink_to(same.name)


def pack_languages(internal: Path) -> None:
    """The model that tells languages, gzipped: a tenth of its size for a seventh of a second when it is read.

    The copy that came with py3langid, packed more tightly and slower to read, is then one too many.
    """
    _gzip(internal / "resources" / "languages" / "model.npz")
    (internal / "py3langid" / "data" / "model.npz.xz").unlink()


def pack_drawing(internal: Path) -> None:
    """The library that draws in the browser, a quarter of its size."""
    for library in internal.glob("resources/drawing/*.js"):
        _gzip(library)


def _gzip(path: Path) -> None:
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as file, packed.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        shutil.copyfileobj(file, out)
    path.unlink()


def pack_backends(internal: Path) -> None:
    """The engine's library for Vulkan, a ninth of its size, of which 96 % are programs for all kinds of GPUs.

    The engine unpacks it where the system has Vulkan (`app/engine/llama/llama_library.py`), by the digest in its name.
    """
    for library in internal.glob("bin/libggml-vulkan.so"):
        content = library.read_bytes()
        name = f"{library.stem}-{hashlib.sha256(content).hexdigest()[:16]}.so.xz"
        preset = 1 if "PACK_LEVEL" in os.environ else 9 | lzma.PRESET_EXTREME  # 27 s: too long for trying
        packed = lzma.compress(content, check=lzma.CHECK_SHA256, preset=preset)
        library.with_name(name).write_bytes(packed)
        library.unlink()


def cut_icons(internal: Path) -> None:
    """Leaves in the icon font what some part of the program names, and those names in the list; 1 MB less."""
    icons = internal / "resources" / "icons"
    if not (icons / "phosphor.ttf").is_file():
        return
    names = icons / "phosphor-charmap.json"
    charmap: dict[str, str] = json.loads(names.read_text("utf-8"))
    drawn = {name: code for name, code in charmap.items() if name in words_of(ROOT / "app", ROOT / "resources")}
    names.write_text(json.dumps(drawn), "utf-8")
    command = [sys.executable, "-m", "fontTools.subset", icons / "phosphor.ttf", f"--output-file={icons / 'small.ttf'}"]
    command += [f"--unicodes={','.join(drawn.values())}", "--no-hinting", "--glyph-names", "--no-recalc-timestamp"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (icons / "small.ttf").replace(icons / "phosphor.ttf")


@lru_cache(maxsize=1)
def words_of(*folders: Path) -> frozenset[str]:
    """Every text in quotation marks in a folder's sources and tables that could be the name of an icon."""
    found: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".json")):
        if not path.is_relative_to(ROOT / "resources" / "icons"):
            found.update(re.findall(r"""["']([a-z][a-z-]*)["']""", path.read_text("utf-8")))
    return frozenset(found)


def cut_icu(internal: Path) -> None:
    """Builds libicudata, which holds one table of files, anew without the files that Qt never asks for."""
    for library in internal.glob("PySide6/Qt/lib/libicudata.so.*"):
        with tempfile.TemporaryDirectory() as scratch:
            small = cut_icu_library(library, Path(scratch))
            shutil.copyfile(small, library)


def cut_icu_library(library: Path, scratch: Path) -> Path:
    """The smaller library, of the same name for the loader and with the same one symbol."""
    data = icu_data(library)
    whole, names, small = scratch / f"{data.name}l.dat", scratch / "names.txt", scratch / "small" / f"{data.name}l.dat"
    whole.write_bytes(data.content)
    listed = subprocess.run(["icupkg", "-l", whole], capture_output=True, text=True, check=True).stdout.split()
    unused = {name for name in listed if not is_icu_used(name, data.sizes[name])}
    small.parent.mkdir()
    while not small.exists():
        names.write_text("".join(f"{name}\n" for name in sorted(unused)))
        done = subprocess.run(["icupkg", "-r", names, whole, small], capture_output=True, text=True, check=False)
        orphans = set(re.findall(r"Item (\S+) depends on missing", done.stdout + done.stderr))  # made of what is gone
        if done.returncode and not orphans - unused:
            raise SystemExit(f"ICU's data could not be cut: {done.stderr.strip()[-1000:]}")
        unused |= orphans
    source, out = scratch / "data.s", scratch / library.name
    symbol = f"{data.name}_dat"
    source.write_text(
        f'.section .rodata\n.balign 16\n.global {symbol}\n.type {symbol},@object\n{symbol}: .incbin "{small}"\n'
        f'.size {symbol}, . - {symbol}\n.section .note.GNU-stack,"",@progbits\n'
    )
    soname = ".".join(library.name.split(".")[:3])
    link = ["cc", "-shared", "-nostdlib", f"-Wl,-soname,{soname}", "-Wl,--build-id=none", "-s", "-o", out, source]
    subprocess.run(link, check=True)
    return out


def is_icu_used(name: str, size_bytes: int) -> bool:
    """Whether a file of ICU's data may be asked for by Qt."""
    if name.startswith(ICU_NOT_USED):
        return False
    stem, _, ending = name.partition(".")
    if ending == "cnv":
        return size_bytes <= LARGEST_CONVERTER_BYTES or stem in CONVERTERS_KEPT
    return ending != "res" or "/" in stem or stem in ICU_KEPT


class IcuData:
    """ICU's table of files: a header, how many there are, for each where its name and its content begin, then both."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content
        header_bytes = struct.unpack_from("<H", content)[0]
        count = struct.unpack_from("<I", content, header_bytes)[0]
        entries = [struct.unpack_from("<II", content, header_bytes + 4 + 8 * number) for number in range(count)]
        ends = [begin for _, begin in entries[1:]] + [len(content) - header_bytes]
        self.sizes: dict[str, int] = {}
        for (name_at, begin), end in zip(entries, ends, strict=True):
            at = header_bytes + name_at
            path = content[at : content.index(b"\0", at)].decode("ascii")
            self.sizes[path.partition("/")[2]] = end - begin


def icu_data(library: Path) -> IcuData:
    """Finds the table in a library, by the one symbol that it has, such as icudt73_dat."""
    symbols = subprocess.run(["readelf", "-sDW", library], capture_output=True, text=True, check=True).stdout
    (fields,) = (line.split() for line in symbols.splitlines() if line.endswith("_dat"))
    content = library.read_bytes()
    begin = content.index(ICU_MARK) - ICU_MARK_AT
    return IcuData(fields[-1].removesuffix("_dat"), content[begin : begin + int(fields[2], 0)])
