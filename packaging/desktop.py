"""What a desktop wants of a program: menu entries, icons in all sizes, its file type, its page in software centres."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
LINUX = ROOT / "packaging" / "linux"
ICON = ROOT / "resources" / "icons" / "fireside.svg"
SMALL_ICON = LINUX / "fireside-small.svg"
SIZES = (16, 22, 24, 32, 48, 64, 96, 128, 256, 512)
LARGEST_OF_SMALL_ICON = 24
"""Up to so many pixels the icon is the one that has fewer lines."""
SCREENSHOTS = {
    "light": "An answer about a document, beside the page it may come from",
    "dark": "A summary beside the page it rests on",
}
"""Pictures of resources/pictures, which the program's page has in its folder `pictures`."""
ACTIONS = ("summarize", "translate")
DOCUMENT_TYPES = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text",
    "application/epub+zip",
    "application/rtf",
    "text/html",
    "text/markdown",
    "text/plain",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "text/csv",
    "application/x-subrip",
    "message/rfc822",
)
"""What the actions are offered for. No menu entry names these types: a desktop opens a file for which nobody has chosen
a program with the first entry that does, by name.
"""
ICO_SIZES = {str(size): size for size in (16, 20, 24, 32, 40, 48, 64, 128, 256)}
ICNS_SIZES = {"icp4": 16, "ic11": 32, "ic12": 64, "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024}
"""By Apple's names of them; 32 and 64 are 16 and 32 points on a display of twice the pixels."""

RENDER_ICONS = """
import sys
from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
app = QGuiApplication([])
for source, size, target in zip(*[iter(sys.argv[1:])] * 3):
    picture = QImage(int(size), int(size), QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    QSvgRenderer(source).render(painter, QRectF(0, 0, int(size), int(size)))
    painter.end()
    if not picture.save(target):
        sys.exit(target + " could not be drawn")
"""


def homepage() -> str:
    """Where a person reads about the program, as whoever builds it says; "" while there is no such place."""
    return os.environ.get("FIRESIDE_HOMEPAGE", "")


def add_to_desktop(share: Path) -> None:
    """Menu entry, actions in file managers, icons, file type and the page for software centres."""
    applications = write_entries(share)
    (share / "mime" / "packages").mkdir(parents=True)
    shutil.copy(LINUX / "fireside.mime.xml", share / "mime" / "packages" / "fireside.xml")
    (share / "metainfo").mkdir()
    metainfo = share / "metainfo" / "io.github.fireside.Fireside.metainfo.xml"
    metainfo.write_text(with_homepage((LINUX / "fireside.metainfo.xml").read_text("utf-8"), homepage()), "utf-8")
    icons = share / "icons" / "hicolor"
    wanted: list[str] = []
    for size in SIZES:
        target = icons / f"{size}x{size}" / "apps" / "fireside.png"
        target.parent.mkdir(parents=True)
        wanted += [str(SMALL_ICON if size <= LARGEST_OF_SMALL_ICON else ICON), str(size), str(target)]
    draw(wanted)
    (icons / "scalable" / "apps").mkdir(parents=True)
    shutil.copy(ICON, icons / "scalable" / "apps" / "fireside.svg")
    validate(applications, metainfo)


def write_entries(share: Path) -> Path:
    """The menu entry, and its actions where file managers look for them; return the folder of the entry."""
    entry = (LINUX / "fireside.desktop").read_text("utf-8")
    files = {"applications/fireside.desktop": entry, "kio/servicemenus/fireside.desktop": service_menu(entry)}
    files |= {f"nemo/actions/fireside-{action}.nemo_action": nemo_action(entry, action) for action in ACTIONS}
    for name, text in files.items():
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(text, "utf-8")
    return share / "applications"


def with_homepage(metainfo: str, page: str) -> str:
    """The page for software centres with a link to the program's own, and pictures that lie below it."""
    if not page:
        return metainfo
    place = escape(page.split("?", maxsplit=1)[0].rstrip("/"))
    lines = [f'  <url type="homepage">{escape(page)}</url>', "  <screenshots>"]
    for number, (name, caption) in enumerate(SCREENSHOTS.items()):
        kind = ' type="default"' if not number else ""
        lines += [f"    <screenshot{kind}>", f"      <caption>{caption}</caption>"]
        lines += [f"      <image>{place}/pictures/{name}.png</image>", "    </screenshot>"]
    lines += ["  </screenshots>"]
    return metainfo.replace("  <launchable", "\n".join(lines) + "\n  <launchable", 1)


FROM_BEFORE = ("is not a known version", "is not recognized")
"""What Debian 12's say of the form of menu entries, which is from later, and of the names of issues."""


def validate(applications: Path, metainfo: Path) -> None:
    """By the desktops' own programs, where they are installed. Ends the build where something is wrong."""
    checks = {"desktop-file-validate": sorted(applications.glob("*.desktop"))}
    if not homepage():
        print("Without FIRESIDE_HOMEPAGE software centres and the Debian package name no page of the program.")
    allowed = [] if homepage() else ["--override=url-homepage-missing=info"]
    for name, arguments in (checks | {"appstreamcli": ["validate", "--no-net", *allowed, metainfo]}).items():
        if not shutil.which(name):
            print(f"Without {name} it was not checked whether {', '.join(map(str, arguments[-1:]))} is right.")
            continue
        done = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
        said = done.stdout.strip() + done.stderr.strip()
        if done.returncode and any(words in said for words in FROM_BEFORE):
            print(f"{name} is older than what it should check, and was not heard: {said}")
        elif done.returncode:
            raise SystemExit(f"{name}: {said}")


def draw(wanted: list[str]) -> None:
    """Pictures of the icon: an SVG, a size in pixels and a PNG's place, as often as wanted."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", RENDER_ICONS, *wanted], env=environment, check=True)


def write_icon(target: Path) -> None:
    """The icon in one file as Windows (.ico) or macOS (.icns) has it: PNGs of several sizes behind each other."""
    kinds = ICO_SIZES if target.suffix == ".ico" else ICNS_SIZES
    with tempfile.TemporaryDirectory() as scratch:
        places = {size: Path(scratch) / f"{size}.png" for size in kinds.values()}
        draw(
            [
                word
                for size, place in places.items()
                for word in (str(SMALL_ICON if size <= LARGEST_OF_SMALL_ICON else ICON), str(size), str(place))
            ]
        )
        pictures = [(kind, places[size].read_bytes()) for kind, size in kinds.items()]
    if target.suffix == ".icns":
        body = b"".join(kind.encode() + struct.pack(">I", 8 + len(png)) + png for kind, png in pictures)
        target.write_bytes(b"icns" + struct.pack(">I", 8 + len(body)) + body)
        return
    at = 6 + 16 * len(pictures)
    entries = b""
    for kind, png in pictures:
        side = kinds[kind] % 256  # 256 is written as 0
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(png), at)
        at += len(png)
    target.write_bytes(struct.pack("<HHH", 0, 1, len(pictures)) + entries + b"".join(png for _, png in pictures))


def action_lines(entry: str, action: str) -> list[str]:
    """What the menu entry says of one of its actions: its names in all languages and its command."""
    sections = entry.split("\n[Desktop Action ")[1:]
    section = next(part for part in sections if part.startswith(f"{action}]"))
    return [line for line in section.splitlines()[1:] if line]


def service_menu(entry: str) -> str:
    """The actions in the menu that KDE's file manager shows for a document."""
    head = [
        "[Desktop Entry]",
        "Type=Service",
        "X-KDE-ServiceTypes=KonqPopupMenu/Plugin",
        # Only here, not in the menu entry: where no program was chosen a document is opened with the first by name.
        f"MimeType={';'.join(DOCUMENT_TYPES)};",
        f"Actions={';'.join(ACTIONS)};",
        "TryExec=fireside",
        "Icon=fireside",
    ]
    parts = [[f"[Desktop Action {action}]", "Icon=fireside", *action_lines(entry, action)] for action in ACTIONS]
    return "\n\n".join("\n".join(lines) for lines in (head, *parts)) + "\n"


def nemo_action(entry: str, action: str) -> str:
    """One action in the menu that Cinnamon's file manager shows for documents."""
    lines = [
        "[Nemo Action]",
        *action_lines(entry, action),
        "Icon-Name=fireside",
        "Selection=notnone",
        f"Mimetypes={';'.join(DOCUMENT_TYPES)};",
        "Dependencies=fireside;",
    ]
    return "\n".join(lines) + "\n"
