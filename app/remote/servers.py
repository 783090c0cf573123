"""Servers added by the user, one folder each, with a small file for each model as if it were stored there.

So a remote model has a path like any other, by which settings, chats and jobs refer to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.lazy_dataclasses import asdict, dataclass, fields, replace
from app.core.paths import REMOTE_ENDING, disk_problem, make_folder, private_opener
from app.core.visible import visible_name

if TYPE_CHECKING:
    from app.hub.hub_token import HubToken


_FACTS, _SENT = "server.json", "sent.txt"
VERSION = 2
MOST_FILE_BYTES = 64 * 1024
MOST_AT_ONCE = 128
USUAL_WEIGHTS = 8_000_000_000
"""Assumed model size if neither server nor name tells it."""
_WEIGHTS = re.compile(r"(?<![a-z0-9.])(?:(\d{1,2})x)?(\d{1,4}(?:[.,]\d{1,2})?)([bm])(?![a-z0-9])", re.IGNORECASE)
_NO_NAME = re.compile(r"[^\w.-]+")
SEES, BLIND = "yes", "no"
KEY_OF = "model server {}"
"""Name of a server's key in the keyring."""


@dataclass(frozen=True)
class RemoteServer:
    """`address` is what the paths of OpenAI's contract are below, such as http://gpu-box.local:8000/v1.

    `kind`, as it was found: llama_cpp, vllm, sglang, ollama, lm_studio, fireside, or "" for one that only has the
    contract. `context_tokens` 0: as the server says. `at_once`: so many requests are sent side by side, 0: as many
    as pay off. `authorities`, in PEM, vouch for its certificate beside those that the system knows.
    """

    name: str
    address: str
    kind: str = ""
    context_tokens: int = 0
    at_once: int = 0
    authorities: str = ""

    @property
    def host(self) -> str:
        """Host, with its port unless that is the usual one, for texts."""
        return host_of(self.address)

    @property
    def is_this_computer(self) -> bool:
        """True if requests to it never leave this computer."""
        from app.hub.access import is_this_computer  # who has no server does without

        return is_this_computer(urlsplit(self.address).hostname or "")

    @property
    def is_own_network(self) -> bool:
        """True if it can be reached without the internet."""
        from app.hub.access import is_own_network  # as above

        return is_own_network(urlsplit(self.address).hostname or "")


@dataclass(frozen=True)
class RemoteModel:
    """A server's model. `name` is the server's; `context_tokens` 0: unknown.

    `weights` 0: unknown. `thinking` as in `ModelLoaded`. `sees`: `SEES` or `BLIND`, as the server or the user says; ""
    if unknown, and then no images are sent.
    """

    path: Path
    server: RemoteServer
    name: str
    context_tokens: int = 0
    weights: int = 0
    thinking: str = "none"
    sees: str = ""

    @property
    def label(self) -> str:
        """Name for lists: the model's without its publisher, and the server's host."""
        return f"{self.short_name} · {self.server.host}"

    @property
    def short_name(self) -> str:
        return visible_name(self.name.rpartition("/")[2] or self.name)


def host_of(address: str) -> str:
    """Return host and port, such as gpu-box.local or 127.0.0.1:8080."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    # `port` raises ValueError if it isn't a number.
    with contextlib.suppress(ValueError):
        if parts.port is not None and parts.port != {"http": 80, "https": 443}.get(parts.scheme):
            return f"{host}:{parts.port}"
    return host


def address_of(text: str) -> str:
    """Complete an address the user typed; "" if it isn't one.

    The scheme defaults to http in the local network and https elsewhere, the path to /v1.
    """
    text = text.strip().rstrip("/")
    if not text or any(letter.isspace() for letter in text):
        return ""
    try:
        if "://" not in text:
            from app.hub.access import is_own_network  # as above

            host = urlsplit(f"//{text}").hostname or ""
            text = f"{'http' if is_own_network(host) else 'https'}://{text}"
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return ""
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc  # a password would be shown and logged
        or parts.query
        or parts.fragment
    ):
        return ""
    path = parts.path.rstrip("/")
    for end in ("/chat/completions", "/completions", "/models"):  # as a server's own page may show it
        path = path.removesuffix(end)
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def weights_in_name(name: str) -> int:
    """Return how many weights a model's name says that it has, such as "Qwen3-8B" or "8x7b"; 0 where it does not."""
    found = [
        (int(times or 1) * float(number.replace(",", ".")) * (1e9 if unit in "bB" else 1e6))
        for times, number, unit in _WEIGHTS.findall(name)
    ]
    return int(max(found, default=0))


class RemoteServers:
    """Read and write the servers' folders. Reads the disk with every call; thread-safe. Writing raises DiskFull or
    FolderNotWritable.
    """

    def __init__(self, folder: Path, keys: HubToken) -> None:
        self.folder, self.keys = folder, keys
        self._lock = threading.Lock()
        self._callers: dict[str, RemoteCallers] = {}

    def callers(self, server: RemoteServer) -> RemoteCallers:
        """Return the shared record of who uses the server now."""
        with self._lock:
            return self._callers.setdefault(server.host, RemoteCallers())

    def all(self) -> list[RemoteServer]:
        """Return the servers whose files can be read, sorted by name."""
        found = [self._server_in(folder) for folder in self._server_folders()]
        return sorted((server for server in found if server is not None), key=lambda server: server.name.casefold())

    def get(self, name: str) -> RemoteServer | None:
        return next((server for server in self.all() if server.name == name), None)

    def new_name(self, address: str) -> str:
        """Return an unused name for a server: its host's, numbered if taken."""
        host, taken = urlsplit(address).hostname or "server", {server.name for server in self.all()}
        name, number = host, 2
        while name in taken:
            name, number = f"{host} {number}", number + 1
        return name

    def save(self, server: RemoteServer, models: Sequence[RemoteModel] | None = None) -> None:
        """Save a server and, if `models` is given, exactly these of its models.

        If the host changed, consents for documents are dropped.
        """
        folder = self._folder_of(server.name)
        before = self._server_in(folder)
        with self._lock:
            if before is not None and before.host != server.host:
                self._forget_sent(folder)
            self._write_file(folder / _FACTS, {"version": VERSION} | asdict(server))
            if models is None:
                return
            kept = set()
            for model in models:
                facts = {
                    field.name: getattr(model, field.name) for field in fields(model) if field.name not in _OUTSIDE
                }
                self._write_file(model.path, {"version": VERSION} | facts)
                kept.add(model.path)
            for path in folder.glob(f"*{REMOTE_ENDING}"):
                if path not in kept:
                    path.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Delete a server with its models, notes and key. Not for the window's thread: the keyring may block."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder_of(name))
        self.keep_key(name, "")

    def model_of(self, server: RemoteServer, name: str, **facts: Any) -> RemoteModel:
        """Return a model with the path that it has, or will have."""
        kept = next((remote_model.path for remote_model in self.models_on(server) if remote_model.name == name), None)
        if kept is not None:
            return RemoteModel(kept, server, name, **facts)
        stem = _NO_NAME.sub("-", name.replace("/", "--")).strip("-.") or "model"
        path, number = self._folder_of(server.name) / f"{stem}{REMOTE_ENDING}", 2
        while path.is_file() and self._name_in(path) not in ("", name):
            path, number = path.with_name(f"{stem}-{number}{REMOTE_ENDING}"), number + 1
        return RemoteModel(path, server, name, **facts)

    def list_models(self) -> list[RemoteModel]:
        """Return the models of all servers, by server and name."""
        return [model for server in self.all() for model in self.models_on(server)]

    def models_on(self, server: RemoteServer) -> list[RemoteModel]:
        """Return a server's models that the user chose and whose files can be read."""
        found: list[RemoteModel] = []
        for path in sorted(self._folder_of(server.name).glob(f"*{REMOTE_ENDING}")):
            with contextlib.suppress(ModelUnreadable, ModelMissing):
                found.append(self.read_model(path))
        return found

    def find_model(self, name: str) -> RemoteModel | None:
        """Find a model by its name, its name and server ("qwen3@gpu-box") or its label."""
        wanted = name.casefold()
        for model in self.list_models():
            own = (model.name, model.short_name, model.path.stem, model.label)
            with_server = [f"{text}@{model.server.name}" for text in own[:3]]
            if wanted in (text.casefold() for text in (*own, *with_server)):
                return model
        return None

    def read_model(self, path: Path) -> RemoteModel:
        """Return a model by its file. Raises ModelMissing, or ModelUnreadable where it or its server's makes no
        sense.
        """
        server, raw = self._server_in(path.parent), _read_file(path)
        if raw is None and not path.exists():
            raise ModelMissing(str(path))
        facts = _known_fields(RemoteModel, raw or {}, _OUTSIDE)
        if server is None or not facts.get("name"):
            raise ModelUnreadable(str(path), "damaged")
        return RemoteModel(path, server, **facts)

    def read_key(self, name: str) -> str:
        """Return the access key of a server, from the keyring; "" without one."""
        return self.keys.load(KEY_OF.format(name))

    def keep_key(self, name: str, key: str) -> None:
        """Save a key in the keyring; "" deletes it. Raises TokenNotKept if it can be held for this session only."""
        self.keys.save(key, KEY_OF.format(name))

    def may_have(self, server: RemoteServer, document: str) -> bool:
        """Return whether a document, by its sha256, may be sent there."""
        return server.is_this_computer or document in self._sent_servers(server)

    def let_have(self, server: RemoteServer, documents: Sequence[str]) -> None:
        """Record that these documents may be sent to the server."""
        path = self._folder_of(server.name) / _SENT
        known = self._sent_servers(server)
        new = [document for document in documents if document not in known]
        if not new:
            return
        try:
            make_folder(path.parent)
            with self._lock, open(path, "a", encoding="utf-8", opener=private_opener) as file:
                file.writelines(f"{text}\n" for text in new)
        except OSError as error:
            raise disk_problem(error, path.parent) from error

    @staticmethod
    def _forget_sent(folder: Path) -> None:
        try:
            (folder / _SENT).unlink(missing_ok=True)
        except OSError as error:
            raise disk_problem(error, folder) from error

    def _sent_servers(self, server: RemoteServer) -> set[str]:
        try:
            return set((self._folder_of(server.name) / _SENT).read_text("utf-8").split())
        except (OSError, ValueError):
            return set()

    def _server_folders(self) -> Iterator[Path]:
        try:
            yield from sorted(path for path in self.folder.iterdir() if path.is_dir())
        except OSError:
            return

    def _folder_of(self, name: str) -> Path:
        for folder in self._server_folders():
            server = self._server_in(folder)
            if server is not None and server.name == name:
                return folder
        stem = _NO_NAME.sub("-", name).strip("-.") or "server"
        folder, number = self.folder / stem, 2
        while folder.exists():
            folder, number = self.folder / f"{stem}-{number}", number + 1
        return folder

    def _server_in(self, folder: Path) -> RemoteServer | None:
        facts = _known_fields(RemoteServer, _read_file(folder / _FACTS) or {})
        if not facts.get("name") or address_of(str(facts.get("address", ""))) == "":
            return None
        server = RemoteServer(**facts)
        # The file may have been edited by hand.
        at_once = min(MOST_AT_ONCE, max(0, server.at_once))
        return replace(server, at_once=at_once, context_tokens=max(0, server.context_tokens))

    @staticmethod
    def _name_in(path: Path) -> str:
        return str((_read_file(path) or {}).get("name", ""))

    @staticmethod
    def _write_file(path: Path, raw: dict[str, Any]) -> None:
        """Write atomically: a crash leaves the old file or the new one."""
        scratch = ""
        try:
            make_folder(path.parent)
            handle, scratch = tempfile.mkstemp(prefix=".", dir=path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(raw, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).replace(path)
        except OSError as error:
            if scratch:
                Path(scratch).unlink(missing_ok=True)
            raise disk_problem(error, path.parent) from error


_OUTSIDE = ("path", "server")
"""Fields given by the file's place instead of its content."""


def _read_file(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            raw = json.loads(file.read(MOST_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _known_fields(cls: type, raw: dict[str, Any], left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a class that are there in their type; others are of another version, or wrong."""
    types = {"str": str, "int": int}
    found = {}
    for field in fields(cls):
        kind, value = types.get(str(field.type)), raw.get(field.name)
        # bool is an int in Python
        if field.name not in left_out and kind is not None and isinstance(value, kind) and not isinstance(value, bool):
            found[field.name] = value
    return found


LEAST_TURNS = 8
"""Times that text of two answers must alternate before they count as parallel: late threads mix a few pieces where one
answer ends and the next begins.
"""


class RemoteCallers:
    """Who uses one server, so that interactive answers go before jobs; its own queue can't be overtaken.

    Shared by all engines of the program; thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited = 0
        self._turns: dict[object, int] = {}
        self._last: object = None
        # Observed from text that alternates, as servers don't tell how many answers they write in parallel.
        self._side_by_side = 1

    @contextmanager
    def awaited(self, answers: int) -> Iterator[None]:
        """Count `answers` as awaited by the user while the context lasts."""
        with self._lock:
            self._awaited += answers
        try:
            yield
        finally:
            with self._lock:
                self._awaited -= answers

    @property
    def places(self) -> int | None:
        """Number of job requests that leave room for interactive ones; None if none are awaited."""
        with self._lock:
            return max(0, self._side_by_side - self._awaited) if self._awaited else None

    @property
    def writes_one(self) -> bool:
        """True if no two answers were seen being written in parallel."""
        return self._side_by_side == 1

    def begin(self) -> None:
        """Forget what was observed: the server or its settings may have changed."""
        with self._lock:
            self._side_by_side = 1

    def record_words(self, request: object) -> None:
        """Record that text of this request arrived, to see whether two alternate."""
        with self._lock:
            if self._last is request:
                return
            self._last = request
            self._turns[request] = self._turns.get(request, 0) + 1
            writing = sum(turns >= LEAST_TURNS for turns in self._turns.values())
            self._side_by_side = max(self._side_by_side, writing)

    def is_writing(self, request: object) -> bool:
        return request in self._turns

    def record_end(self, request: object) -> None:
        with self._lock:
            self._turns.pop(request, None)
