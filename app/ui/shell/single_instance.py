"""Single instance per data folder: a second start hands its files to the first and exits.

They meet at a socket in a folder that only the user can write to, and each asks the system who its peer is. The first
also locks the folder until everything is stored: while it is closing it answers no more, and a later start waits for it
to end.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import stat
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from PySide6.QtCore import QLockFile, QObject, QTimer, QUrl, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.core.lazy_dataclasses import asdict, dataclass
from app.core.paths import close_to_others

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_MS = 500
ANSWER_TIMEOUT_MS = 5000
LOCK_TIMEOUT_MS = 3000
MOST_BYTES = 1_000_000
LONGEST_SOCKET_PATH = 100
"""Most bytes of a socket path; systems allow 103 to 107."""
ANSWER = b"shown\n"
ASK = "ask"


@dataclass(frozen=True)
class StartRequest:
    """Request of a later start: files to open, and the tab that takes them; "" chooses a suitable one.

    The tab `ASK` is the quick-ask window, with `words` as its question. `token` is Wayland's activation token, which
    lets the other process come to the front.
    """

    files: tuple[str, ...] = ()
    tab: str = ""
    words: str = ""
    token: str = ""

    @classmethod
    def from_arguments(cls, arguments: Sequence[str], token: str = "") -> StartRequest:
        """Parse a command line: files, folders and `file:` addresses, after `--summarize` or the like."""
        tab = arguments[0][2:] if arguments and arguments[0].startswith("--") else ""
        if tab == ASK:
            return cls((), tab, " ".join(arguments[1:]), token)
        return cls(tuple(_local(argument) for argument in (arguments[1:] if tab else arguments)), tab, token=token)

    @classmethod
    def from_line(cls, line: bytes) -> StartRequest | None:
        """Parse a line written by another start; None if it is invalid."""
        try:
            fields = json.loads(line)
        except ValueError:
            return None
        if not isinstance(fields, dict):
            return None
        files, rest = fields.get("files"), [fields.get(name, "") for name in ("tab", "words", "token")]
        if isinstance(files, list) and all(isinstance(file, str) for file in [*files, *rest]):
            return cls(tuple(files), *rest)
        return None

    @property
    def line(self) -> bytes:
        """The request as a line for the first instance."""
        return json.dumps(asdict(self)).encode() + b"\n"


def _local(argument: str) -> str:
    """Return the absolute path of an argument. Names that are not UTF-8 keep their bytes."""
    if argument.startswith("file:") and urlsplit(argument).netloc in ("", "localhost"):
        if sys.platform == "win32":
            return QUrl(argument).toLocalFile()
        return os.fsdecode(unquote_to_bytes(urlsplit(argument).path))
    return str(Path(argument).absolute())


class InstanceState(Enum):
    """State of other instances with the same data folder."""

    NOBODY = auto()
    """No other instance: this one is the first."""
    FIRST = auto()
    ENDING = auto()
    """The first instance has closed its window but is still storing data."""


class HandOverReply(Enum):
    """What became of a request that was sent to the first instance."""

    SHOWN = auto()
    NOTHING = auto()
    """No reply within the time limit."""
    LEFT = auto()
    """The first instance has ended or is closing."""


class SingleInstance(QObject):
    """Claims the data folder. The first instance listens; `asked` carries the `StartRequest` of a later start."""

    asked = Signal(object)

    def __init__(self, data_folder: Path) -> None:
        super().__init__()
        self._folder = data_folder
        self.name = _socket_place(data_folder.absolute())
        self._server: QLocalServer | None = None
        self._lock: int | None = None

    def claim(self) -> InstanceState:
        """Return which other instance there is; if none, lock the folder and listen. A killed instance's leftovers are
        replaced.
        """
        with _one_at_a_time(self._folder):
            if self._connect() is not None:
                return InstanceState.FIRST
            if self._folder.is_dir():
                self._lock = _lock_file(self._folder / "in-use.lock")
                if self._lock is None:
                    return InstanceState.ENDING
            QLocalServer.removeServer(self.name)
            self._server = QLocalServer(self)
            self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
            self._server.newConnection.connect(self._on_connection)
            if not self._server.listen(self.name):
                log.warning("no later start will find this one: %s", self._server.errorString())
            return InstanceState.NOBODY

    def hand_over(self, wanted: StartRequest) -> HandOverReply:
        """Ask the first instance to come to the front and carry out the request."""
        if (first := self._connect()) is None:
            return HandOverReply.LEFT
        first.write(wanted.line)
        while not first.canReadLine():
            if not first.waitForReadyRead(ANSWER_TIMEOUT_MS):
                is_there = first.state() == QLocalSocket.LocalSocketState.ConnectedState
                return HandOverReply.NOTHING if is_there else HandOverReply.LEFT
        return HandOverReply.SHOWN if bytes(first.readLine().data()) == ANSWER else HandOverReply.NOTHING

    def stop_answering(self) -> None:
        """Answer no more starts because the window is closing; they wait until `close`."""
        if self._server is not None:
            self._server.close()
            self._server.deleteLater()
            self._server = None

    def close(self) -> None:
        """Release the folder for the next start."""
        self.stop_answering()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _connect(self) -> QLocalSocket | None:
        """Connect to the first instance; None if there is none or it belongs to another user."""
        line = QLocalSocket()
        line.connectToServer(self.name)
        return line if line.waitForConnected(CONNECT_TIMEOUT_MS) and _is_ours(line) else None

    def _on_connection(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            line = self._server.nextPendingConnection()
            line.disconnected.connect(line.deleteLater)
            if not _is_ours(line):
                line.abort()
                continue
            # Enough for any command line, too little to fill the memory.
            line.setReadBufferSize(MOST_BYTES)
            line.readyRead.connect(lambda line=line: self._on_ready(line))

    def _on_ready(self, line: QLocalSocket) -> None:
        if not line.canReadLine():
            return
        if (wanted := StartRequest.from_line(bytes(line.readLine().data()))) is not None:
            # Later: a request to close the window that is in the queue already goes first.
            QTimer.singleShot(0, line, lambda: self._answer(line, wanted))
        else:
            line.disconnectFromServer()

    def _answer(self, line: QLocalSocket, wanted: StartRequest) -> None:
        if self._server is not None:
            # The window may have begun to close meanwhile.
            self.asked.emit(wanted)
            line.write(ANSWER)
        line.disconnectFromServer()


def _socket_place(data_folder: Path) -> str:
    """Return the socket's path: in the runtime folder, else in the data folder, else wherever it is short enough."""
    folder = os.fsencode(data_folder)
    key = f"{zlib.crc32(folder):08x}{zlib.adler32(folder):08x}"  # to tell folders apart; a hash would load OpenSSL
    if sys.platform == "win32":
        return f"fireside-{key}"  # a named pipe, accessible to this user only
    name = f"fireside-{key}.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and _is_closed_to_others(Path(runtime)) and _is_short(Path(runtime) / name):
        return str(Path(runtime) / name)
    if _is_short(data_folder / name):
        return str(data_folder / name)
    # In a folder that all users share, somebody else may have made this one.
    short = Path(tempfile.gettempdir()) / f"fireside-{os.getuid()}"
    close_to_others([short], deeply=False)
    return str((short if _is_closed_to_others(short) else data_folder) / name)


def _is_short(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


def _is_closed_to_others(folder: Path) -> bool:
    try:
        # Not through a link: that may lead into a folder of somebody else.
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def _is_ours(line: QLocalSocket) -> bool:
    """Return whether the peer's process belongs to this user, as far as the system can tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the socket's folder is private
    # A copy of the descriptor, since closing Python's socket closes it.
    with socket.socket(fileno=os.dup(line.socketDescriptor())) as same:
        _, user, _ = struct.unpack("3i", same.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if user != os.getuid():
        log.warning("user %d is at the other end of this person's socket; nothing is said to them", user)
    return bool(user == os.getuid())


def _lock_file(path: Path) -> int | None:
    """Lock a file until it is closed or the process ends. Return its descriptor, or None if another process has the
    lock.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY)  # bootstrap reports the unusable folder later
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            os.close(file)
            return None
        log.info("the folder cannot be locked: %s", error)  # some file systems cannot
    return file


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Serialize starts at the same moment. Errors of the folder are reported later, by bootstrap."""
    close_to_others([folder], deeply=False)
    if not folder.is_dir():
        yield
        return
    lock = QLockFile(str(folder / "start.lock"))
    # Not waited for without end: a start that hangs must not keep others away.
    lock.tryLock(LOCK_TIMEOUT_MS)
    try:
        yield
    finally:
        lock.unlock()
