"""Tries a portable folder with the network cut: its commands, the window, a clean exit, nothing left anywhere.

usage: smoke_test.py DIST…, as dist/fireside. Of a single file (an AppImage) is tried that it starts, mounted and
unpacked. A package without the starter model says so, and is then given the checkout's. Standard library only; the
frozen program brings its own Python.
"""

from __future__ import annotations

import ast
import ctypes
import ctypes.util
import importlib.util
import json
import math
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND_TIMEOUT_S = 120
WINDOW_TIMEOUT_S = 30
ENGINE_TIMEOUT_S = 30
QUIT_TIMEOUT_S = 15
QUESTION = "Say hello."
ROOT = Path(__file__).resolve().parents[1]
KEY = "smoke"
"""What asks the server shows."""
ASK_SERVER, ASK_LENDER = "--ask-server", "--ask-lender"
"""Before the program, by this file itself: see `in_same_network`."""
SET_FLAGS, IS_UP = 0x8914, 1
"""Linux's words for switching a network card on."""
PICTURE = (ROOT / "resources" / "pictures" / "light.png").read_bytes()
FIT_PROBE = {"type": "FitProbe", "layout": {"context_tokens": 4096}, "gpus": [], "split": []}
"""What is asked of `app.engine.fit`'s throw-away process, but for the path of the model."""
FIT_ANSWER = "MemoryNeeds"
VOICE_ANSWERS = ("VoicesFound", "NoVoice")
HELP_PICTURE = re.compile(r"^!\[[^\]]*\]\(([a-z-]+)\)$", re.MULTILINE)


class Failed(Exception):
    """One thing that the frozen program should do and did not."""


@dataclass
class Trial:
    """What is started, the folder that it runs in, how to cut the network, and a home that is thrown away.

    `model` is what a package without a model of its own is given with each question.
    """

    program: Path
    folder: Path
    cut: list[str]
    environment: dict[str, str]
    model: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """Below it everything is that the program writes."""
        return Path(self.environment["FIRESIDE_HOME"])

    def command(self, *arguments: str) -> list[str]:
        """The start script with arguments, without a network."""
        return [*self.cut, str(self.program), *arguments]

    def ended(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, however it ends."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        """Standard output of one command, which must end with 0."""
        done = self.ended(*arguments)
        if done.returncode:
            raise Failed(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        """The one sentence of a command that cannot do what it is asked for: 1, and nothing on standard output."""
        done = self.ended(*arguments)
        said = done.stderr.strip().splitlines()
        if done.returncode != 1 or done.stdout or not said or "Traceback" in done.stderr:
            raise Failed(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return said[-1]

    def run_json(self, *arguments: str) -> dict[str, Any]:
        """The one JSON object that a command with --json prints."""
        out = self.run(*arguments, "--json")
        try:
            body = json.loads(out)
        except ValueError as error:
            raise Failed(f"{' '.join(arguments)} --json printed something else: {out[:500]!r}") from error
        if not isinstance(body, dict):
            raise Failed(f"{' '.join(arguments)} --json printed {type(body).__name__}")
        return body


def try_version(trial: Trial) -> str:
    """--version answers."""
    out = trial.run("--version").strip()
    if not out.startswith("Fireside "):
        raise Failed(f"--version printed {out!r}")
    return out


def try_imports(trial: Trial) -> str:
    """All of the program is inside, and everything that any part of it imports, at once or much later."""
    names = sorted(name for name in imported_names(ROOT / "app") if is_here(name))
    trial.environment["QT_QPA_PLATFORM"] = "offscreen"
    said = trial.run("--try-imports", *names)
    del trial.environment["QT_QPA_PLATFORM"]
    return said.strip()


def imported_names(folder: Path) -> set[str]:
    """Modules of others that the sources below a folder import, also inside functions."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.partition(".")[0] not in ("app", "__future__", "_typeshed")}


def is_here(name: str) -> bool:
    """Whether it is a module of this Python: names of classes are none, nor are other systems' modules."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def try_doctor(trial: Trial) -> str:
    """doctor finds a processor device and the starter model inside the folder."""
    found = trial.run_json("doctor")
    devices = [device["name"] for device in found["devices"]]
    if not any(device["type"] == "cpu" for device in found["devices"]):
        raise Failed(f"doctor found no processor among {found['devices']}")
    inside = [model for model in found["models"] if Path(model).is_relative_to(trial.folder)]
    if len(inside) != int(not trial.model):
        raise Failed(f"doctor found in the folder, which has {'no' if trial.model else 'one'} model: {found['models']}")
    return f"devices {', '.join(devices)}; starter {Path(inside[0]).name if inside else 'none'}"


def try_fit_probe(trial: Trial) -> str:
    """llama.cpp says what the starter would take, in the process that is thrown away."""
    model = trial.model[-1] if trial.model else str(starter_inside(trial.folder))
    with subprocess.Popen(
        trial.command("--fit-probe"), env=trial.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(FIT_PROBE | {"path": model}) + "\n")
        child.stdin.flush()  # and stays open: the process leaves when its parent does
        said = [json.loads(line) for line in child.stdout if line.strip()]  # empty ones say that it lives
    needs = next((one for one in said if one["type"] == FIT_ANSWER), None)
    if needs is None:
        raise Failed(f"--fit-probe said {said} and ended with {child.returncode}")
    if needs["kv"] != 4096 * 30 * 2 * 3 * 64 * 2:
        raise Failed(f"4,096 tokens of the starter should take 90 MiB, not {needs}")
    return f"weights {needs['weights'] / 1e6:.0f} MB, context {needs['kv'] / 1e6:.0f} MB"


def try_help(trial: Trial) -> str:
    """Each page of the help is inside in each language, with its pictures; so are Mozilla's authorities."""
    inside = trial.folder / "program" / "_internal"
    pages = inside / "resources" / "help"
    names = sorted(path.name for path in (ROOT / "resources/help/en").glob("*.md"))
    languages = sorted(path.stem for path in (ROOT / "resources/translations").glob("*.po"))
    wanted = [pages / language / name for language in ("en", *languages) for name in names]
    shown = set(HELP_PICTURE.findall("".join((ROOT / "resources/help/en" / name).read_text("utf-8") for name in names)))
    wanted += [pages / "pictures" / f"{name}-{scheme}.png" for name in shown for scheme in ("dark", "light")]
    wanted += [inside / "CHANGELOG.md", inside / "certifi" / "cacert.pem"]
    if missing := [str(path.relative_to(inside)) for path in wanted if not path.is_file()]:
        raise Failed(f"not inside: {', '.join(missing)}")
    return f"{len(names)} pages in {len(languages) + 1} languages, {len(shown)} pictures"


def try_languages(trial: Trial) -> str:
    """The terminal speaks each language, and Qt's own menus are there for it."""
    said = {"en": trial.run("--help")}
    for path in sorted((ROOT / "resources/translations").glob("*.po")):
        trial.environment["LANG"] = f"{path.stem}_{path.stem.upper()}.UTF-8"
        said[path.stem] = trial.run("--help")
    trial.environment["LANG"] = "C.UTF-8"
    if len(set(said.values())) != len(said):
        raise Failed(f"the same in several of {', '.join(said)}")
    menus = {path.stem.split("_")[1] for path in trial.folder.rglob("qtbase_*.qm")}
    if menus != said.keys() - {"en"}:
        raise Failed(f"Qt's menus are there for {', '.join(sorted(menus))} only")
    return ", ".join(said)


def try_policy(trial: Trial) -> str:
    """An administrator's file binds the program, and doctor tells what of it doesn't apply."""
    policy = trial.home.parent / "policy.json"
    policy.write_text('{"network": {"allowed": false}, "nothing": {}}', "utf-8")
    trial.environment["FIRESIDE_POLICY"] = str(policy)
    told, said = trial.run_json("doctor")["administrator"], trial.refusal("models", "search", "llama")
    del trial.environment["FIRESIDE_POLICY"]
    if told["faults"] != ["nothing"] or "switched off" not in said:
        raise Failed(f"doctor told {told}, and a search said {said!r}")
    return repr(said)


def try_voice(trial: Trial) -> str:
    """What speaks is inside: the child finds voices, or says that the system has no service or no sound library."""
    # No person's speech service is asked; libspeechd starts one of its own, whose records aren't the program's.
    place = trial.home / "voice"
    place.mkdir(parents=True)
    environment = trial.environment | {
        "SPEECHD_ADDRESS": f"unix_socket:{place}/none",
        "HOME": str(place),
        "TMPDIR": str(place),
    }
    done = subprocess.run(
        trial.command("--voice-worker"), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=COMMAND_TIMEOUT_S, check=False,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    if not said or said[-1]["type"] not in VOICE_ANSWERS:
        raise Failed(f"--voice-worker said {said} and ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    if said[-1].get("reason") == "module" and ctypes.util.find_library("pulse") is not None:
        raise Failed(f"the module that speaks cannot be loaded: {said[-1]['detail']}")
    return f"{said[-1]['type']} {said[-1].get('reason', '')}".strip()


def starter_inside(folder: Path) -> Path | None:
    """The model in a portable folder, where it has one."""
    return next((folder / "program" / "_internal" / "resources" / "models").glob("*.gguf"), None)


def try_no_model(trial: Trial) -> str:
    """A package without a model answers a question with a sentence that says so."""
    said = trial.refusal("chat", "-p", QUESTION)
    if "No model" not in said:
        raise Failed(f"without a model it said {said!r}")
    return repr(said)


def try_chat(trial: Trial) -> str:
    """One answer comes from the program's own engine child."""
    asked = ("chat", "-p", QUESTION, "--max-tokens", "24", "--temperature", "0", "--seed", "1", *trial.model)
    answer = trial.run_json(*asked)
    if not answer["text"].strip() or not answer["generated_tokens"]:
        raise Failed(f"the answer to {QUESTION!r} was {answer['text']!r}")
    return f"{answer['text'].strip()!r}, {answer['tokens_per_s']:.0f} tokens/s"


def try_picture(trial: Trial) -> str:
    """What opens pictures and what makes numbers of them are inside; a model without eyes says that it has none."""
    picture = trial.home.parent / "picture.png"
    picture.write_bytes(PICTURE)
    said = trial.refusal("chat", "-p", "What is this?", "--image", str(picture), *trial.model)
    if "can’t see pictures" not in said:
        raise Failed(f"a model without eyes was shown a picture: {said!r}")
    return repr(said)


def try_transcribe(trial: Trial) -> str:
    """What decodes recordings is inside; a model without ears says that it hears nothing."""
    recording = trial.home.parent / "hum.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        hum = (int(9_000 * math.sin(math.tau * 220 * at / 16_000)) for at in range(16_000))
        file.writeframes(b"".join(struct.pack("<h", value) for value in hum))
    said = trial.refusal("transcribe", str(recording), *trial.model)
    if "can’t hear" not in said:
        raise Failed(f"a model without ears was given a recording: {said!r}")
    return repr(said)


def try_scan(trial: Trial) -> str:
    """A page that is a picture is read by tesseract, where the system has it, and else it is said that it was not."""
    folder = trial.home.parent
    picture, scan = folder / "scan.jpg", folder / "scan.pdf"
    font = next((ROOT / "resources" / "fonts").glob("Inter-Regular.*"), None)
    drawn = ["convert", "-size", "1240x400", "xc:white", *(["-font", str(font)] if font else []), "-pointsize", "48"]
    drawn += ["-annotate", "+100+150", "The rent is due in March.", "-colorspace", "Gray", str(picture)]
    if not shutil.which("convert") or subprocess.run(drawn, capture_output=True, check=False).returncode:
        return "not tried: ImageMagick is missing or has no font"
    scan.write_bytes(pdf_of_picture(picture.read_bytes(), 1240, 400))
    read = trial.run_json("read", str(scan))
    text = " ".join(block["text"] for block in read["blocks"])
    if not shutil.which("tesseract"):
        if read["blocks"] or read["pages_without_text"] != [1] or not any("tesseract" in w for w in read["warnings"]):
            raise Failed(f"without tesseract a scan became {read}")
        return "without tesseract it is said that the page was not read"
    if "rent is due" not in text or read["pages_recognized"] != [1]:
        raise Failed(f"a scan became {read}")
    return f"tesseract read {text!r}"


def pdf_of_picture(jpeg: bytes, width: int, height: int) -> bytes:
    """A page that is one grey picture; its table of contents is left to be mended."""
    stream = f"q {width / 2} 0 0 {height / 2} 0 0 cm /I Do Q"
    head = (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width / 2} {height / 2}]/Contents 4 0 R"
        "/Resources<</XObject<</I 5 0 R>>>>>>endobj\n"
        f"4 0 obj<</Length {len(stream)}>>stream\n{stream}\nendstream endobj\n"
        f"5 0 obj<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8"
        f"/Filter/DCTDecode/Length {len(jpeg)}>>stream\n"
    )
    return head.encode() + jpeg + b"\nendstream endobj\ntrailer<</Root 1 0 R/Size 6>>\n%%EOF\n"


def try_read(trial: Trial) -> str:
    """What parses documents is inside: a PDF, a web page and a table become blocks, and the language is known."""
    words = "The tenant pays for heating and water, and the landlord for the repair of the roof and the windows. "
    folder = trial.home.parent
    files = {"lease.pdf": pdf_of("Heating"), "page.html": f"<h1>Lease</h1><p>{words * 3}", "table.csv": "a,b\n1,2\n"}
    found = {}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
        read = trial.run_json("read", str(folder / name))
        found[name] = [block["text"] for block in read["blocks"]], read["language"]
    expected = {"lease.pdf": (["Heating"], None), "page.html": (["Lease", (words * 3).strip()], "en")}
    if found != expected | {"table.csv": (["a\tb\n1\t2"], None)}:
        raise Failed(f"read found {found}")
    return ", ".join(files)


def try_summarize(trial: Trial) -> str:
    """A text becomes a summary, a Word document that `read` understands, and figures of ROUGE."""
    folder = trial.home / "documents to summarize"
    folder.mkdir()
    text = "The tenant pays 960 euros of rent a month. Either party may end the lease with three months' notice."
    lease, saved_as, data = folder / "lease.txt", folder / "lease.docx", folder / "data.jsonl"
    lease.write_text(text, "utf-8")
    found = trial.run_json("summarize", str(lease), "-o", str(saved_as), "--length", "short", *trial.model)
    coverage = found["coverage"]
    if not found["claims"] or coverage["blocks_read"] != coverage["blocks"] or found["errors"]:
        raise Failed(f"summarize found {found}")
    saved = [block["text"] for block in trial.run_json("read", str(saved_as))["blocks"]]
    if not all(any(claim["text"] in line for line in saved) for claim in found["claims"]):
        raise Failed(f"lease.docx has {saved}")
    data.write_text(json.dumps({"document": text, "summary": "The rent is 960 euros."}), "utf-8")
    figures = trial.run_json("evaluate", "summarize", "--data", str(data), *trial.model)
    if not figures["lead3"]["rouge1"] or figures["documents"] != 1:
        raise Failed(f"evaluate found {figures}")
    return f"{len(found['claims'])} claims, saved as DOCX; ROUGE-1 of the first sentences {figures['lead3']['rouge1']}"


def try_translate(trial: Trial) -> str:
    """Documents come back in their formats with what is no text untouched; what the starter writes is no matter."""
    folder = trial.home / "documents to translate"
    folder.mkdir()
    texts = {
        "lease.md": "# Rent\n\nThe rent is **960 euros** a month.\n\n```\ncode stays\n```\n",
        "lease.yaml": "title: The rent is due  # a comment\ncount: 3\n",
        "lease.html": "<!DOCTYPE html><html lang='en'><title>Rent</title><p>The rent is <b>due</b>.</p></html>",
    }
    kept = {"lease.md": "code stays", "lease.yaml": "# a comment\ncount: 3", "lease.html": "<!DOCTYPE html>"}
    segments = 0
    for name, text in texts.items():
        source, out = folder / name, folder / f"translated {name}"
        source.write_text(text, "utf-8")
        found = trial.run_json("translate", "--to", "de", str(source), "-o", str(out), *trial.model)
        if not found["segments"] or found["errors"] or kept[name] not in out.read_text("utf-8"):
            raise Failed(f"translate found {found}")
        segments += len(found["segments"])
    lines = [folder / "source.txt", folder / "reference.txt"]
    for path, text in zip(lines, ("The rent is due.\n", "Die Miete ist fällig.\n"), strict=True):
        path.write_text(text, "utf-8")
    given = ("--source", str(lines[0]), "--reference", str(lines[1]), "--to", "de", *trial.model)
    figures = trial.run_json("evaluate", "translate", *given)
    return f"{segments} segments of {len(texts)} documents; evaluate gives {', '.join(figures)}"


def pdf_of(word: str) -> str:
    """A page with one word in one of the fonts that every reader has; its table of contents is left to be mended."""
    stream = f"BT /F1 24 Tf 72 700 Td ({word}) Tj ET"
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
        f"4 0 obj<</Length {len(stream)}>>stream\n{stream}\nendstream endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R/Size 6>>\n%%EOF\n"
    )


def try_complete(trial: Trial) -> str:
    """A text is gone on with."""
    found = trial.run_json(
        "complete", "-p", "Once upon a time", "--max-tokens", "8", "--temperature", "0", *trial.model
    )
    (one,) = found["completions"]
    if not one["text"].strip():
        raise Failed(f"complete found {found}")
    return repr(one["text"].strip())


def try_inspect(trial: Trial) -> str:
    """Tokens and layers of a short text: NumPy is inside, and the model can be looked into."""
    text = ("-p", "The capital of France is", *trial.model)
    tokens = [token["text"] for token in trial.run_json("inspect", "tokens", *text)["tokens"]]
    if "".join(tokens) != text[1]:
        raise Failed(f"inspect found the tokens {tokens}")
    layers = trial.run_json("inspect", "layers", *text)["layers"]
    if len(layers) < 30 or not layers[-1][-1][0]["probability"]:
        raise Failed(f"inspect found {len(layers)} layers")
    return f"{len(tokens)} tokens, {len(layers)} layers, next is {layers[-1][-1][0]['text']!r}"


def try_search(trial: Trial) -> str:
    """The Hub's library is inside: without a network a search ends with a sentence and nothing else."""
    if not trial.cut:
        return "not tried: here the network cannot be cut, and the Hub would answer"
    done = trial.ended("models", "search", "llama")
    if done.returncode != 1 or "huggingface.co" not in done.stderr or len(done.stderr.splitlines()) != 1:
        raise Failed(f"a search without a network ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return repr(done.stderr.strip())


def try_kept(trial: Trial) -> str:
    """What is kept for a person can be listed, saved as one file and brought back."""
    saved = trial.home / "backup.zip"
    if trial.run_json("trash", "list")["trash"] or trial.run_json("chats", "list")["chats"]:
        raise Failed("a new home has chats")
    size = trial.run_json("backup", str(saved))["size_bytes"]
    if size != saved.stat().st_size or not trial.run_json("restore", str(saved))["restored"]:
        raise Failed(f"a backup of {size} bytes was not brought back")
    return f"chats and trash are empty, a backup of {size} bytes was restored"


def try_portable(trial: Trial) -> str:
    """With a folder "data" beside the program everything is kept there, as on a USB stick."""
    beside, home = trial.folder / "data", trial.environment.pop("FIRESIDE_HOME")
    beside.mkdir()
    try:
        folders = trial.run_json("doctor")["folders"]
        opened = [f"{path.stat().st_mode & 0o77:o}" for path in beside.rglob("*")]
    finally:
        trial.environment["FIRESIDE_HOME"] = home
        shutil.rmtree(beside)
    if not folders or not all(Path(folder).is_relative_to(beside) for folder in folders.values()):
        raise Failed(f"with a folder data beside it, it uses {folders}")
    if set(opened) - {"0"}:
        raise Failed(f"others may read what is kept there: {opened}")
    return f"all of {', '.join(folders)} beside the program, and nobody else may read it"


def try_serve(trial: Trial) -> str:
    """Another program asks over HTTP, on this computer only, and Ctrl+C ends the server."""
    return in_same_network(trial, ASK_SERVER)


def try_lend(trial: Trial) -> str:
    """The memory of this computer is lent until Ctrl+C."""
    return in_same_network(trial, ASK_LENDER)


def in_same_network(trial: Trial, asks: str) -> str:
    """Starts this file once more where the program is cut off, too, so that they can speak with each other."""
    command = [*trial.cut, sys.executable, str(Path(__file__).resolve()), asks, str(trial.program), *trial.model]
    done = subprocess.run(
        command, env=trial.environment, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise Failed(f"{done.stdout.strip()} {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def ask_server(program: str, *model: str) -> str:
    """A question to `serve`, without its key and with it."""
    with listening([program, "serve", "--port", "0", "--key", KEY, *model], r"http://[\d.]+:\d+/v1") as address:
        body = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8, "temperature": 0}
        request = urllib.request.Request(f"{address}/chat/completions", json.dumps(body).encode(), method="POST")  # noqa: S310 - its own
        request.add_header("Content-Type", "application/json")
        plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            plain.open(request, timeout=COMMAND_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            refused = error.code
        request.add_header("Authorization", f"Bearer {KEY}")
        with plain.open(request, timeout=COMMAND_TIMEOUT_S) as answer:
            text = json.load(answer)["choices"][0]["message"]["content"]
    if refused != 401 or not text.strip():
        raise Failed(f"without the key it answered {refused}, with it {text!r}")
    return f"{text.strip()!r} over HTTP, {refused} without the key, ended by Ctrl+C"


def ask_lender(program: str, *_: str) -> str:
    """Whether something listens where `lend` says."""
    with listening([program, "lend", "--port", "0", "--memory", "0.5"], r"127\.0\.0\.1:\d+") as address:
        host, _colon, port = address.partition(":")
        socket.create_connection((host, int(port)), timeout=ENGINE_TIMEOUT_S).close()
    return f"at {address}, ended by Ctrl+C"


@contextmanager
def listening(command: list[str], pattern: str) -> Iterator[str]:
    """What a command says that fits `pattern`, while it runs; then it is interrupted and must end with 0."""
    open_loopback()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        timer = threading.Timer(COMMAND_TIMEOUT_S * 0.8, process.kill)
        timer.start()
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if "Press Ctrl+C" in line:
                    break
            found = re.search(pattern, "".join(said))
            if found is None:
                raise Failed(f"{command[1]} said {said}")
            yield found[0]
            process.send_signal(signal.SIGINT)
            process.stderr.read()
            if process.wait(QUIT_TIMEOUT_S):
                raise Failed(f"{command[1]} ended with {process.returncode}")
        finally:
            timer.cancel()
            if process.poll() is None:
                process.kill()


def open_loopback() -> None:
    """127.0.0.1 answers also in a network of its own, where it has to be switched on first."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        try:
            socket.create_connection(one.getsockname(), timeout=ENGINE_TIMEOUT_S).close()
        except OSError:
            import fcntl

            fcntl.ioctl(one, SET_FLAGS, struct.pack("16sH22x", b"lo", IS_UP))


def try_window(trial: Trial) -> str:
    """The window starts offscreen, says that it is visible, and ends by itself when asked to."""
    environment = trial.environment | {"QT_QPA_PLATFORM": "offscreen", "FIRESIDE_TIMING": "1"}
    lines: list[str] = []
    visible = threading.Event()
    started = time.monotonic()
    with subprocess.Popen(
        trial.command(), env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as window:

        def listen() -> None:
            assert window.stderr is not None
            for line in window.stderr:
                lines.append(line)
                if line.startswith("window visible"):
                    visible.set()
            visible.set()  # it ended; the exit code says how

        reader = threading.Thread(target=listen, daemon=True)
        reader.start()
        try:
            visible.wait(WINDOW_TIMEOUT_S)
            took_s = time.monotonic() - started
            if window.poll() is not None or not any(line.startswith("window visible") for line in lines):
                raise Failed(f"the window did not show: {''.join(lines)[-2000:]}")
            check_libraries(trial.folder, has_engine=not trial.model)
            check_program_file(trial.folder)
            hand_over(trial, environment)
            window.send_signal(signal.SIGTERM)
            code = window.wait(QUIT_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the window was still there {QUIT_TIMEOUT_S} s after SIGTERM") from error
        finally:
            if window.poll() is None:
                window.kill()
        reader.join(5)
    if code:
        raise Failed(f"the window ended with {code}: {''.join(lines)[-2000:]}")
    return f"visible {took_s * 1000:.0f} ms after its start, was given a file by a second start, ended with 0"


def hand_over(trial: Trial, environment: Mapping[str, str]) -> None:
    """A second start opens no window: the first has its file then, in the tab that was named."""
    file = trial.home.parent / "handed over.txt"
    file.write_text("The tenant pays for heating and water. The landlord pays for the repair of the roof.", "utf-8")
    command = trial.command("--summarize", str(file))
    given: dict[str, Any] = {"env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    second = subprocess.run(command, timeout=WINDOW_TIMEOUT_S, check=False, **given)
    if second.returncode or "window visible" in second.stderr:
        raise Failed(f"a second start ended with {second.returncode}: {second.stderr.strip()[-2000:]}")
    deadline = time.monotonic() + ENGINE_TIMEOUT_S
    while file.name not in names_of_documents(trial.home):
        if time.monotonic() > deadline:
            raise Failed(f"the window was not given {file.name} by a second start")
        time.sleep(0.1)


def names_of_documents(home: Path) -> set[str]:
    """What the program has read and kept."""
    with closing(sqlite3.connect(home / "data" / "fireside.db", timeout=5)) as store:
        return {name for (name,) in store.execute("SELECT name FROM documents")}


def check_libraries(folder: Path, *, has_engine: bool) -> None:
    """Window and engine child must use the libraries of the folder, or it runs only where the system has the same."""
    brought = {path.name for path in folder.rglob("*.so*")}
    deadline = time.monotonic() + ENGINE_TIMEOUT_S
    while True:
        mapped = {pid: mapped_libraries(pid) for pid in running_inside(folder)}
        if not has_engine or any(path.name.startswith("libllama") for paths in mapped.values() for path in paths):
            break
        if time.monotonic() > deadline:
            raise Failed(f"the window started no engine that loads llama.cpp in {ENGINE_TIMEOUT_S} s")
        time.sleep(0.1)
    strange = {str(p) for paths in mapped.values() for p in paths if p.name in brought and not p.is_relative_to(folder)}
    if strange:
        raise Failed(f"loaded from the system although the folder has them: {', '.join(sorted(strange))}")


def check_program_file(folder: Path) -> None:
    """Each process keeps the file open that its modules are in: an upgrade puts another in its place meanwhile."""
    deadline = time.monotonic() + ENGINE_TIMEOUT_S
    while wrong := [pid for pid in running_inside(folder) if not keeps_its_program(pid)]:  # one may just have begun
        if time.monotonic() > deadline:
            raise Failed(
                f"{command_line(wrong[0])} would read its modules from whatever an upgrade lays in their place"
            )
        time.sleep(0.1)


def keeps_its_program(pid: int) -> bool:
    """Whether the process has its own program file open; whoever has ended needs it no more."""
    try:
        program = Path(f"/proc/{pid}/exe").readlink()
        return program in {link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return True


def mapped_libraries(pid: int) -> set[Path]:
    """The shared libraries that a process has loaded (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "replace").splitlines()
    except OSError:  # it ended meanwhile
        return set()
    return {Path(line.split(maxsplit=5)[5]) for line in lines if ".so" in line}


def try_nothing_outside(trial: Trial) -> str:
    """Home, working folder and the system's folder for temporary files are as empty as they were."""
    home = trial.home
    places = (Path(trial.environment["HOME"]), Path(trial.environment["TMPDIR"]), home.parent / "here")
    deadline = time.monotonic() + 5  # a single file is unmounted a moment after its program has ended
    while strange := sorted(str(path) for place in places for path in place.rglob("*")):
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    if strange:
        raise Failed(f"written outside of its folders: {', '.join(strange)}")
    return f"all of {sum(1 for path in home.rglob('*') if path.is_file())} files below FIRESIDE_HOME"


def try_nothing_left(trial: Trial) -> str:
    """No process of the folder is running any more; a child may take a moment to be gone."""
    deadline = time.monotonic() + 5
    while left := running_inside(trial.folder):
        if time.monotonic() > deadline:
            raise Failed(f"still running: {', '.join(map(command_line, left))}")
        time.sleep(0.1)
    return "no process left"


def running_inside(folder: Path) -> list[int]:
    """Processes whose program file lies in `folder` (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:  # gone meanwhile, or another person's
            continue
    return found


def command_line(pid: int) -> str:
    """How a process was started, for a message."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(bytes(1), b" ").decode(errors="replace").strip()
    except OSError:
        return f"process {pid}"


def network_cutter() -> list[str]:
    """A command prefix that runs a program without any network, or nothing where that is not permitted.

    Who is not root mounts a single file in a place of their own (-m): fusermount has no rights of root's in there.
    """
    for prefix in (["unshare", "-n"], ["unshare", "-r", "-n", "-m"]):
        if not shutil.which("unshare"):
            break
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    return []


FOLDER_ATTEMPTS = (
    *(try_version, try_imports, try_doctor, try_fit_probe, try_chat, try_picture, try_read, try_scan, try_summarize),
    *(
        try_translate,
        try_complete,
        try_inspect,
        try_transcribe,
        try_serve,
        try_lend,
        try_search,
        try_kept,
        try_portable,
    ),
    *(try_help, try_languages, try_policy, try_voice),
    *(try_window, try_nothing_outside, try_nothing_left),
)
UNPACKED_ATTEMPTS = (try_version, try_doctor, try_chat, try_nothing_left, try_nothing_outside)
"""Without the window: a signal reaches the runtime there, which waits for the program, and not the program."""
MOUNTED_ATTEMPTS = (*UNPACKED_ATTEMPTS[:3], try_window, *UNPACKED_ATTEMPTS[3:])


def main(chosen: Path) -> int:
    """Tries a folder or a single file, says each result; 1 when anything failed."""
    if chosen.is_dir():
        lite = () if starter_inside(chosen) else (try_no_model,)
        return int(not tried(chosen, chosen.name, (*lite, *FOLDER_ATTEMPTS)))
    more = {"APPIMAGE_EXTRACT_AND_RUN": "1"}
    succeeded = [tried(chosen, f"{chosen.name}, unpacked", UNPACKED_ATTEMPTS, more)]
    if can_be_mounted(chosen):
        succeeded.append(tried(chosen, f"{chosen.name}, mounted", MOUNTED_ATTEMPTS))
    return int(not all(succeeded))


def can_be_mounted(chosen: Path) -> bool:
    """Whether this machine has what the runtime of a single file needs for it; the older kind wants FUSE 2."""
    with chosen.open("rb") as file:
        wants_fuse_2 = b"libfuse.so.2" in file.read(1 << 20)
    try:
        if wants_fuse_2:
            ctypes.CDLL("libfuse.so.2")
    except OSError:
        return False
    return Path("/dev/fuse").exists() and any(map(shutil.which, ("fusermount3", "fusermount")))


def tried(
    chosen: Path, name: str, attempts: Sequence[Callable[[Trial], str]], more: Mapping[str, str] | None = None
) -> bool:
    """Whether all attempts succeeded, with `more` in the environment."""
    cut = network_cutter()
    print(f"Trying {name}, with the network {'cut' if cut else 'not cut (this machine does not permit it)'}:")
    succeeded = True
    with tempfile.TemporaryDirectory(prefix="fireside-smoke-") as scratch:
        ours = ("PYTHON", "FIRESIDE", "XDG_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        home, *empty = (Path(scratch, name) for name in ("fireside", "home", "temporary", "here"))
        for place in empty:
            place.mkdir()
        environment |= {"FIRESIDE_HOME": str(home), "HOME": str(empty[0]), "TMPDIR": str(empty[1]), "LANG": "C.UTF-8"}
        environment |= {"GSETTINGS_BACKEND": "memory"}  # what asks for GNOME's proxy keeps a cache otherwise
        # Elsewhere than in the checkout, so that nothing of it is found by chance.
        os.chdir(empty[2])
        # A single file runs from the folder for temporary files, where it mounts or unpacks itself.
        program, folder = (chosen / "fireside", chosen) if chosen.is_dir() else (chosen, empty[1])
        lite = "-lite" in chosen.name.lower() if chosen.is_file() else starter_inside(chosen) is None
        model = ("--model", str(next((ROOT / "resources" / "models").glob("*.gguf")))) if lite else ()
        trial = Trial(program, folder, cut, environment | dict(more or {}), model)
        for attempt in attempts:
            words = attempt.__name__.removeprefix("try_")
            try:
                print(f"  {words:<12} {attempt(trial)}", flush=True)
            except (Failed, KeyError, subprocess.TimeoutExpired) as error:
                succeeded = False
                print(f"  {words:<12} FAILED: {error}", flush=True)
    return succeeded


if __name__ == "__main__":
    if sys.argv[1] in (ASK_SERVER, ASK_LENDER):
        try:
            print((ask_server if sys.argv[1] == ASK_SERVER else ask_lender)(*sys.argv[2:]))
        except Failed as failure:
            sys.exit(str(failure))
        sys.exit()
    sys.exit(max(main(Path(argument).resolve()) for argument in sys.argv[1:]))
