"""No telemetry: every address in the program, and whatever could open a socket, is in the two lists here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKED = {
    "huggingface.co": "the Hub, when a person searches or downloads",
    "hf.co": "the Hub's short name, in addresses that a person pastes",
    "html.duckduckgo.com": "a search that a model asks for, once a person has chosen it for tools and allowed the host",
}
"""All that the program itself may connect to, but for what a person enters: a mirror, a proxy, their own servers."""
NAMED = {
    "proxy.example", "searx.example", "example.com", "name",  # how an address looks, beside a field
    "duckduckgo.com",  # how the links of its results begin
    "help.invalid",  # links from one page of the help to another
    "127.0.0.1",  # where a browser comes back to after a sign-in
    "nomic.ai",  # a folder of another program
    # Names of XML vocabularies, which nobody asks.
    "json-schema.org", "ns.adobe.com", "purl.oclc.org", "purl.org", "schemas.microsoft.com",
    "schemas.openxmlformats.org", "www.gribuser.ru", "www.idpf.org", "www.w3.org", "yaml.org",
}  # fmt: skip
"""Addresses in the source that nothing is ever sent to."""
OPENERS = {
    "socket": {
        *("app/core/cage.py", "app/engine/lending.py", "app/engine/llama/lender.py", "app/engine/rpc_machines.py"),
        *("app/features/models/memory_lending.py", "app/hub/access.py", "app/hub/model_server.py"),
        "app/hub/web_fetcher.py",
        *("app/server/running.py", "app/ui/qt_application.py", "app/ui/shell/single_instance.py"),
        "app/ui/shell/voice_worker.py",  # asks whether the speech service of this computer runs
    },
    "ssl": {"app/hub/access.py", "app/hub/certificates.py", "app/hub/door.py", "app/hub/model_server.py"},
    "urllib.request": {"app/hub/access.py"},
    # For a browser that comes back from a sign-in, to a port of this computer.
    "http.server": {"app/hub/sign_in.py"},
    "socketserver": {"app/hub/sign_in.py"},
    "asyncio": {
        f"app/server/{name}.py"
        for name in ("answer_stream", "http_application", "request_body", "running", "tool_endpoint")
    },
    "PySide6.QtNetwork": {"app/ui/shell/single_instance.py"},
}
"""Modules of Python and Qt that can reach out, and where they are used; import-linter looks after foreign ones."""
OTHER_OPENERS = {
    *("ftplib", "http.client", "imaplib", "nntplib", "poplib", "smtplib", "telnetlib"),
    *("webbrowser", "xmlrpc", "PySide6.QtWebEngineCore", "PySide6.QtWebSockets", "PySide6.QtQml"),
}
TELLS = re.compile(
    r"^(amplitude|analytics|appcenter|applicationinsights|bugsnag|datadog|ddtrace|elastic-apm|honeybadger|mixpanel"
    r"|newrelic|opentelemetry|posthog|raygun|rollbar|scarf|segment|sentry|statsd|telemetry)",
    re.MULTILINE,
)
"""Beginnings of the names of packages that send what a program does, or how it crashed, to somebody."""
_ADDRESS = re.compile(r"(?:https?|wss?|ftp|socks5?)://([\w-]+(?:\\?\.[\w-]+)*)", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@.-])((?:[a-z0-9-]+\.)+(?:ai|app|cloud|co|com|dev|io|net|org))(?![\w-])", re.IGNORECASE)


@cache
def sources() -> dict[str, str]:
    """The program's source, by file."""
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py")}


def texts_of(module: ast.Module) -> Iterator[str]:
    """Every text of a module but docstrings: parts of others, too."""
    said = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and id(node) not in said and isinstance(node.value, str | bytes):
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def imports_of(module: ast.Module) -> Iterator[str]:
    """The names of all that a module imports, at its head or later."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def hosts_in(text: str) -> set[str]:
    """The hosts that a text names."""
    return {host.replace("\\", "").lower() for pattern in (_ADDRESS, _HOST) for host in pattern.findall(text)}


def test_every_address_is_in_the_list() -> None:
    listed = subprocess.run(["git", "ls-files", "resources"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.splitlines() if name.endswith((".json", ".qss", ".txt"))]
    naming = [ast.parse(source) for source in sources().values() if hosts_in(source)]
    found = {host for module in naming for text in texts_of(module) for host in hosts_in(text)}
    found |= {host for file in files for host in hosts_in(file.read_text("utf-8"))}
    assert found - ASKED.keys() - NAMED == set()
    assert (ASKED.keys() | NAMED) - found == set(), "listed, and in the source no more"


def test_an_address_would_be_found() -> None:
    source = (
        'import http.client\nURL = f"https://tells.example.com/{1}"\nHOST = "stats.example.io"\nRAW = b"wss://x.y"\n'
    )
    module = ast.parse(source)
    assert {host for text in texts_of(module) for host in hosts_in(text)} == {
        *("tells.example.com", "stats.example.io", "x.y")
    }
    assert set(imports_of(module)) & OTHER_OPENERS == {"http.client"}


def test_sockets_are_opened_only_where_the_list_says() -> None:
    users: dict[str, set[str]] = {}
    some = re.compile(
        rf"(?:import|from)\s+(?:{'|'.join(map(re.escape, {*OPENERS, *OTHER_OPENERS, 'http', 'urllib'}))})\b"
    )
    for name, source in sources().items():
        for imported in imports_of(ast.parse(source)) if some.search(source) or "QtNetwork" in source else ():
            users.setdefault(imported, set()).add(name)
    assert {name: users.get(name, set()) for name in OPENERS} == OPENERS
    assert {name: users[name] for name in OTHER_OPENERS & users.keys()} == {}
    # Of Qt's network only what connects programs of this computer.
    assert {name.rpartition(".")[2] for name in users if name.startswith("PySide6.QtNetwork.")} == {
        *("QLocalServer", "QLocalSocket")
    }


def test_no_package_comes_along_that_tells_others() -> None:
    locks = {name: (ROOT / "packaging/requirements" / name).read_text("utf-8") for name in ("app.txt", "engine.txt")}
    assert all("==" in text for text in locks.values())
    assert {name: TELLS.findall(text) for name, text in locks.items()} == {"app.txt": [], "engine.txt": []}
    assert TELLS.findall("sentry-sdk==2.0\nposthog==3.1") == ["sentry", "posthog"]


def test_the_hubs_library_tells_nothing_either() -> None:
    code = "import app.hub, huggingface_hub.constants as c; print(c.HF_HUB_DISABLE_TELEMETRY)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
