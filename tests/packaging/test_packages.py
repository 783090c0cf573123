"""What packages are made of: parts, archives, menu entries, the manual page and completions, all without building."""

from __future__ import annotations

import configparser
import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import argparse

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "packaging" / "linux"
EPOCH = 1_800_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A portable folder in small."""
    folder = tmp_path / "fireside"
    inside = folder / "program" / "_internal"
    for name, size in {
        "fireside": 700,
        "program/fireside": 5_000,
        "program/_internal/bin/libggml-vulkan.so": 3_000,
        "program/_internal/resources/models/starter.gguf": 9_000,
        "program/_internal/resources/code.json": 100,
        "program/_internal/PySide6/Qt/lib/libQt6Core.so.6": 4_000,
        "program/_internal/numpy/core.so": 2_000,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode().ljust(size, b"."))
    (inside / "libQt6Core.so.6").symlink_to("PySide6/Qt/lib/libQt6Core.so.6")
    (folder / "fireside").chmod(0o755)
    return folder


def test_each_file_belongs_to_one_part_and_links_weigh_nothing(folder: Path) -> None:
    from parts import parts_of

    weights = {part.name: part.installed_bytes for part in parts_of(folder)}
    assert weights == {
        "starter model": 9_000,
        "engine: Vulkan": 3_000,
        "Qt libraries and plug-ins": 4_000,
        "NumPy": 2_000,
        "Python and modules": 5_000,
        "licences and the rest": 800,
        "libraries of the system": 0,
    }


def test_the_archive_is_the_folder_and_the_same_twice(folder: Path, tmp_path: Path) -> None:
    from parts import parts_of, table, write_archive

    archives = [tmp_path / "one.tar.zst", tmp_path / "two.tar.zst"]
    for archive in archives:
        parts = parts_of(folder)
        write_archive(folder, archive, parts, EPOCH)
        (folder / "fireside").touch()  # another time
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert sum(part.packed_bytes for part in parts) < archives[0].stat().st_size
    out = tmp_path / "unpacked"
    out.mkdir()
    plain = tmp_path / "plain.tar"
    subprocess.run(["zstd", "--quiet", "-d", archives[0], "-o", plain], check=True)
    with tarfile.open(plain) as archive:
        archive.extractall(out, filter="tar")
    names = {path.relative_to(folder) for path in folder.rglob("*")}
    assert {path.relative_to(out / "fireside") for path in (out / "fireside").rglob("*")} == names
    for path in folder.rglob("*"):
        copy = out / "fireside" / path.relative_to(folder)
        assert copy.is_symlink() == path.is_symlink()
        assert path.is_dir() or copy.read_bytes() == path.read_bytes()
    assert (out / "fireside" / "fireside").stat().st_mode & 0o111
    assert (out / "fireside" / "fireside").stat().st_mtime == EPOCH
    said = table(parts)
    assert "without the model" in said
    assert len(said.splitlines()) == 1 + len(parts) + 2


def test_checksums_are_checked_by_the_systems_own_program(folder: Path) -> None:
    from materials import write_sums

    names = ("Fireside-1.2.3.AppImage", "fireside-1.2.3.dmg", "fireside-lite-1.2.3.tar.zst", "fireside_1.2.3.deb")
    for name in (*names, "fireside-1.2.2.exe", "fireside-1.2.3.squashfs", "release.json"):
        (folder / name).write_text(name)
    write_sums(folder, "1.2.3")
    assert tuple(line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()) == names
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def sections_of(path: Path) -> configparser.ConfigParser:
    """A desktop entry, a service menu or an action."""
    found = configparser.ConfigParser(interpolation=None, strict=True)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(path, "utf-8")
    return found


def test_file_managers_offer_the_actions_for_documents(tmp_path: Path) -> None:
    from desktop import ACTIONS, write_entries

    write_entries(tmp_path)
    menu = sections_of(tmp_path / "kio" / "servicemenus" / "fireside.desktop")
    assert menu["Desktop Entry"]["Type"] == "Service"
    assert "application/pdf" in menu["Desktop Entry"]["MimeType"].split(";")
    for action in ACTIONS:
        nemo = sections_of(tmp_path / "nemo" / "actions" / f"fireside-{action}.nemo_action")["Nemo Action"]
        for section in (menu[f"Desktop Action {action}"], nemo):
            assert section["Exec"] == f"fireside --{action} %F"
            assert section["Name"] == f"{action.capitalize()} with Fireside"
            assert section["Name[de]"] and section["Name[ar]"]
        assert "application/pdf" in nemo["Mimetypes"].split(";")


def test_the_installers_script_is_read_as_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' makensis reads it in the system's own code page otherwise; what it asks in Arabic was garbled."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging" / "windows"))
    import installer

    commands: list[list[str]] = []
    monkeypatch.setattr(installer.subprocess, "run", lambda command, **_: commands.append(command))
    installer.compiled(tmp_path, tmp_path / "a.ico", "1.2.3", tmp_path / "a.exe")
    at = commands[0].index("-INPUTCHARSET")
    assert commands[0][at + 1] == "UTF8" and at < len(commands[0]) - 1


READERS = {
    "org.gnome.Evince": "application/pdf",
    "qpdfview": "application/pdf;text/plain;text/html;text/csv",
}


def default_programs(share: Path, home: Path, kinds: list[str]) -> list[str]:
    """What GLib, and so GNOME, Cinnamon and Xfce, would open files of these kinds with."""
    subprocess.run(["update-desktop-database", share / "applications"], check=True)
    environment = os.environ | {
        "XDG_DATA_DIRS": str(share),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CONFIG_DIRS": str(home / "system"),
        "XDG_CURRENT_DESKTOP": "",
        "LC_ALL": "C.UTF-8",
    }
    said = [
        subprocess.run(["gio", "mime", kind], env=environment, check=True, capture_output=True, text=True).stdout
        for kind in kinds
    ]
    return [next(iter(text.splitlines()), "").rpartition(": ")[2] for text in said]


@pytest.mark.skipif(
    not (shutil.which("gio") and shutil.which("update-desktop-database")), reason="both are desktops' own programs"
)
def test_installing_changes_no_default_program(tmp_path: Path) -> None:
    """Where nobody has chosen one, a desktop takes the first entry that names the type, by the entries' names."""
    from desktop import write_entries

    share = tmp_path / "share"
    (share / "applications").mkdir(parents=True)
    for name, kinds in READERS.items():
        entry = f"[Desktop Entry]\nType=Application\nName={name}\nExec=sh %F\nMimeType={kinds};\n"
        (share / "applications" / f"{name}.desktop").write_text(entry)
    asked = ["application/pdf", "text/plain", "text/html", "text/csv"]
    before = default_programs(share, tmp_path, asked)
    assert before == ["org.gnome.Evince.desktop", *["qpdfview.desktop"] * 3]
    program = write_entries(share) / "fireside.desktop"
    program.write_text(program.read_text("utf-8").replace("=fireside", "=sh"), "utf-8")  # one that is installed here
    assert default_programs(share, tmp_path, asked) == before
    assert default_programs(share, tmp_path, ["application/x-gguf"]) == ["fireside.desktop"]


def test_only_the_programs_own_type_is_named_in_its_menu_entry(tmp_path: Path) -> None:
    from desktop import write_entries

    for path in write_entries(tmp_path).iterdir():
        assert sections_of(path)["Desktop Entry"]["MimeType"] == "application/x-gguf;"


@pytest.mark.parametrize(
    ("said", "is_wrong"),
    [
        ('error: value "1.5" for key "Version" in group "Desktop Entry" is not a known version', False),
        ('error: value "maybe" for boolean key "Terminal" contains invalid characters', True),
    ],
)
def test_an_older_system_that_knows_no_newer_form_ends_no_build(
    said: str, is_wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop import validate

    for name, code in (("desktop-file-validate", 1), ("appstreamcli", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SystemExit) if is_wrong else nullcontext():
        validate(tmp_path, tmp_path / "metainfo.xml")


def test_software_centres_are_given_the_page_that_the_builder_names(tmp_path: Path) -> None:
    from desktop import with_homepage

    metainfo = tmp_path / "io.github.fireside.Fireside.metainfo.xml"
    metainfo.write_text(
        with_homepage((LINUX / "fireside.metainfo.xml").read_text("utf-8"), "https://fireside.example/?a=1&b=2")
    )
    assert '<url type="homepage">https://fireside.example/?a=1&amp;b=2</url>' in metainfo.read_text()
    assert "<image>https://fireside.example/pictures/light.png</image>" in metainfo.read_text()
    if shutil.which("appstreamcli"):
        command = ["appstreamcli", "validate", "--no-net", metainfo]
        assert "successful" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    from app.cli.main import whole_parser

    return whole_parser()


def test_the_manual_has_every_command_and_option(parser: argparse.ArgumentParser, tmp_path: Path) -> None:
    from manual import commands_of, escaped, write_manual

    from app.cli.main import COMMANDS

    page = tmp_path / "fireside.1.gz"
    write_manual(parser, "Fireside 1.2.3", EPOCH, page)
    said = gzip.decompress(page.read_bytes()).decode("utf-8")
    assert said.startswith('.TH FIRESIDE 1 "2027-01-15" "Fireside 1.2.3"')
    found = commands_of(parser)
    assert {command.prog.split()[1] for command, _ in found} == set(COMMANDS)
    for command, _ in found:
        part = said.partition(f'.SS "{escaped(command.prog)}"\n')[2].partition("\n.SS ")[0]
        for action in command._actions:
            for name in action.option_strings:
                assert name in ("-h", "--help") or escaped(name) in part, (command.prog, name)


def test_text_cannot_become_roff() -> None:
    from manual import escaped

    assert escaped(".so /etc/passwd\n'x\\fB --all") == "\\&.so /etc/passwd\n\\&'x\\efB \\-\\-all"


def test_completions_are_where_shells_look_and_bash_takes_them(parser: argparse.ArgumentParser, tmp_path: Path) -> None:
    from manual import COMPLETIONS, write_completions

    write_completions(parser, tmp_path)
    for place in COMPLETIONS.values():
        assert "summarize" in (tmp_path / place).read_text("utf-8")
    command = (
        'source "$0"; COMP_WORDS=(fireside summ) COMP_CWORD=1; $(complete -p fireside | sed "s/.*-F //;s/ .*//"); '
    )
    command += 'printf "%s\\n" "${COMPREPLY[@]}"'
    place = str(tmp_path / COMPLETIONS["bash"])
    done = subprocess.run(["bash", "-c", command, place], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "summarize"


SECRET = "hf_" + "s" * 30

ASK_STAND_IN = """
import runpy, sys
runpy.run_path(sys.argv[1])
from secretstorage.dhcrypto import Session
from secretstorage.util import format_secret
session = Session()
session.object_path, session.aes_key = "/", bytes(range(16))
_, vector, secret, _ = format_secret(session, sys.argv[2].encode(), "text/plain")
print(vector.hex(), secret.hex(), "cryptography" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="keyrings of other systems encrypt nothing on the way")
def test_what_stands_in_for_cryptography_encrypts_as_it_does() -> None:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    command = [sys.executable, "-c", ASK_STAND_IN, ROOT / "packaging" / "frozen_environment.py", SECRET]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    vector, secret = (bytes.fromhex(each) for each in said[:2])
    real = Cipher(algorithms.AES(bytes(range(16))), modes.CBC(vector)).decryptor()
    shown = real.update(secret) + real.finalize()
    assert shown == SECRET.encode() + bytes([shown[-1]] * shown[-1])
    assert said[2] == "False"


@pytest.mark.skipif(not (shutil.which("patchelf") and shutil.which("cc")), reason="patchelf is for packages only")
def test_a_library_forgets_where_it_was_built(tmp_path: Path) -> None:
    from trimming import strip_libraries

    library = tmp_path / "some.so"
    link = ["cc", "-shared", "-nostdlib", "-x", "c", "/dev/null", "-Wl,-rpath,/root/of/builder:$ORIGIN/../lib"]
    subprocess.run([*link, "-o", library], check=True)
    strip_libraries(tmp_path)
    found = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    assert "[$ORIGIN/../lib]" in found and b"/root/of/builder" not in library.read_bytes()


def test_rights_and_times_do_not_depend_on_the_builder(folder: Path, tmp_path: Path) -> None:
    from parts import settle

    shutil.copytree(folder, tmp_path / "another", symlinks=True)
    for path in [tmp_path / "another", *(tmp_path / "another").rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    seen = []
    for one in (folder, tmp_path / "another"):
        settle(one, EPOCH)
        status = {path.relative_to(one): path.lstat() for path in [one, *one.rglob("*")]}
        seen.append({path: (each.st_mode, each.st_mtime) for path, each in status.items()})
    assert seen[0] == seen[1]
    assert {mode & 0o777 for mode, _ in seen[0].values()} == {0o755, 0o644, 0o777}  # a link has all


def test_a_library_under_two_names_is_one_file_and_a_link(tmp_path: Path) -> None:
    from trimming import link_copies

    folder = tmp_path / "llama_cpp" / "lib"
    folder.mkdir(parents=True)
    for name in ("libllama.so", "libllama.so.0", "libmtmd.so"):
        (folder / name).write_bytes(name[:8].encode())
    link_copies(tmp_path)
    assert {path.name: path.is_symlink() for path in folder.iterdir()} == {
        "libllama.so": True,
        "libllama.so.0": False,
        "libmtmd.so": False,
    }
    assert (folder / "libllama.so").read_bytes() == b"libllama"


def test_the_library_for_vulkan_is_packed_as_the_engine_unpacks_it(tmp_path: Path) -> None:
    from trimming import pack_backends

    from app.engine.llama.llama_library import PACKED_BACKENDS, unpack_library

    inside, cache = tmp_path / "bin", tmp_path / "cache"
    for folder in (inside, cache):
        folder.mkdir()
    content = bytes(range(256)) * 999
    (inside / "libggml-vulkan.so").write_bytes(content)
    pack_backends(tmp_path)
    (packed,) = inside.iterdir()
    assert any(packed.match(pattern) for pattern in PACKED_BACKENDS)
    assert unpack_library(packed, cache).read_bytes() == content


@pytest.mark.parametrize(
    ("name", "size", "is_used"),
    [
        ("coll/de.res", 5_000, True),
        ("root.res", 100_000, True),
        ("cnvalias.icu", 60_000, True),
        ("ibm-912_P100-1995.cnv", 800, True),
        ("gb18030.cnv", 230_000, True),
        ("ibm-964_P110-1999.cnv", 150_000, False),
        ("de_DE.res", 300, False),
        ("curr/de.res", 20_000, False),
        ("brkitr/cjdict.dict", 2_000_000, False),
    ],
)
def test_icus_data_is_cut_to_what_qt_asks_for(name: str, size: int, is_used: bool) -> None:
    from trimming import is_icu_used

    assert is_icu_used(name, size) is is_used


def test_the_icon_in_one_file_has_each_size(tmp_path: Path) -> None:
    from desktop import ICNS_SIZES, ICO_SIZES, write_icon
    from PySide6.QtGui import QImageReader

    write_icon(tmp_path / "fireside.ico")
    write_icon(tmp_path / "fireside.icns")
    reader = QImageReader(str(tmp_path / "fireside.ico"))
    found = []
    for number in range(reader.imageCount()):
        reader.jumpToImage(number)
        found.append(reader.read().width())
    assert found == list(ICO_SIZES.values())
    content = (tmp_path / "fireside.icns").read_bytes()
    assert int.from_bytes(content[4:8], "big") == len(content)
    at, kinds = 8, []
    while at < len(content):
        kinds.append(content[at : at + 4].decode())
        assert content[at + 8 : at + 12] == b"\x89PNG"
        at += int.from_bytes(content[at + 4 : at + 8], "big")
    assert kinds == list(ICNS_SIZES)


def test_one_unsigned_library_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import check_signatures

    for name, head in {
        "fireside.exe": b"MZ",
        "lib.dll": b"MZ",
        "lib": b"\xcf\xfa\xed\xfe",
        "note.txt": b"Mzungu",
    }.items():
        (tmp_path / name).write_bytes(head + bytes(60))
    signed = {"fireside.exe", "lib"}

    def ask(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, int(not any(f"/{name}'" in command[-1] for name in signed)))

    monkeypatch.setattr(check_signatures.subprocess, "run", ask)
    monkeypatch.setattr(check_signatures.sys, "platform", "win32")
    assert check_signatures.unsigned([tmp_path], "win32") == ([tmp_path / "lib.dll"], 3)
    assert check_signatures.main([str(tmp_path)]) == 1
    (tmp_path / "lib.dll").unlink()
    assert check_signatures.main([str(tmp_path)]) == 0
    assert check_signatures.main([str(tmp_path / "note.txt")]) == 1  # nothing to sign: something else went wrong


@pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="squashfs-tools are for packages only")
def test_a_single_file_is_its_runtime_and_the_folder_and_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    from appimage import LINKS, write_appimage

    header, first, second = (tmp_path / name for name in ("runtime", "first.AppImage", "second.AppImage"))
    header.write_bytes(b"\x7fELF\x02\x01\x01\x00AI\x02".ljust(4_096, b"."))
    write_appimage(folder, header, first, EPOCH, level=1)
    (folder / "fireside").touch()  # a later build
    write_appimage(folder, header, second, EPOCH, level=1)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(header.read_bytes())
    listed = subprocess.run(
        ["unsquashfs", "-offset", "4096", "-lls", first], check=True, capture_output=True, text=True
    ).stdout
    for name, aim in LINKS.items():
        assert f"squashfs-root/{name} -> {aim}" in listed
    assert list(tmp_path.glob("*.squashfs")) == []


def test_what_is_no_runtime_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from appimage import runtime

    monkeypatch.delenv("APPIMAGE_RUNTIME", raising=False)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert runtime() is None
    wrong = tmp_path / "runtime"
    wrong.write_bytes(b"\x7fELF".ljust(64, b"\0"))
    monkeypatch.setenv("APPIMAGE_RUNTIME", str(wrong))
    with pytest.raises(SystemExit, match="no AppImage runtime"):
        runtime()


def test_everything_that_is_inside_brings_its_licence() -> None:
    from portable import TEXTS_HERE, inside, licence_files

    assert {"starlette", "uvicorn", "sacrebleu", "miniaudio", "pycryptodomex", "pyinstaller"} <= set(inside())
    assert {name for name in inside() if not licence_files(name)} == TEXTS_HERE
    texts = " ".join(path.name for path in (ROOT / "packaging" / "licences").iterdir())
    assert "LGPL-3" in texts and "rouge-score" in texts and "latex2mathml" in texts


@pytest.mark.parametrize(
    ("system", "python", "more", "less"),
    [
        ("linux", "3.13.1", {"secretstorage"}, {"lazy-importer", "importlib-metadata", "pywin32-ctypes"}),
        ("linux", "3.11.7", {"lazy-importer", "importlib-metadata"}, {"pywin32-ctypes"}),
        ("darwin", "3.13.1", {"miniaudio"}, {"secretstorage", "jeepney"}),
        ("win32", "3.13.1", {"pywin32-ctypes"}, {"secretstorage", "jeepney"}),
    ],
)
def test_what_is_inside_is_what_the_lock_installs_on_that_system(
    system: str, python: str, more: set[str], less: set[str]
) -> None:
    from portable import inside

    names = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
    found = set(inside({"sys_platform": system, "platform_system": names[system], "python_full_version": python}))
    assert more <= found and not less & found and "cryptography" not in found


def test_the_bill_of_materials_names_libraries_fonts_and_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    import materials
    from portable import Source

    monkeypatch.setattr(materials, "TARGET", tmp_path)
    monkeypatch.setattr(materials, "system_packages", lambda _: ["libc6"] if shutil.which("dpkg-query") else [])
    for target in (tmp_path / "a.json", tmp_path / "b.json"):
        materials.write_materials(target, Source("1.2.3", "abcdef", EPOCH))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    said = json.loads((tmp_path / "a.json").read_text("utf-8"))
    found = {one["name"]: one for one in said["components"]}
    assert {"Qt", "llama.cpp", "Python", "PDFium", "uvicorn", "numpy", "Phosphor Icons"} <= set(found)
    without = [name for name, one in found.items() if not one.get("licenses")]
    assert without == [name for name in found if name.startswith("libc6")]
    assert found["rouge-score"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_a_numpy_that_cannot_be_built_is_replaced_by_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import portable

    monkeypatch.syspath_prepend(str(portable.SETUP))
    import numpy_wheel

    monkeypatch.setattr(numpy_wheel, "wheel_folder", lambda: tmp_path / "kept")
    monkeypatch.setattr(numpy_wheel.sys, "executable", "/bin/false")  # as where a compiler or the network is missing
    monkeypatch.setattr(portable, "BUILD", tmp_path / "build")
    assert list(portable.small_numpy().iterdir()) == []
    assert "The published one goes in" in capfd.readouterr().out
    assert not (tmp_path / "kept").exists()


def test_the_icon_font_keeps_every_icon_that_the_program_names(tmp_path: Path) -> None:
    import json

    from fontTools.ttLib import TTFont
    from trimming import cut_icons

    icons = tmp_path / "resources" / "icons"
    icons.mkdir(parents=True)
    for name in ("phosphor.ttf", "phosphor-charmap.json"):
        shutil.copy(ROOT / "resources" / "icons" / name, icons)
    before = json.loads((icons / "phosphor-charmap.json").read_text("utf-8"))
    whole = TTFont(icons / "phosphor.ttf")
    cut_icons(tmp_path)
    drawn, font = json.loads((icons / "phosphor-charmap.json").read_text("utf-8")), TTFont(icons / "phosphor.ttf")
    assert {"check", "check-bold", "flag-fill", "dots-three-bold"} <= set(drawn) and len(drawn) < len(before) / 4
    assert {int(code, 16) for code in drawn.values()} <= set(font.getBestCmap())
    assert (icons / "phosphor.ttf").stat().st_size < 250_000
    assert font["name"].getDebugName(1) == whole["name"].getDebugName(1)
    for name, code in drawn.items():
        assert before[name] == code
        at = int(code, 16)
        old, new = (one["hmtx"][one.getBestCmap()[at]] for one in (whole, font))
        assert old == new, name


def stand_ins(folder: Path, monkeypatch: pytest.MonkeyPatch, **bodies: str) -> Path:
    """Programs of other systems, each of which notes how it was called; returns the notes."""
    notes, programs = folder / "notes.txt", folder / "programs"
    programs.mkdir()
    for name, body in bodies.items():
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{notes}"\n{body}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return notes


def test_a_disk_image_is_made_signed_and_notarized_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging" / "macos"))
    import disk_image

    busy_once = f'test -e "{tmp_path}/tried" || {{ touch "{tmp_path}/tried"; exit 16; }}'
    makes = f'{busy_once}\nfor last; do :; done; echo image >"$last"'
    notes = stand_ins(tmp_path, monkeypatch, ditto="", hdiutil=makes, codesign="", xcrun="", spctl="")
    monkeypatch.setattr(disk_image, "APPLICATION", tmp_path / "Fireside.app")
    monkeypatch.setattr(disk_image, "PAUSE_S", 0.0)
    for name in ("CODESIGN_IDENTITY", "APPLE_ID", "APPLE_TEAM", "APPLE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match=r"no Fireside\.app"):
        disk_image.main()
    (tmp_path / "Fireside.app").mkdir()
    disk_image.main()
    assert [line.split()[0] for line in notes.read_text().splitlines()] == ["ditto", "hdiutil", "hdiutil"]
    assert "not signed" in capsys.readouterr().out
    (tmp_path / "SHA256SUMS").unlink()
    for name in ("CODESIGN_IDENTITY", "APPLE_ID", "APPLE_TEAM", "APPLE_PASSWORD"):
        monkeypatch.setenv(name, name.lower())
    notes.unlink()
    disk_image.main()
    done = [" ".join(line.split()[:3]) for line in notes.read_text().splitlines()]
    assert [line.split()[0] for line in done] == ["ditto", "hdiutil", "codesign", "xcrun", "xcrun", "xcrun", "spctl"]
    assert done[3:6] == ["xcrun notarytool submit", "xcrun stapler staple", "xcrun stapler validate"]
    named = [Path(line.split()[1]).suffixes[-1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()]
    assert named == [".json", ".dmg"]  # last of all, as Apple's word is laid into the image
    (tmp_path / "programs" / "xcrun").write_text("#!/bin/sh\nexit 65\n")
    with pytest.raises(SystemExit, match="xcrun notarytool ended with 65"):
        disk_image.main()


def test_a_bundle_of_macos_may_show_its_window() -> None:
    """PyInstaller marks what has a console as a program of the background, unless the recipe says that it is none."""
    import ast

    recipe = ast.parse((ROOT / "packaging" / "fireside.spec").read_text("utf-8"))
    tables = [node for node in ast.walk(recipe) if isinstance(node, ast.Dict)]
    said = [
        ast.unparse(value)
        for table in tables
        for key, value in zip(table.keys, table.values, strict=True)
        if key is not None and ast.unparse(key) == "'LSBackgroundOnly'"
    ]
    assert said == ["False"]


@pytest.mark.skipif(shutil.which("makensis") is None, reason="NSIS is for packages only")
def test_the_windows_installer_and_its_uninstaller_are_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging" / "windows"))
    from desktop import write_icon
    from installer import compiled

    notes = stand_ins(tmp_path, monkeypatch, sign="")
    for name in ("program/_internal", "licences"):
        (tmp_path / "folder" / name).mkdir(parents=True)
    (tmp_path / "folder" / "program" / "fireside.exe").write_bytes(b"MZ")
    shutil.copy(ROOT / "LICENSE", tmp_path / "folder" / "licences")
    write_icon(tmp_path / "fireside.ico")
    out = tmp_path / "setup.exe"
    given = (f"-DSIGN={tmp_path / 'programs' / 'sign'}", "-DTARGET=amd64-unicode")
    compiled(tmp_path / "folder", tmp_path / "fireside.ico", "1.2.3", out, *given)
    assert out.read_bytes().startswith(b"MZ")
    signed = notes.read_text().splitlines()
    assert len(signed) == 2 and signed[-1] == f"sign {out}"  # the uninstaller first, as it goes into the installer


def test_the_trial_of_a_package_asks_what_its_process_understands() -> None:
    import smoke_test

    from app.engine.memory_probe import PROBE_WIRE, FitProbe
    from app.features.reading_aloud.voice_process import WIRE as VOICE_WIRE

    line = json.dumps(smoke_test.FIT_PROBE | {"path": "model.gguf"}).encode()
    assert isinstance(PROBE_WIRE.parse_request(line), FitProbe)
    assert smoke_test.FIT_ANSWER in {reply.__name__ for reply in PROBE_WIRE.replies}
    assert set(smoke_test.VOICE_ANSWERS) < {reply.__name__ for reply in VOICE_WIRE.replies}


def test_builds_that_differ_are_told_with_why(monkeypatch: pytest.MonkeyPatch) -> None:
    import compare_builds

    monkeypatch.setattr(compare_builds, "EXPLAINED", {"*.log": "it has the time in it"})
    first, second = {"a": "1", "b": "2", "x.log": "3"}, {"a": "1", "b": "9", "x.log": "4", "new": "5"}
    lines, unexplained = compare_builds.compared(first, second)
    assert (len(lines), unexplained) == (3, 2)
    assert lines[0] == "  differs: b (NOT EXPLAINED)" and lines[1].startswith("  only in the clone: new")
    assert lines[2].endswith("(it has the time in it)")


@pytest.mark.parametrize(
    ("named", "is_exact", "wanted"),
    [
        ("libc6 (>= 2.41)", False, "libc6 (>= 2.38)"),
        ("libc6 (>= 2.34)", True, "libc6 (>= 2.34)"),
        ("libxcb1 (>= 1.17.0-2)", False, "libxcb1"),
        ("libxcb1 (>= 1.8)", True, "libxcb1 (>= 1.8)"),
        ("libssl3t64 (>= 3.5.7)", False, "libssl3t64 | libssl3"),
        ("libglib2.0-0t64 (>= 2.80.0)", True, "libglib2.0-0t64 (>= 2.80.0) | libglib2.0-0"),
    ],
)
def test_a_debian_package_asks_for_no_newer_library_than_it_uses(named: str, is_exact: bool, wanted: str) -> None:
    from linux_packages import least_version

    assert least_version(named, (2, 38), lambda _: is_exact) == wanted


needs_dpkg = pytest.mark.skipif(
    os.name == "nt" or not (shutil.which("dpkg-deb") and os.geteuid() == 0), reason="dpkg installs as root only"
)


@needs_dpkg
def test_a_debian_package_comes_and_goes_without_a_question_and_leaves_an_administrators_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import linux_packages
    from desktop import add_to_desktop
    from portable import Source

    add_to_desktop(folder / "share")
    (folder / "licences").mkdir()
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder / "licences")
    monkeypatch.setattr(linux_packages, "TARGET", folder)
    monkeypatch.setattr(linux_packages, "DIST", tmp_path)
    monkeypatch.setattr(linux_packages, "dependencies", lambda *_: ["libc6"])
    older, newer = (linux_packages.write_deb(Source(version, "abcdef", EPOCH)) for version in ("1.2.3", "1.2.4"))
    prefix = tmp_path / "prefix"
    (prefix / "var" / "lib" / "dpkg" / "updates").mkdir(parents=True)
    (prefix / "var" / "lib" / "dpkg" / "status").touch()
    policy = prefix / "etc" / "fireside" / "settings.json"
    policy.parent.mkdir(parents=True)
    policy.write_text('{"network": {"internet": false}}')

    def dpkg(*arguments: str | Path) -> None:
        """With nobody there who could answer; nothing is looked for but the package itself."""
        command = ["dpkg", f"--root={prefix}", "--force-depends", f"--log={tmp_path / 'log'}", *arguments]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    for package in (older, newer):
        dpkg("--install", package)
        assert (prefix / "usr" / "bin" / "fireside").resolve() == prefix / "usr" / "lib" / "fireside" / "fireside"
        assert (prefix / "usr" / "lib" / "fireside" / "fireside").read_bytes().startswith(b"program/fireside")
        dpkg("--verify", "fireside")
    info = sorted(path.name for path in (prefix / "var" / "lib" / "dpkg" / "info").glob("fireside.*"))
    assert info == ["fireside.list", "fireside.md5sums"], "no scripts, and no questions of debconf's"
    dpkg("--purge", "fireside")
    assert [path for path in prefix.rglob("*fireside*") if path != policy.parent] == []
    assert policy.read_text() == '{"network": {"internet": false}}'
