"""Installs the Debian package in a fresh Debian 13 and tries it as a person would: from the menu, with a PDF, upgraded.

usage: fresh_root.py DEB [PICTURES]. Needs root and debootstrap. The bare root is kept in ~/.cache/fireside/roots; each
trial has a copy, and its program has no network.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "roots"
RELEASE = os.environ.get("FIRESIDE_RELEASE", "trixie")
MIRROR = os.environ.get("FIRESIDE_MIRROR", "http://deb.debian.org/debian")
COMPONENTS = os.environ.get("FIRESIDE_COMPONENTS", "main")
"""Ubuntu's noble has the desktop in main,universe."""
# What a desktop has anyway, in small: a display, a window manager, what opens menu entries, a bus, a font.
DESKTOP = (
    *("eatmydata", "xvfb", "openbox", "xdotool", "imagemagick", "libglib2.0-bin", "dbus-x11", "fonts-dejavu-core"),
    *("desktop-file-utils", "shared-mime-info", "hicolor-icon-theme", "ca-certificates"),
)
CERTIFICATES = Path("/usr/local/share/ca-certificates")
PERSON = "ada"
OLD_VERSION = "0.0.9"
OLD_STORE = ROOT / "tests" / "store" / "data" / "fireside-v12.sql"
"""As an older program wrote it."""
APT = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
WAIT_S = 120
SCREEN = "1280x800x24"


class Failed(Exception):
    """One thing that should have happened and did not."""


class FreshRoot:
    """A copy of a bare root. `run` is for root with the network, `run_as_person` for a person without."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home" / PERSON

    def command(self, *command: str, network: bool) -> list[str]:
        """In namespaces of its own: what it starts and mounts ends with it."""
        cut = [] if network else ["--net"]
        prepare = 'mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/tmp" && exec chroot "$0" "$@"'
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.folder}/proc", *cut]
        return [*spaces, "sh", "-c", prepare, str(self.folder), *command]

    def run(self, *command: str) -> str:
        """Standard output of a command of root's, which must end with 0."""
        return self._run(self.command(*command, network=True))

    def as_person(self, *command: str) -> list[str]:
        """A command as the person starts it."""
        words = ["setpriv", f"--reuid={PERSON}", f"--regid={PERSON}", "--init-groups", "env", "-i"]
        words += [f"HOME=/home/{PERSON}", f"USER={PERSON}", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", *command]
        return self.command(*words, network=False)

    def run_as_person(self, *command: str) -> str:
        """Standard output of a command of the person's, which must end with 0."""
        return self._run(self.as_person(*command))

    def _run(self, command: list[str]) -> str:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
        given: dict[str, Any] = {"env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        done = subprocess.run(command, check=False, **given)
        if done.returncode:
            raise Failed(f"{command[-6:]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout


def bare_root() -> Path:
    """Debian without Fireside, made once."""
    return kept_root(RELEASE, RELEASE, DESKTOP)


def kept_root(name: str, release: str, packages: Sequence[str]) -> Path:
    """A release with some packages, a person, and the certificates that this computer adds; made once."""
    kept = KEPT / name
    if not kept.is_dir():
        KEPT.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=KEPT))
        command = ["debootstrap", "--variant=minbase", f"--components={COMPONENTS}", release, fresh, MIRROR]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        fresh.chmod(0o755)
        root = FreshRoot(fresh)
        for file in ("etc/resolv.conf", "etc/hosts"):
            shutil.copy(f"/{file}", fresh / file)
        if CERTIFICATES.is_dir():
            shutil.copytree(CERTIFICATES, fresh / CERTIFICATES.relative_to("/"), dirs_exist_ok=True)
        root.run(*APT, "update")
        root.run(*APT, "install", *packages)
        root.run("useradd", "--create-home", "--shell", "/bin/bash", PERSON)
        fresh.rename(kept)
    return kept


@contextmanager
def fresh_root() -> Iterator[FreshRoot]:
    """A copy that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="fireside-root-", dir="/var/tmp", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", bare_root(), folder], check=True)
        Path(scratch).chmod(0o755)
        yield FreshRoot(folder)


def older(deb: Path, scratch: Path) -> Path:
    """The same package with an older number, since no older one was given away yet."""
    unpacked, target = scratch / "unpacked", scratch / "older.deb"
    subprocess.run(["dpkg-deb", "-R", deb, unpacked], check=True)
    control = unpacked / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {OLD_VERSION}", control.read_text()))
    command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "-b", unpacked, target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def install(root: FreshRoot, deb: Path) -> str:
    """With apt, as a person types it; what it brought along."""
    shutil.copy(deb, root.folder / "var" / "fireside.deb")
    said = root.run(*APT, "install", "/var/fireside.deb")
    version = root.run("dpkg-query", "-W", "-f", "${Version}", "fireside")
    wrong = root.run("dpkg", "--verify", "fireside").strip()
    if wrong:
        raise Failed(f"dpkg --verify says {wrong}")
    new = re.search(r"(\d+) newly installed", said)
    return f"version {version}, {new[1] if new else '?'} packages new"


def write_old_chats(root: FreshRoot) -> str:
    """The person's chats as an older version left them; the title of one."""
    data = root.home / ".local" / "share" / "fireside"
    data.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(data / "fireside.db")) as database:
        database.executescript(OLD_STORE.read_text("utf-8"))
        (version,) = database.execute("PRAGMA user_version").fetchone()
        title: str = database.execute("SELECT title FROM conversations WHERE title <> '' LIMIT 1").fetchone()[0]
    root.run("chown", "-R", f"{PERSON}:{PERSON}", f"/home/{PERSON}")
    if not version:
        raise Failed(f"{OLD_STORE.name} has no version")
    return title


def chat_titles(root: FreshRoot) -> str:
    """As the terminal lists them."""
    return root.run_as_person("fireside", "chats", "list")


def write_pdf(root: FreshRoot) -> str:
    """A PDF of two pages in the person's home, and its place there."""
    text = (ROOT / "resources" / "texts" / "harbour.txt").read_text("utf-8")
    (root.home / "harbour.pdf").write_bytes(pdf_of(text))
    root.run("chown", f"{PERSON}:{PERSON}", f"/home/{PERSON}/harbour.pdf")
    return f"/home/{PERSON}/harbour.pdf"


def pdf_of(text: str, columns: int = 80, rows: int = 40) -> bytes:
    """Plain text as a PDF in one of the fonts that every reader has."""
    import textwrap

    lines = [line for part in text.splitlines() for line in (textwrap.wrap(part, columns) or [""])]
    pages = [lines[at : at + rows] for at in range(0, len(lines), rows)]
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
    kids = []
    for page in pages:
        shown = "".join(f"({quoted(line)}) Tj T*\n" for line in page)
        stream = f"BT /F1 11 Tf 72 760 Td 16 TL\n{shown}ET"
        objects.append(f"<</Length {len(stream.encode('cp1252', 'replace'))}>>stream\n{stream}\nendstream\n")
        content = len(objects)
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {content} 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252", "replace")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    head = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size {len(places) + 1}>>\n"
    return bytes(out) + f"{head}startxref\n{len(out)}\n%%EOF\n".encode("ascii")


def quoted(line: str) -> str:
    """In a PDF's string."""
    return re.sub(r"([\\()])", r"\\\1", line)


# On the person's display: starts an entry of the menu with files, then does what is asked and keeps pictures.
SESSION = r"""
set -eu
Xvfb :7 -screen 0 {screen} -nolisten tcp >/dev/null 2>&1 &
export DISPLAY=:7
until xdotool getmouselocation >/dev/null 2>&1; do sleep 0.1; done
openbox --sm-disable >/dev/null 2>&1 &
cd ~
{started}
shown=; tries=0
until shown=$(xdotool search --onlyvisible --name Fireside); do
  tries=$((tries + 1)); [ $tries -lt {tries} ] || {{ echo "no window"; exit 1; }}; sleep 0.2
done
{steps}
"""


def session(root: FreshRoot, started: str, steps: str, pictures: Path) -> None:
    """A session of the person's on a display of its own; its pictures go to `pictures`."""
    script = SESSION.format(screen=SCREEN, started=started, steps=steps, tries=WAIT_S * 5)
    root.run_as_person("dbus-run-session", "--", "bash", "-c", script)
    pictures.mkdir(parents=True, exist_ok=True)
    for picture in root.home.glob("*.png"):
        shutil.move(picture, pictures / picture.name)


def colours_of(picture: Path) -> int:
    """How many a picture has; a window that was not drawn has one or two."""
    done = subprocess.run(["identify", "-format", "%k", picture], capture_output=True, text=True, check=True)
    return int(done.stdout)


def try_chat(root: FreshRoot) -> str:
    """The model that came along answers in the terminal."""
    said = root.run_as_person(
        "fireside", "chat", "-p", "Say hello.", "--max-tokens", "16", "--temperature", "0"
    ).strip()
    if not said:
        raise Failed("the answer is empty")
    return repr(said)


def try_start(root: FreshRoot, pictures: Path) -> str:
    """From the menu's entry; the window is closed as a person does."""
    steps = """
sleep 4
import -window root start.png
xdotool key --clearmodifiers ctrl+q
tries=0
while pgrep -u "$(id -u)" -x fireside >/dev/null; do
  tries=$((tries + 1)); [ $tries -lt 150 ] || { echo "it did not end"; exit 1; }; sleep 0.2
done
"""
    session(root, "gio launch /usr/share/applications/fireside.desktop &", steps, pictures)
    colours = colours_of(pictures / "start.png")
    if colours < 50:
        raise Failed(f"the window has {colours} colours")
    kept = [root.home / ".local" / "share" / "fireside", *(root.home / ".local" / "share" / "fireside").iterdir()]
    open_to_others = [path.name for path in kept if path.stat().st_mode & 0o077]
    if open_to_others:
        raise Failed(f"others may read {open_to_others}")
    return f"a window with {colours} colours, closed with Ctrl+Q; nobody else may read what is kept"


def try_summary(root: FreshRoot, pictures: Path) -> str:
    """A PDF is opened as "Summarize with Fireside" does, and its summary is written and in the store."""
    pdf = write_pdf(root)
    steps = """
sleep 6
import -window root opened.png
until [ -e begun ]; do xdotool key --clearmodifiers ctrl+Return; sleep 5; done
until [ -e done ]; do sleep 1; done
sleep 3
import -window root summary.png
xdotool key --clearmodifiers ctrl+q
sleep 3
"""
    watching = threading.Thread(target=tell_of_summary, args=(root,), daemon=True)
    watching.start()
    session(root, f"fireside --summarize {pdf} &", steps, pictures)
    watching.join()
    count = len(summaries(root, "done"))
    if not count:
        raise Failed(f"no summary is stored; see {pictures / 'summary.png'}")
    return f"{count} summary stored; pictures in {pictures}"


def summaries(root: FreshRoot, *states: str) -> list[str]:
    """The states of the summaries in the person's store, but for drafts; only of these, where some are named."""
    data = root.home / ".local" / "share" / "fireside" / "fireside.db"
    with closing(sqlite3.connect(data, timeout=5)) as database:
        found = [state for (state,) in database.execute("SELECT state FROM jobs WHERE kind = 'summary'")]
    return [state for state in found if state in states or (not states and state != "draft")]


def tell_of_summary(root: FreshRoot) -> None:
    """Lays down what the session waits for: a summary was begun, and it is done, or it is given up."""
    deadline = time.monotonic() + 2 * WAIT_S
    for mark, states in (("begun", ()), ("done", ("done",))):
        while not summaries(root, *states) and time.monotonic() < deadline:
            time.sleep(0.5)
        (root.home / mark).touch()


def try_types(root: FreshRoot) -> str:
    """The desktop opens GGUF files with Fireside, and nothing else: no document's program is another than before."""
    offered = root.run_as_person("gio", "mime", "application/x-gguf")
    if "fireside.desktop" not in offered:
        raise Failed(f"for GGUF files is offered: {offered}")
    for kind in ("application/pdf", "text/plain", "text/html"):
        offered = root.run_as_person("gio", "mime", kind)
        if "fireside" in offered:
            raise Failed(f"for {kind} is offered: {offered}")
    (root.home / "model.gguf").write_bytes(b"GGUF" + bytes(60))
    kind = root.run_as_person("gio", "info", "-a", "standard::content-type", f"/home/{PERSON}/model.gguf")
    if "application/x-gguf" not in kind:
        raise Failed(f"a GGUF file is {kind}")
    (root.home / "model.gguf").unlink()
    return "GGUF files are known, documents can be opened with it"


def try_upgrade(root: FreshRoot, deb: Path, title: str) -> str:
    """A newer package takes the place of the older one, and shows the chats that the older one left."""
    said = install(root, deb)
    if title not in chat_titles(root):
        raise Failed(f"the chat {title!r} of before is not listed: {chat_titles(root)}")
    return f"{said}; the chat {title!r} of an older version is listed"


def try_uninstall(root: FreshRoot, title: str) -> str:
    """Nothing is left of the program, and all of what the person has."""
    database = root.home / ".local" / "share" / "fireside" / "fireside.db"
    root.run(*APT, "purge", "fireside")
    left = [str(path) for part in ("bin", "lib", "share") for path in (root.folder / "usr" / part).rglob("*fireside*")]
    if left:
        raise Failed(f"left behind: {left}")
    with closing(sqlite3.connect(database)) as store:
        if not store.execute("SELECT count(*) FROM conversations WHERE title = ?", (title,)).fetchone()[0]:
            raise Failed("the person's chats are gone")
    return "the program is gone, the person's chats are there"


def main(deb: Path, pictures: Path) -> int:
    """Everything in its order, each with a line; 1 when anything failed."""
    with fresh_root() as root, tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        title = ""

        def begin() -> str:
            nonlocal title
            said = install(root, older(deb, Path(scratch)))
            title = write_old_chats(root)
            return said

        attempts: dict[str, Callable[[], str]] = {
            "install": begin,
            "upgrade": lambda: try_upgrade(root, deb, title),
            "version": lambda: root.run_as_person("fireside", "--version").strip(),
            "chat": lambda: try_chat(root),
            "types": lambda: try_types(root),
            "start": lambda: try_start(root, pictures),
            "summary": lambda: try_summary(root, pictures),
            "uninstall": lambda: try_uninstall(root, title),
        }
        failed = False
        for name, attempt in attempts.items():
            began = time.monotonic()
            try:
                print(f"  {name:<10} {attempt()} ({time.monotonic() - began:.0f} s)", flush=True)
            except (Failed, OSError, subprocess.CalledProcessError, sqlite3.Error) as error:
                failed = True
                print(f"  {name:<10} FAILED: {error}", flush=True)
    return int(failed)


if __name__ == "__main__":
    place = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "dist" / "trial"
    sys.exit(main(Path(sys.argv[1]).resolve(), place.resolve()))
