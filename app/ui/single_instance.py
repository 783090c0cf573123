"""One window for one data folder: a second start hands its files to the first and leaves."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CONNECT_TIMEOUT_MS = 500
ANSWER_TIMEOUT_MS = 3000
LOCK_TIMEOUT_MS = 3000
MOST_BYTES = 1_000_000
ANSWER = b"shown\n"


class SingleInstance(QObject):
    """The first one listens; `asked` brings the files a later start was given."""

    asked = Signal(list)

    def __init__(self, data_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = data_folder
        key = f"{getpass.getuser()}\0{data_folder.absolute()}"
        self.name = f"fireside-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:16]}"
        self._server: QLocalServer | None = None

    def claim(self) -> bool:
        """Whether this is the first one; then it listens. What a killed one left behind is taken over."""
        with _one_at_a_time(self._folder):
            socket = QLocalSocket()
            socket.connectToServer(self.name)
            if socket.waitForConnected(CONNECT_TIMEOUT_MS):
                socket.abort()
                return False
            QLocalServer.removeServer(self.name)
            self._server = QLocalServer(self)
            self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
            self._server.newConnection.connect(self._on_connection)
            self._server.listen(self.name)
            return True

    def hand_over(self, files: Sequence[str]) -> bool:
        """Asks the first one to come to the front and open these; whether it answered."""
        socket = QLocalSocket()
        socket.connectToServer(self.name)
        if not socket.waitForConnected(CONNECT_TIMEOUT_MS):
            return False
        socket.write(json.dumps([str(Path(file).absolute()) for file in files]).encode() + b"\n")
        while not socket.canReadLine():
            if not socket.waitForReadyRead(ANSWER_TIMEOUT_MS):
                return False
        return bytes(socket.readLine().data()) == ANSWER

    def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _on_connection(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.setReadBufferSize(MOST_BYTES)
            socket.readyRead.connect(lambda socket=socket: self._on_ready(socket))
            socket.disconnected.connect(socket.deleteLater)

    def _on_ready(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            return
        try:
            files = json.loads(bytes(socket.readLine().data()))
        except ValueError:
            files = None
        if isinstance(files, list) and all(isinstance(file, str) for file in files):
            socket.write(ANSWER)
            self.asked.emit(files)
        socket.disconnectFromServer()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keeps two starts in the same moment apart; a folder that refuses is told about later, by bootstrap."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        yield
        return
    lock = QLockFile(str(folder / "start.lock"))
    lock.tryLock(LOCK_TIMEOUT_MS)
    try:
        yield
    finally:
        lock.unlock()
