"""Models travel on a disk: found with their checksums, compared while they are copied, and written so that others can
compare them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.hub_errors import DiskTooSmall
from app.core.errors.model_errors import FolderWithoutModels, ModelAltered, ModelMissing, ModelUnreadable
from app.core.errors.saving_errors import CopyInterrupted, FileTooLarge
from app.core.events import CancelToken
from app.features.error_messages import sentence_for
from app.hub import checked_copy
from app.hub.checked_copy import FAT, kind_at, require_room_for_files
from app.hub.checksums import SUMS, find_checksums, parse_checksums
from app.hub.model_disks import DiskModel, export_model, find_models
from app.hub.model_library import InstalledModel, describe_model, read_sidecar, scan_folder
from app.hub.models_folder import add_model
from tests.helpers.disks import small_disk
from tests.helpers.models_on_disk import contents, in_ollama, write_model, write_sidecar

LARGE = 400_000
REPO = {"repo": "someone/tiny-GGUF", "file": "tiny-Q4_0.gguf", "commit": "c" * 40, "downloaded_at": "2026-12-01T10:00"}


def sha_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def result_of(steps: Iterator[Any]) -> Any:
    """What a generator returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def found_in(folder: Path) -> list[DiskModel]:
    return list(find_models(folder, CancelToken()).models)


def brought(found: DiskModel, folder: Path, how: str = "copy") -> Path:
    path = result_of(add_model(found.model.path, folder, how, CancelToken(), (), sums=found.sums))
    assert isinstance(path, Path)
    return path


def exported(model: InstalledModel, disk: Path, **facts: str) -> Path:
    place = result_of(export_model(model, disk, facts, CancelToken()))
    assert isinstance(place, Path)
    return place


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The models folder, with one from the Hub in two parts and its projector."""
    folder = tmp_path / "models"
    home = folder / "someone" / "tiny-GGUF"
    for name in ("tiny-Q4_0-00001-of-00002.gguf", "tiny-Q4_0-00002-of-00002.gguf"):
        write_model(home / name, weights=LARGE)
        write_sidecar(home / name, **REPO | {"file": name, "sha256": sha_of(home / name)})
    write_model(home / "mmproj-tiny-f16.gguf", **{"general.architecture": "clip"})
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "stick"
    path.mkdir()
    return path


@pytest.fixture
def stick_model(disk: Path) -> Path:
    """A model on a disk, with a checksum as others write it."""
    path = disk / "tiny-Q4_0.gguf"
    write_model(path, weights=LARGE)
    (disk / SUMS).write_text(f"{sha_of(path)}  {path.name}\n")
    return path


HASH = "ab" * 32


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{HASH}  a.gguf\n", ["a.gguf"]),
        (f"{HASH.upper()} *a.gguf\r\n", ["a.gguf"]),
        (f"\ufeff{HASH}  ./sub/a.gguf\n", ["sub/a.gguf"]),
        (f"{HASH} *sub\\a.gguf\n", ["sub/a.gguf"]),
        (f"\\{HASH}  a\\\\b.gguf\n", ["a\\b.gguf"]),
        (f"SHA256 (a b.gguf) = {HASH}\n", ["a b.gguf"]),
        (f"{HASH}\n", ["alone.gguf"]),
        (f"# of today\n\n{HASH}  ../a.gguf\n{HASH}  /a.gguf\n{HASH[:-1]}  a.gguf\n", []),
    ],
)
def test_checksum_files_of_all_kinds_are_read(text: str, names: list[str]) -> None:
    assert parse_checksums(text, "alone.gguf") == dict.fromkeys(names, HASH)


def test_the_nearest_list_counts(disk: Path) -> None:
    files = [disk / "a.gguf", disk / "sub" / "b.gguf", disk / "sub" / "c.gguf", disk / "d.gguf"]
    for path in files:
        write_model(path)
    (disk / SUMS).write_text(f"{HASH}  sub/b.gguf\n{HASH}  sub/c.gguf\n")
    (disk / "sub" / "sha256sums.txt").write_text(f"{'c' * 64}  c.gguf\n")
    (disk / "a.gguf.sha256").write_text("a" * 64)
    (disk / "d.sha256").write_text("D" * 64 + "\n")
    assert list(find_checksums(files, disk).values()) == ["a" * 64, HASH, "c" * 64, "d" * 64]
    assert find_checksums([files[1]]) == {}, "of a single file only what lies in its folder counts"


def test_a_folder_shows_its_models_and_what_is_wrong(disk: Path, stick_model: Path) -> None:
    for number in (1, 2):
        write_model(disk / "big" / f"big-Q8_0-0000{number}-of-00002.gguf")
    write_model(disk / "big" / "mmproj-big-f16.gguf", **{"general.architecture": "clip"})
    write_model(disk / "half-00001-of-00003.gguf")
    write_model(disk / "half-00002-of-00003.gguf")
    (disk / "cut.gguf").write_bytes(stick_model.read_bytes()[:-9])
    write_model(disk / "$RECYCLE.BIN" / "gone.gguf")
    found = find_models(disk, CancelToken())
    assert [(one.model.name, len(one.model.parts), one.is_checked) for one in found.models] == [
        ("tiny", 1, True),
        ("big", 2, False),
    ]
    big = found.models[1]
    assert big.model.vision_path == disk / "big" / "mmproj-big-f16.gguf"
    assert big.size_bytes == sum(len(data) for data in contents(disk / "big").values())
    assert {type(error) for error in found.problems} == {ModelMissing, ModelUnreadable} and len(found.problems) == 2
    (disk / "empty").mkdir()
    with pytest.raises(FolderWithoutModels):
        find_models(disk / "empty", CancelToken())


@pytest.mark.parametrize("how", ["copy", "move", "in_place"])
def test_a_wrong_checksum_is_refused_and_nothing_is_kept(
    disk: Path, stick_model: Path, tmp_path: Path, how: str
) -> None:
    data = bytearray(stick_model.read_bytes())
    data[-1] ^= 1
    stick_model.write_bytes(data)
    (found,) = found_in(disk)
    with pytest.raises(ModelAltered) as refused:
        brought(found, tmp_path / "models", how)
    assert refused.value.path == str(stick_model) and not contents(tmp_path / "models")
    assert stick_model.read_bytes() == data
    assert sentence_for(refused.value).text != sentence_for(ModelAltered(str(stick_model), "installed")).text


@pytest.mark.parametrize("how", ["copy", "move"])
def test_the_file_alone_is_compared_with_the_checksum_beside_it(
    stick_model: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    chunk = checked_copy._read_chunk
    monkeypatch.setattr(checked_copy, "_read_chunk", lambda *a, **k: reads.append(1) or chunk(*a, **k))
    data = stick_model.read_bytes()
    assert result_of(add_model(stick_model, tmp_path / "models", how, CancelToken(), ())).read_bytes() == data
    assert stick_model.exists() is (how == "copy")
    # A megabyte each, and the end: the file is read once.
    assert len(reads) == (len(data) // checked_copy.CHUNK_BYTES + 2 if how == "copy" else 0)


class FailingReader:
    """A file on a disk that is taken out after so many bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.left, self.read_bytes, self._chunk = after, 0, checked_copy._read_chunk
        monkeypatch.setattr(checked_copy, "CHUNK_BYTES", 4096)
        monkeypatch.setattr(checked_copy, "_read_chunk", self._read)

    def _read(self, reader: Any, *, keeps: bool) -> bytes:
        return self._chunk(self if self.left <= 0 else _Counted(self, reader), keeps=keeps)

    name = "/media/stick/tiny-Q4_0.gguf"

    def read(self, _count: int) -> bytes:
        raise OSError(errno.EIO, "taken out")


class _Counted:
    def __init__(self, around: FailingReader, reader: Any) -> None:
        self._around, self._reader, self.name = around, reader, reader.name

    def read(self, count: int) -> bytes:
        chunk: bytes = self._reader.read(count)
        self._around.left -= len(chunk)
        self._around.read_bytes += len(chunk)
        return chunk


def test_a_disk_that_was_taken_out_is_gone_on_with(
    disk: Path, stick_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, models = stick_model.stat().st_size, tmp_path / "models"
    (found,) = found_in(disk)
    reader = FailingReader(monkeypatch, after=size // 2)
    with pytest.raises(CopyInterrupted):
        brought(found, models)
    assert [path.suffix for path in models.rglob("*") if path.is_file()] == [".part"] and scan_folder(models) == []
    copied = reader.read_bytes
    reader.left, reader.read_bytes = size * 2, 0
    path = brought(found, models)
    assert path.read_bytes() == stick_model.read_bytes()
    assert copied + reader.read_bytes == size, "nothing was read twice from the disk"


COPYING = """
import sys
from pathlib import Path
from app.core.events import CancelToken
from app.hub import checked_copy
from app.hub.models_folder import add_model
checked_copy.CHUNK_BYTES, checked_copy.SAY_EVERY_S = 4096, 0
for event in add_model(Path(sys.argv[1]), Path(sys.argv[2]), "copy", CancelToken(), ()):
    if event.done_bytes * 2 > event.total_bytes:
        print(event.done_bytes, flush=True)
        sys.stdin.read()  # until it is killed
"""


def test_a_program_that_was_killed_goes_on_and_never_shows_half_a_model(
    disk: Path, stick_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    command = [sys.executable, "-c", COPYING, str(stick_model), str(models)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) * 2 > stick_model.stat().st_size
        process.kill()
    assert scan_folder(models) == []
    reader = FailingReader(monkeypatch, after=10 * stick_model.stat().st_size)
    (found,) = found_in(disk)
    assert brought(found, models).read_bytes() == stick_model.read_bytes()
    assert reader.read_bytes < stick_model.stat().st_size * 0.6


def test_what_was_left_of_another_file_is_copied_anew(disk: Path, stick_model: Path, tmp_path: Path) -> None:
    part = tmp_path / "models" / "added" / "tiny" / "tiny-Q4_0.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"of another file" * 5000)
    (found,) = found_in(disk)
    assert brought(found, tmp_path / "models").read_bytes() == stick_model.read_bytes()
    assert not part.exists()


def test_without_a_checksum_a_copy_is_never_gone_on_with(
    disk: Path, stick_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (disk / SUMS).unlink()
    (found,) = found_in(disk)
    assert not found.is_checked
    FailingReader(monkeypatch, after=10_000)
    with pytest.raises(Exception, match="DiskFailing"):
        brought(found, tmp_path / "models")
    assert contents(tmp_path / "models") == {}


def test_what_is_exported_is_checked_by_others_and_comes_back(ours: Path, disk: Path, tmp_path: Path) -> None:
    (model,) = scan_folder(ours)
    place = exported(model, disk, license="apache-2.0", name="Tiny")
    assert place == disk / "tiny Q4_0"
    names = {path.name for path in model.parts} | {"mmproj-tiny-f16.gguf"}
    assert {name for name in contents(place) if name.endswith(".gguf")} == names
    checked = subprocess.run(["sha256sum", "-c", SUMS], cwd=place, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 3
    note = json.loads((place / f"{model.path.name}.json").read_text("utf-8"))
    assert {key: note[key] for key in ("repo", "commit", "file", "license", "name")} == {
        "repo": REPO["repo"],
        "commit": REPO["commit"],
        "file": model.path.name,
        "license": "apache-2.0",
        "name": "Tiny",
    }
    elsewhere = tmp_path / "other computer"
    (found,) = found_in(disk)
    assert found.is_checked
    brought(found, elsewhere)
    (back,) = scan_folder(elsewhere)
    assert (back.repo, back.commit, back.origin) == (REPO["repo"], REPO["commit"], "added")
    assert [path.read_bytes() for path in back.parts] == [path.read_bytes() for path in model.parts]
    assert back.vision_path is not None and read_sidecar(back.path)["sha256"] == sha_of(back.path)


def test_a_second_export_takes_another_folder_and_a_cancelled_one_leaves_nothing(ours: Path, disk: Path) -> None:
    (model,) = scan_folder(ours)
    first = exported(model, disk)
    before = contents(disk)
    cancel = CancelToken()
    cancel.cancel()
    assert result_of(export_model(model, disk, {}, cancel)) is None
    assert contents(disk) == before and [path.name for path in disk.iterdir()] == [first.name]
    assert exported(model, disk) == disk / f"{first.name} 2"


def test_a_model_that_is_damaged_here_is_not_copied(ours: Path, disk: Path) -> None:
    (model,) = scan_folder(ours)
    data = bytearray(model.path.read_bytes())
    data[-1] ^= 1
    model.path.write_bytes(data)
    with pytest.raises(ModelAltered) as refused:
        exported(model, disk)
    assert refused.value.reason == "installed" and contents(disk) == {}


def test_a_file_of_ollama_gets_a_name_and_an_ending(disk: Path, tmp_path: Path) -> None:
    blob = in_ollama(tmp_path / "ollama", "library/x")
    model = describe_model(blob, "ollama")
    assert model is not None
    named = InstalledModel(blob, "llama3:8b", blob.stat().st_size, "ollama", (blob,))
    place = exported(named, disk)
    assert place.name == "llama3-8b"
    assert (place / "llama3-8b.gguf").read_bytes() == blob.read_bytes()


def test_too_little_room_is_said_before_anything_is_written(ours: Path, tmp_path: Path) -> None:
    (model,) = scan_folder(ours)
    with small_disk(tmp_path / "small", 1_000_000) as disk:
        with pytest.raises(DiskTooSmall):
            exported(model, disk)
        assert contents(disk) == {}


def test_the_limit_of_fat_is_said_before_anything_is_written(
    ours: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = [(Path("/"), "ext4"), (disk, "vfat"), (disk.parent, "xfs")]
    assert kind_at(disk / "sub", mounts) in FAT and kind_at(disk.parent / "a", mounts) == "xfs"
    monkeypatch.setattr(checked_copy, "file_system_of", lambda folder: kind_at(folder, mounts))
    large = disk.parent / "large.gguf"
    with large.open("wb") as file:
        file.truncate(2**32)  # sparse
    with pytest.raises(FileTooLarge) as refused:
        require_room_for_files(disk, [large])
    assert refused.value.size_bytes == 2**32
    require_room_for_files(disk.parent, [large])
    large.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of POSIX")
def test_a_limit_that_is_met_while_writing_is_told_in_the_same_words(ours: Path, disk: Path) -> None:
    (model,) = scan_folder(ours)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    try:
        with pytest.raises(FileTooLarge) as refused:
            exported(model, disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refused.value.path == str(disk) and contents(disk) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="disks have letters there")
def test_a_model_on_a_disk_that_was_taken_out_says_so(disk: Path) -> None:
    plain = sentence_for(ModelMissing(str(disk / "tiny.gguf"))).text
    said = sentence_for(ModelMissing("/media/nobody-here/stick/tiny.gguf")).text
    assert said != plain and "tiny.gguf" in said and "disk" in said


def test_a_note_about_other_bytes_says_nothing_of_these(disk: Path, stick_model: Path, tmp_path: Path) -> None:
    write_sidecar(stick_model, **REPO | {"sha256": HASH})
    (found,) = found_in(disk)
    path = brought(found, tmp_path / "models")
    assert read_sidecar(path).keys() == {"sha256", "added_at"}
    shutil.rmtree(tmp_path / "models")
    (disk / SUMS).unlink()
    (found,) = found_in(disk)
    with pytest.raises(ModelAltered):
        brought(found, tmp_path / "models")
