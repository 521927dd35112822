"""`packaging/bootstrap.py`: what it installs, when, and what it says when it cannot."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "packaging"
spec = importlib.util.spec_from_file_location("bootstrap", SCRIPTS / "bootstrap.py")
assert spec is not None
assert spec.loader is not None
bootstrap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bootstrap)
PLUGIN = {"libxcb-cursor.so.0", "libxkbcommon-x11.so.0"}
X11 = {"DISPLAY": ":0"}
WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}
PLAIN_FIELDS = ("variables", "platform", "is_root", "python", "python_version")


class FakeMachine:
    """A Linux machine whose venv and pip do at once, without a network, what matters here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ran: list[str] = []  # short names, in order
        self.commands: list[list[str]] = []  # the same in full
        self.folders: list[Path] = []
        self.said: list[str] = []
        self.codes: dict[str, int] = {}  # of what shall fail
        self.missing: set[str] = set()
        self.programs: set[str] = set()
        self.variables: dict[str, str] = {}
        self.platform = "linux"
        self.is_root = False
        self.python = Path(sys.executable)
        self.python_version = (3, 11)

    def run(self, command: list[str], folder: Path) -> int:
        name = Path(command[0]).name
        if name.startswith("python"):
            name = command[2] if command[1] == "-m" else "probe"
        self.ran.append(name)
        self.commands.append(list(command))
        self.folders.append(folder)
        venv = self.root / ".venv"
        if name == "probe":
            return 0 if (venv / "pip").exists() else 1
        code = self.codes.get(name, 0)
        if name == "venv" and code == 0:
            (venv / "bin").mkdir()
            (venv / "bin" / "python").touch()
            (venv / "pip").touch()
        if name == "env" and "install" in command and code == 0:
            self.missing = set()
        return code

    def start(self, *words: str) -> int:
        """Run the bootstrap; what ran before is forgotten."""
        for record in (self.ran, self.commands, self.folders, self.said):
            record.clear()
        machine = bootstrap.Machine(
            run=self.run,
            say=self.said.append,
            has_piece=lambda name: name not in self.missing,
            has_program=lambda name: name in self.programs,
            **{name: getattr(self, name) for name in PLAIN_FIELDS},
        )
        code: int = bootstrap.bootstrap(words, self.root, machine)
        return code

    def write_pyproject(self, name: str) -> None:
        text = f"[project]\nname = '{name}'\n"
        (self.root / "pyproject.toml").write_text(text, encoding="utf-8")

    def pip_target(self) -> str:
        """What pip was last asked to install."""
        return self.commands[self.ran.index("pip")][-1]


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    machine = FakeMachine(tmp_path)
    machine.write_pyproject("x")
    return machine


@pytest.fixture
def installed(machine: FakeMachine) -> FakeMachine:
    assert machine.start("demo") == 0
    return machine


class TestInstalling:
    def test_first_call_makes_the_venv_and_installs_then_runs_the_program(self, machine):
        assert machine.start("demo", "--headless") == 0
        assert machine.ran == ["venv", "pip", "maskstudio"]
        assert machine.pip_target() == "."
        assert machine.commands[-1][1:] == ["-m", "maskstudio", "demo", "--headless"]

    def test_second_call_runs_only_the_program(self, installed):
        assert installed.start("demo") == 0
        assert installed.ran == ["maskstudio"]
        assert installed.said == []

    def test_changed_pyproject_installs_again_into_the_same_venv(self, installed):
        installed.write_pyproject("y")
        installed.start("demo")
        assert installed.ran == ["probe", "pip", "maskstudio"]

    def test_test_adds_its_tools_and_demo_keeps_them(self, installed):
        installed.start("test")
        assert installed.ran[:2] == ["probe", "pip"]
        assert installed.pip_target() == ".[test]"
        installed.start("demo")
        assert installed.ran == ["maskstudio"]
        installed.write_pyproject("y")
        installed.start("demo")
        assert installed.pip_target() == ".[test]"

    def test_failing_pip_is_told_in_one_sentence_and_tried_again_in_the_same_venv(self, machine):
        machine.codes["pip"] = 1
        assert machine.start("demo") == 1
        assert machine.ran == ["venv", "pip"]
        assert machine.said[-1].startswith("pip failed with exit code 1")
        machine.codes.clear()
        assert machine.start("demo") == 0
        assert machine.ran == ["probe", "pip", "maskstudio"]

    def test_installation_that_was_stopped_starts_from_an_empty_venv(self, machine):
        machine.codes["pip"] = 137
        assert machine.start("demo") == 1
        half_unpacked = machine.root / ".venv" / "lib" / "torch"
        half_unpacked.mkdir(parents=True)
        machine.codes.clear()
        assert machine.start("demo") == 0
        assert machine.ran == ["venv", "pip", "maskstudio"]
        assert not half_unpacked.exists()

    def test_venv_that_cannot_be_made_is_told(self, machine):
        machine.codes["venv"] = 1
        assert machine.start("demo") == 1
        assert machine.ran == ["venv"]
        assert "could not make .venv" in machine.said[-1]

    @pytest.mark.parametrize("change", ["other python", "moved", "python gone"])
    def test_venv_that_cannot_serve_any_more_is_made_anew(self, installed, tmp_path, change):
        python = installed.root / ".venv" / "bin" / "python"
        if change == "other python":
            installed.python_version = (3, 12)
        elif change == "moved":
            installed.root = tmp_path.rename(tmp_path.with_name("moved"))
        else:
            python.unlink()
            python.symlink_to(installed.root / "uninstalled-python")
        assert installed.start("demo") == 0
        assert installed.ran == ["venv", "pip", "maskstudio"]

    @pytest.mark.parametrize(
        ("has_pip", "ran"),
        [(True, ["probe", "pip", "maskstudio"]), (False, ["probe", "venv", "pip", "maskstudio"])],
    )
    def test_venv_without_a_stamp_is_kept_where_pip_is_in_it(self, machine, has_pip, ran):
        folder = machine.root / ".venv"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()
        if has_pip:
            (folder / "pip").touch()
        assert machine.start("demo") == 0
        assert machine.ran == ran

    def test_does_not_delete_the_python_that_it_runs_with(self, machine):
        machine.python = machine.root / ".venv" / "bin" / "python"
        machine.python.parent.mkdir(parents=True)
        machine.python.touch()
        assert machine.start("demo") == 1
        assert "a Python outside .venv" in machine.said[-1]
        assert machine.python.exists()

    def test_two_calls_at_once_install_once(self, machine):
        waits = Event()

        class First(FakeMachine):
            def run(self, command: list[str], folder: Path) -> int:
                if "pip" in command:
                    second.start()
                    assert waits.wait(timeout=20)
                return super().run(command, folder)

        class Said(list[str]):
            def append(self, line: str) -> None:
                super().append(line)
                waits.set()

        other = FakeMachine(machine.root)
        other.said = Said()
        second = Thread(target=other.start, args=["demo"])
        first = First(machine.root)
        assert first.start("demo") == 0
        second.join(timeout=20)
        assert first.ran == ["venv", "pip", "maskstudio"]
        assert other.ran == ["maskstudio"]
        assert other.said == ["Another call is installing in .venv: waiting for it."]


class TestSystem:
    @pytest.mark.parametrize(
        ("programs", "remedy"),
        [
            ({"apt-get"}, "run `sudo apt-get install libegl1 libgl1`"),
            ({"dnf"}, "run `sudo dnf install libglvnd-egl libglvnd-glx`"),
            ({"zypper"}, "run `sudo zypper install Mesa-libEGL1 Mesa-libGL1`"),
            ({"pacman"}, "run `sudo pacman -S libglvnd`"),
            (set(), "install them with its package manager"),
        ],
    )
    def test_missing_libraries_are_named_with_the_command(self, machine, programs, remedy):
        machine.programs = programs
        machine.missing = {"libEGL.so.1", "libGL.so.1"}
        assert machine.start("demo") == 1
        assert machine.ran == []
        sentence = f"This system lacks libEGL.so.1, libGL.so.1: {remedy}, then start again."
        assert machine.said == [sentence]

    def test_root_on_debian_gets_them_installed(self, machine):
        machine.is_root = True
        machine.programs = {"apt-get"}
        machine.missing = {"libGL.so.1", "ensurepip"}
        assert machine.start("demo") == 0
        assert machine.ran == ["env", "env", "venv", "pip", "maskstudio"]
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        assert machine.commands[0] == [*apt, "update"]
        options = ["-y", "--no-install-recommends"]
        assert machine.commands[1] == [*apt, "install", *options, "python3-venv", "libgl1"]

    @pytest.mark.parametrize(
        ("manager", "attempts", "remedy"),
        [
            ("apt-get", ["env", "env"], "apt-get install libgl1"),
            ("dnf", [], "dnf install libglvnd-glx"),
        ],
    )
    def test_root_for_whom_nothing_was_installed_is_told_the_command(
        self, machine, manager, attempts, remedy
    ):
        machine.is_root = True
        machine.programs = {manager}
        machine.missing = {"libGL.so.1"}
        machine.codes["env"] = 100
        assert machine.start("demo") == 1
        assert machine.ran == attempts
        assert f"run `{remedy}`" in machine.said[-1]

    @pytest.mark.parametrize(
        ("command", "variables", "missing", "code"),
        [
            ("demo", {}, PLUGIN, 0),
            ("demo", X11, PLUGIN, 1),
            ("demo", X11 | WAYLAND, PLUGIN, 0),
            ("demo", WAYLAND, {"libwayland-cursor.so.0"}, 1),
            ("demo", {}, {"libfontconfig.so.1"}, 1),
            ("test", X11, PLUGIN, 0),
        ],
    )
    def test_libraries_of_a_screen_matter_only_with_one(
        self, machine, command, variables, missing, code
    ):
        machine.variables = variables
        machine.missing = missing
        assert machine.start(command) == code

    @pytest.mark.parametrize(
        ("platform", "python"), [("darwin", "bin/python"), ("win32", "Scripts/python.exe")]
    )
    def test_elsewhere_the_wheels_carry_their_libraries(self, machine, platform, python):
        machine.platform = platform
        machine.missing = {"libGL.so.1"}
        assert machine.start("demo") == 0
        assert Path(machine.commands[-1][0]) == machine.root / ".venv" / python

    def test_real_machine_has_this_test_and_lacks_what_does_not_exist(self):
        real = bootstrap.this_machine()
        assert real.has_piece("venv")
        assert not real.has_piece("no_such_module")
        assert not real.has_piece("libno-such-library.so.1")


class TestRunning:
    def test_program_runs_in_the_callers_folder_and_gives_its_exit_code(
        self, machine, tmp_path, monkeypatch
    ):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        machine.codes["maskstudio"] = 7
        assert machine.start("demo") == 7
        assert machine.folders[-1] == elsewhere

    def test_checks_run_in_order_with_their_seconds(self, machine):
        assert machine.start("test", "-k", "canvas") == 0
        checks = machine.commands[machine.ran.index("pip") + 1 :]
        assert [[Path(words[0]).name, *words[1:]] for words in checks[:-1]] == [
            ["ruff", "format", "--check", "."],
            ["ruff", "check", "."],
            ["lint-imports"],
            ["mypy"],
            ["pytest", "--hypothesis-profile=ci", *bootstrap.SIDE_BY_SIDE, "-k", "canvas"],
        ]
        assert Path(checks[-1][-1]).name == "wheel_check.py"
        told = [line.split(":")[0] for line in machine.said[-6:]]
        assert told == ["ruff format", "ruff check", "lint-imports", "mypy", "pytest", "wheel"]

    def test_first_failing_check_is_named_and_ends_the_rest(self, machine):
        machine.codes["lint-imports"] = 3
        assert machine.start("test") == 1
        assert machine.ran[-3:] == ["ruff", "ruff", "lint-imports"]
        assert machine.said[-1].startswith("Step lint-imports failed with exit code 3")

    @pytest.mark.parametrize("words", [(), ("serve",), ("--help",)])
    def test_wrong_usage_is_answered_with_the_usage(self, machine, words):
        assert machine.start(*words) == 2
        assert machine.said[0].startswith("usage: ")
        assert machine.ran == []

    def test_older_python_is_told_so(self, machine):
        machine.python_version = (3, 10)
        assert machine.start("demo") == 1
        assert machine.said == ["MaskStudio needs Python 3.11 or newer."]

    def test_as_a_program_it_exits_with_the_code(self):
        command = [sys.executable, SCRIPTS / "bootstrap.py", "serve"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("usage: ")

    def test_exit_code_of_a_command_comes_back(self, tmp_path):
        code = "import pathlib, sys; pathlib.Path('here').touch(); sys.exit(7)"
        assert bootstrap.run([sys.executable, "-c", code], tmp_path) == 7
        assert (tmp_path / "here").exists()

    @pytest.mark.skipif(os.name != "posix", reason="signals that end a process")
    def test_command_ended_by_a_signal_counts_as_stopped(self, tmp_path):
        code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        assert bootstrap.run([sys.executable, "-c", code], tmp_path) == 128 + signal.SIGKILL


class TestWheelCheck:
    @pytest.fixture
    def folders(self, tmp_path: Path) -> tuple[Path, Path]:
        """An installed copy of the program and the resources it was built from, both right."""
        installed, resources = tmp_path / "installed", tmp_path / "checkout" / "resources"
        package = installed / "maskstudio"
        for folder in (resources / "icons", package / "_resources" / "icons"):
            folder.mkdir(parents=True)
            (folder / "open.svg").write_text("<svg/>", encoding="utf-8")
        (package / "__init__.py").touch()
        (package / "resources.py").write_bytes((ROOT / "maskstudio/resources.py").read_bytes())
        return installed, resources

    def check(self, installed: Path, resources: Path, imported: Path) -> list[str]:
        """The lines of the check, the last one being its exit code."""
        command = [sys.executable, SCRIPTS / "wheel_check.py", installed, resources]
        environment = {**os.environ, "PYTHONPATH": str(imported)}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=resources
        )
        return [*done.stdout.splitlines(), f"exit {done.returncode}"]

    def test_complete_copy_passes(self, folders):
        installed, resources = folders
        told = self.check(installed, resources, installed)
        assert told == ["1 of 1 resources come from the wheel", "exit 0"]

    def test_missing_and_outdated_files_fail(self, folders):
        installed, resources = folders
        (resources / "icons" / "save.svg").touch()
        (installed / "maskstudio" / "_resources" / "icons" / "open.svg").write_text("<old/>")
        assert self.check(installed, resources, installed) == [
            "icons/open.svg: differs from the checkout",
            "icons/save.svg: not in the wheel",
            "0 of 2 resources come from the wheel",
            "exit 1",
        ]

    def test_program_imported_from_elsewhere_fails(self, folders, tmp_path):
        installed, resources = folders
        elsewhere = installed.rename(tmp_path / "elsewhere")
        told = self.check(installed, resources, elsewhere)
        assert told[0] == "icons/open.svg: found outside the wheel"
        assert told[-1] == "exit 1"
