"""The library of pictures: each once, made again when the cache has lost it, and a sentence for what is none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.child import CHECKOUT
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken
from app.features.media import FileRefused, MediaLibrary, MediumAdded, PassingLibrary, remove_passing
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.media_store import StoredMedia
from tests.helpers.disks import small_disk
from tests.helpers.picture_files import BLUE, bomb, colour_at, picture, rows_of


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "chats.db")) as database:
        yield database


@pytest.fixture
def library(database: Database, tmp_path: Path) -> MediaLibrary:
    store = Conversations(database, clock=lambda: 100.0).media
    return MediaLibrary(store, tmp_path / "media", tmp_path / "decoded", tmp_path / "child")


def test_fifty_at_once_some_of_which_are_none(library: MediaLibrary, tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{number}.png", (number, 0, 0)) for number in range(47)]
    (tmp_path / "text.png").write_text("no picture")
    paths[3:3] = [tmp_path / "text.png", bomb(tmp_path / "bomb.png"), tmp_path / "missing.png"]
    found = list(library.add_several(paths, CancelToken()))
    assert [one.path for one in found] == paths
    assert [isinstance(one, FileRefused) for one in found].count(True) == 3
    told = [one.error for one in found if isinstance(one, FileRefused)]
    assert {Path(error.path).name for error in told} == {"text.png", "bomb.png", "missing.png"}  # type: ignore[attr-defined]
    assert len(library.store.all()) == 47
    assert sorted(each.name[:4] for each in (tmp_path / "media").iterdir() if each.is_file()) == []


def test_the_same_picture_is_kept_once_and_made_again_from_what_was_given(
    library: MediaLibrary, tmp_path: Path
) -> None:
    given = picture(tmp_path / "a.png", BLUE, (700, 20))
    stored = library.add_picture(given)
    (tmp_path / "b.png").write_bytes(given.read_bytes())
    assert library.add_picture(tmp_path / "b.png").sha256 == stored.sha256
    original = library.original_path(stored)
    assert original.read_bytes() == given.read_bytes()
    assert original.stat().st_mode & 0o077 == (tmp_path / "media").stat().st_mode & 0o077 & 0o666
    given.unlink()
    for lost in (tmp_path / "decoded").iterdir():
        lost.unlink()
    shown = library.decode_media(stored, most_tokens=64)
    assert (shown.id, shown.width, shown.height, shown.most_tokens) == (stored.sha256, 700, 20, 64)
    assert colour_at(Path(shown.path), 699, 19) == BLUE
    assert rows_of(library.preview_path(stored))[:2] == (512, 14)


def test_what_nothing_uses_goes_with_its_files(library: MediaLibrary, tmp_path: Path) -> None:
    stored = library.add_picture(picture(tmp_path / "a.png"))
    library.remove_unused(50.0)
    assert library.original_path(stored).is_file()
    library.remove_unused(200.0)
    assert not library.original_path(stored).exists() and not list((tmp_path / "decoded").iterdir())


def test_what_a_run_that_was_killed_left_half_done_goes(library: MediaLibrary, tmp_path: Path) -> None:
    stored = library.add_picture(picture(tmp_path / "a.png"))
    there = [library.original_path(stored), *sorted((tmp_path / "decoded").iterdir())]
    left = [
        tmp_path / "media" / "new-1-2",
        tmp_path / "media" / "ab" / f"ab{'0' * 62}",
        tmp_path / "decoded" / f"{stored.sha256}-new-7",
        tmp_path / "decoded" / f"{stored.sha256}-small-7",
    ]
    at_work = tmp_path / "media" / "new-3-4"
    for path in (*left, at_work):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    for path in left:
        os.utime(path, (10.0, 10.0))
    library.remove_unused(50.0)
    assert [path.exists() for path in left] == [False] * 4
    assert all(path.exists() for path in (*there, at_work)), "what another process is about to keep is none of it"


KEEPING = """
import sys
from pathlib import Path
from app.core.events import CancelToken
from app.features.media import MediaLibrary
from app.store.conversations import Conversations
from app.store.database import Database

home = Path(sys.argv[1])
store = Conversations(Database.open(home / "chats.db")).media
library = MediaLibrary(store, home / "media", home / "decoded", home / "child")
for found in library.add_several(sorted(home.glob("given/*.png")), CancelToken()):
    store.put_into_draft(None, found.media.sha256, found.path.name)
    print(found.path.name, flush=True)
"""


@pytest.mark.parametrize("told", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_kill_while_pictures_come_costs_none_of_those_that_are_there(tmp_path: Path, told: int) -> None:
    (tmp_path / "given").mkdir()
    given = {path.name: path for path in (tmp_path / "given" / f"{number:02}.png" for number in range(20))}
    for number, path in enumerate(given.values()):
        picture(path, (number, 0, 0), (900, 700))
    command = [sys.executable, "-c", KEEPING, str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = [program.stdout.readline().strip() for _ in range(told)]
        program.kill()
    with closing(Database.open(tmp_path / "chats.db")) as database:
        store = Conversations(database).media
        library = MediaLibrary(store, tmp_path / "media", tmp_path / "decoded", tmp_path / "child")
        library.remove_unused(time.time() + 1)
        kept = {use.name: use.media for use in store.in_draft(None)}
        assert said == list(kept)[:told] and len(kept) < len(given)
        assert all(
            library.original_path(media).read_bytes() == given[name].read_bytes() for name, media in kept.items()
        )
        assert set(store.all()) == {media.sha256 for media in kept.values()}
        originals = {path.name for path in (tmp_path / "media").rglob("*") if path.is_file()}
        assert originals == set(store.all()), "and nothing else stays"


def test_what_is_given_again_while_it_is_tidied_away_stays(database: Database, tmp_path: Path) -> None:
    now = [100.0]
    store = Conversations(database, clock=lambda: now[0]).media
    library = MediaLibrary(store, tmp_path / "media", tmp_path / "decoded", tmp_path / "child")
    given = picture(tmp_path / "a.png")
    library.add_picture(given)
    now[0], know = 300.0, store.add
    tidying = threading.Thread(target=library.remove_unused, args=(200.0,))

    def know_late(media: StoredMedia) -> StoredMedia:
        tidying.start()
        tidying.join(0.1)  # it has to wait: all the time that it has
        return know(media)

    store.add = know_late  # type: ignore[method-assign]
    stored = library.add_picture(given)
    tidying.join()
    assert library.original_path(stored).read_bytes() == given.read_bytes()


@pytest.mark.parametrize("full", ["media", "decoded"])
def test_where_the_disk_is_full_no_picture_is_half_kept(database: Database, tmp_path: Path, full: str) -> None:
    with small_disk(tmp_path / "small", 16_384) as disk:
        folders = {name: tmp_path / name for name in ("media", "decoded")} | {full: disk / full}
        store = Conversations(database).media
        library = MediaLibrary(store, folders["media"], folders["decoded"], tmp_path / "child")
        given = picture(tmp_path / "a.png", BLUE, (300, 200))
        if full == "media":
            given.write_bytes(given.read_bytes() + bytes(40_000))  # what stands behind a picture is no harm
        with pytest.raises(DiskFull):
            library.add_picture(given)
        assert store.all() == []
        left = [path for folder in folders.values() for path in folder.rglob("*") if path.is_file()]
        assert left == []


def test_of_a_temporary_chat_no_file_stays(database: Database, tmp_path: Path) -> None:
    library = PassingLibrary(Conversations(database).media, tmp_path / "cache", tmp_path / "child")
    stored = library.add_picture(picture(tmp_path / "a.png"))
    assert library.preview_path(stored).is_file()
    library.remove_all()
    assert list((tmp_path / "cache").iterdir()) == []
    left = tmp_path / "cache" / "passing-of-a-run-that-was-killed"
    of_others = tmp_path / "cache" / f"passing-{os.getppid()}-0"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead = tmp_path / "cache" / f"passing-{ended.pid}-0"
    for folder in (left, of_others, dead):
        folder.mkdir()
    remove_passing(tmp_path / "cache", left.stat().st_mtime + 1)
    assert list((tmp_path / "cache").iterdir()) == [of_others], "the terminal may be at work beside the window"


def test_cancelled_it_ends_and_keeps_what_was_there(library: MediaLibrary, tmp_path: Path) -> None:
    cancel = CancelToken()
    paths = [picture(tmp_path / f"{number}.png", (number, 0, 0)) for number in range(4)]
    found = []
    for one in library.add_several(paths, cancel):
        found.append(one)
        cancel.cancel()
    assert len(found) == 1 and isinstance(found[0], MediumAdded)


def test_a_drawing_is_kept_as_given_and_shows_nothing_that_it_only_names(library: MediaLibrary, tmp_path: Path) -> None:
    """Whoever shows it, sends it to a model or prints it takes what the child drew."""
    secret = picture(tmp_path / "secret.png", (255, 0, 255))
    given = tmp_path / "a.svg"
    given.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="48">'
        f'<image xlink:href="{secret}" width="64" height="48"/><rect width="64" height="9" fill="#1e3cc8"/></svg>'
    )
    stored = library.add_picture(given)
    assert library.original_path(stored).read_bytes() == given.read_bytes()
    for shown in (Path(library.decode_media(stored).path), library.preview_path(stored)):
        pixels = rows_of(shown)[2]
        assert b"\xff\x00\xff" not in {pixels[at : at + 3] for at in range(0, len(pixels), 3)}
        assert colour_at(shown, 1, 1) == BLUE
