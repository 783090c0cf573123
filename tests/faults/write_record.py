"""What a program did to a disk, call by call, and what may be on that disk after power has gone in the middle of it.

`strace` writes the record with all data. What was synced is there afterwards, whatever else is not: a write that was
not may be there, or not, or some of its sectors, and a file may be longer than what of it arrived. Names change in
their order, as in the journal of ext4, XFS or Btrfs: a sync of a folder, or the first one of a new file, takes along
what was done to names before on its disk. A time that was given to a file is there for sure once that was synced. The
shared memory of SQLite's journal, which is mapped and not written, is rubbish.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

SECTOR_BYTES = 512
CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,fsync,fdatasync,lseek,"
    "mmap,utimensat"
)
SHARED_MEMORY = "-shm"
_HEX = r"((?:\\x[0-9a-f]{2})*)"
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: .*)?", re.S)
_FILE = re.compile(rf"(AT_FDCWD|-?\d+)<{_HEX}>(\(deleted\))?")
_TEXT = re.compile(rf'"{_HEX}"')
_MODIFIED = re.compile(r"\[\{.*?\}[^{]*\{tv_sec=(\d+), tv_nsec=(\d+)\}")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_UNFINISHED = " <unfinished ...>"
Named = TypeVar("Named")


def recorded(trace: Path) -> list[str]:
    """Return the command that runs another one and records what it does; syncs are real ones, also in hasty tests."""
    return ["env", "-u", "LD_PRELOAD", "strace", "-D", "-f", "-q", "-y", "-xx", "-s", str(1 << 24), "-e", CALLS] + [
        *("-o", str(trace))
    ]


@dataclass(frozen=True)
class DiskCall:
    """One call that changed or synced something; `place` is an offset, a length, a time, or when a sync was asked."""

    kind: str
    path: str
    place: int = 0
    data: bytes = b""
    target: str = ""


@dataclass
class DiskFile:
    """What a file has for sure, and what was written to it since: where, what, or a new length, and by which call."""

    content: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None, int]] = field(default_factory=list)
    made_by: int = -1
    modified_ns: int | None = None
    times: list[tuple[int, int]] = field(default_factory=list)
    """Given to it since: which, and by which call."""

    def sync_before(self, call: int) -> None:
        """Take over what was written before a call."""
        self.content = _settle(self.content, [one for one in self.waiting if one[2] < call], lambda _: True)
        self.waiting = [one for one in self.waiting if one[2] >= call]
        self.modified_ns = next((time_ns for time_ns, at in reversed(self.times) if at < call), self.modified_ns)
        self.times = [given for given in self.times if given[1] >= call]

    def settle_by(self, chance: random.Random) -> bytes:
        """Return what may be there after a power cut."""
        kept = chance.choice((0.0, 0.5, 0.5, 1.0))
        arrived = round(len(self.waiting) * kept) if kept in (0, 1) else chance.randint(0, len(self.waiting))
        is_torn = chance.random() < 0.5
        whole = chance.random() < kept

        def is_there(sector: int) -> bool:
            nonlocal whole
            if sector == 0 or is_torn:
                whole = chance.random() < kept
            return whole

        return bytes(_settle(self.content, self.waiting, is_there, arrived))


def _settle(
    content: bytearray,
    changes: list[tuple[int, bytes | None, int]],
    is_there: Callable[[int], bool],
    arrived: int | None = None,
) -> bytearray:
    """Apply changes: of the first `arrived` the lengths, and of all that fit the sectors that are there."""
    content, arrived = bytearray(content), len(changes) if arrived is None else arrived
    for number, (place, data, _) in enumerate(changes):
        has_length = number < arrived
        if data is None:
            if not has_length:
                break
            _resize(content, place)
            continue
        if has_length and len(content) < place + len(data):
            _resize(content, place + len(data))
        for begin in range(0, len(data), SECTOR_BYTES):
            sector = data[begin : begin + SECTOR_BYTES]
            if is_there(begin) and place + begin + len(sector) <= len(content):
                content[place + begin : place + begin + len(sector)] = sector
    return content


def _resize(content: bytearray, length: int) -> None:
    content.extend(bytes(max(0, length - len(content))))
    del content[length:]


def rename_all(names: dict[str, Named], old: str, new: str) -> None:
    """Move a name and what is below it, in place of what had the new one."""
    moved = {name: names[name] for name in names if name == old or name.startswith(f"{old}/")}
    names.pop(new, None)
    for name, what in moved.items():
        del names[name]
        names[new + name[len(old) :]] = what


class WriteRecord:
    """The calls of one run of a program, which began with the disk as it was then."""

    def __init__(self, *disks: Path) -> None:
        self._disks, self._said = disks, ""
        found = [path for disk in disks for path in sorted(disk.rglob("*"))]
        self.before = {str(path): None if path.is_dir() else path.read_bytes() for path in found}
        self._modified_ns = {str(path): path.stat().st_mtime_ns for path in found}
        self.calls: list[DiskCall] = []
        self._now = {path: bytearray(content) for path, content in self.before.items() if content is not None}
        self._places: dict[str, int] = {}
        self._appended: set[str] = set()

    def read_trace(self, trace: Path, said: Path | None = None) -> None:
        """Take over what strace wrote; `said` is the file in which the program told what is stored."""
        self._said = str(said or "")
        begun: dict[str, tuple[str, int]] = {}
        with trace.open("r", encoding="ascii", errors="replace") as lines:
            for line in lines:
                process, _, text = line.rstrip("\n").partition(" ")
                text = text.strip()
                if text.endswith(_UNFINISHED):
                    begun[process] = text.removesuffix(_UNFINISHED), len(self.calls)
                    continue
                asked_at = len(self.calls)
                if (match := _RESUMED.match(text)) and process in begun:
                    beginning, asked_at = begun.pop(process)
                    text = beginning + text[match.end() :]
                if (call := _CALL.fullmatch(text)) and int(call[3]) >= 0:
                    self._add_call(call[1], call[2], int(call[3]), asked_at)

    def moments(self, count: int, seed: object) -> Iterator[tuple[int, random.Random]]:
        """Yield after how many calls power goes, with the chance by which the rest is settled."""
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            yield chance.randint(0, len(self.calls)), chance

    def told_before(self, moment: int) -> list[dict[str, Any]]:
        """Return what the program had told by then."""
        said = b"".join(call.data for call in self.calls[:moment] if call.kind == "tell")
        lines = [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
        return [line for line in lines if "spared" not in line]

    def put_back(self, moment: int, chance: random.Random) -> None:
        """Make the disk what it may be after power went at that moment."""
        for path in (path for disk in self._disks for path in disk.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, file in sorted(self._names_after(moment, chance).items()):
            path = Path(name)
            if file is None:
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
                continue
            is_rubbish = name.endswith(SHARED_MEMORY)
            path.write_bytes(chance.randbytes(len(file.content)) if is_rubbish else file.settle_by(chance))
            path.chmod(0o600)
            given = [file.modified_ns, *(time_ns for time_ns, _ in file.times)]
            if (modified_ns := chance.choice(given) if file.times else file.modified_ns) is not None:
                os.utime(path, ns=(modified_ns, modified_ns))

    def _names_after(self, moment: int, chance: random.Random) -> dict[str, DiskFile | None]:
        names = {
            path: None if found is None else DiskFile(bytearray(found), modified_ns=self._modified_ns[path])
            for path, found in self.before.items()
        }
        now = dict(names)
        logs = {disk: _NameLog() for disk in self._disks}
        for number, call in enumerate(self.calls[:moment]):
            file, log = now.get(call.path), logs.get(self._disk_of(call.path) or Path(), _NameLog())
            if call.kind == "write" and file is not None:
                file.waiting.append((call.place, call.data, number))
            elif call.kind == "length" and file is not None:
                file.waiting.append((call.place, None, number))
            elif call.kind == "time" and file is not None:
                file.times.append((call.place, number))
            elif call.kind == "sync" and file is not None:
                file.sync_before(call.place)
                log.sure = max(log.sure, file.made_by + 1)
            elif call.kind == "sync":
                about = [at for at, (one, _) in enumerate(log.done) if call.path in _folders(one)]
                log.sure = max([log.sure, *(at + 1 for at in about)])
            elif call.kind in ("make", "folder", "move", "link", "remove"):
                made = DiskFile(made_by=len(log.done)) if call.kind == "make" else None
                log.done.append((call, made))
                _rename(now, call, made)
        for log in logs.values():
            last = chance.choice((log.sure, len(log.done), chance.randint(log.sure, len(log.done))))
            for call, made in log.done[:last]:
                _rename(names, call, made)
        return names

    def _disk_of(self, path: str) -> Path | None:
        return next((disk for disk in self._disks if path == str(disk) or path.startswith(f"{disk}/")), None)

    def _add_call(self, name: str, given: str, result: int, asked_at: int) -> None:
        if name in ("rename", "renameat", "renameat2"):
            old, new = _paths(given)
            if self._holds(old) or self._holds(new):
                assert self._disk_of(old) == self._disk_of(new), "a move from or to another disk"
                rename_all(self._now, old, new)
                rename_all(self._places, old, new)
                self.calls.append(DiskCall("move", old, target=new))
        elif name in ("unlink", "unlinkat", "rmdir"):
            self._remove(_paths(given)[0])
        elif name in ("mkdir", "mkdirat"):
            if self._holds(path := _paths(given)[0]):
                self.calls.append(DiskCall("folder", path))
        elif name in ("open", "openat", "creat"):
            self._open(_paths(given)[0], given)
        elif name == "utimensat":
            self._give_time(given)
        elif name in ("link", "linkat", "symlink", "symlinkat"):
            old, new = _paths(given)
            if self._holds(new):
                assert "symlink" not in name, "these are not followed here"
                self._now[new] = self._now[old]
                self.calls.append(DiskCall("link", old, target=new))
        else:
            self._use_file(name, given, result, asked_at)

    def _give_time(self, given: str) -> None:
        file, found = _FILE.match(given), _MODIFIED.search(given)
        path = (_paths(given) or [_plain(file[2]) if file else ""])[0]
        if path in self._now and found is not None:
            self.calls.append(DiskCall("time", path, int(found[1]) * 10**9 + int(found[2])))

    def _open(self, path: str, given: str) -> None:
        if not self._holds(path) or ("O_WRONLY" not in given and "O_RDWR" not in given):
            return
        assert "O_TMPFILE" not in given, "a file without a name"
        self._places[path] = 0
        (self._appended.add if "O_APPEND" in given else self._appended.discard)(path)
        if path not in self._now and "O_CREAT" in given:
            self._now[path] = bytearray()
            self.calls.append(DiskCall("make", path))
        if "O_TRUNC" in given and self._now.get(path):
            self._set_length(path, 0)

    def _use_file(self, name: str, given: str, result: int, asked_at: int) -> None:
        """A call about an open file, by its first argument."""
        if not (file := _FILE.match(given)) or file[3]:
            return
        path = _plain(file[2])
        if path == self._said and name == "write":
            self.calls.append(DiskCall("tell", path, data=_data(given)[:result]))
        if name in ("fsync", "fdatasync"):
            self.calls.append(DiskCall("sync", path, asked_at))
        elif path not in self._now or (path.endswith(SHARED_MEMORY) and name in ("mmap", "lseek")):
            return
        elif name == "ftruncate":
            self._set_length(path, int(given.rpartition(",")[2]))
        elif name == "lseek":
            self._places[path] = result
        elif name in ("pwrite64", "pwritev"):
            self._write(path, int(given.rpartition(",")[2]), _data(given)[:result])
        elif name in ("write", "writev", "sendfile"):
            data = self._sent(given, result) if name == "sendfile" else _data(given)[:result]
            place = len(self._now[path]) if path in self._appended else self._places.get(path, 0)
            self._write(path, place, data)
            self._places[path] = place + result
        else:
            assert name == "mmap" and ("MAP_PRIVATE" in given or "PROT_WRITE" not in given), f"{name} of {path}"

    def _sent(self, given: str, count: int) -> bytes:
        """What `sendfile` took from the file that it names second."""
        path = _plain(_FILE.findall(given)[1][1])
        begin = int(found[1]) if (found := re.search(r"\[(\d+)\]", given)) else 0
        content = self._now[path] if path in self._now else Path(path).read_bytes()
        return bytes(content[begin : begin + count])

    def _write(self, path: str, place: int, data: bytes) -> None:
        content = self._now[path]
        _resize(content, max(len(content), place + len(data)))
        content[place : place + len(data)] = data
        self.calls.append(DiskCall("write", path, place, data))

    def _set_length(self, path: str, length: int) -> None:
        _resize(self._now[path], length)
        self.calls.append(DiskCall("length", path, length))

    def _remove(self, path: str) -> None:
        if self._holds(path):
            self._now.pop(path, None)
            self.calls.append(DiskCall("remove", path))

    def _holds(self, path: str) -> bool:
        return any(path.startswith(f"{disk}/") for disk in self._disks)


@dataclass
class _NameLog:
    """What was done to the names of one disk, and how much of it is there for sure."""

    done: list[tuple[DiskCall, DiskFile | None]] = field(default_factory=list)
    sure: int = 0


def _rename(names: dict[str, DiskFile | None], call: DiskCall, made: DiskFile | None) -> None:
    if call.kind == "move":
        rename_all(names, call.path, call.target)
    elif call.kind == "remove":
        names.pop(call.path, None)
    elif call.kind == "link":
        names[call.target] = names[call.path]
    else:
        names[call.path] = made


def _folders(call: DiskCall) -> set[str]:
    return {str(Path(path).parent) for path in (call.path, call.target) if path}


def _paths(given: str) -> list[str]:
    """The paths of a call; those below an open folder are named with it."""
    found, folder = [], ""
    for match in re.finditer(rf"{_FILE.pattern}|{_TEXT.pattern}", given):
        if match[1]:
            folder = _plain(match[2])
        else:
            found.append(str(Path(folder, _plain(match[4]))))
    return found


def _data(given: str) -> bytes:
    return b"".join(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(given))


def _plain(text: str) -> str:
    return os.fsdecode(bytes.fromhex(text.replace("\\x", "")))
