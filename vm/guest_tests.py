"""pytest inside a guest: one boot, one warm interpreter, the result as if it had run outside."""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import CompileError, ScxhidError, WrongUse
from vm import klog, machine
from vm.cache import cache_root, make_directory
from vm.errors import VmLost
from vm.guest_workloads import compile_workloads
from vm.kernels import Kernel

#: Tells tests that they are in the guest.
GUEST_VARIABLE = "SCXHID_GUEST"

#: Tells tests where the objects are that were compiled for them: the guest has no time to.
OBJECTS_VARIABLE = "SCXHID_TEST_OBJECTS"

#: Tells tests where the unpacked package of udev-hid-bpf is; empty if it could not be fetched.
FIXUPS_VARIABLE = "SCXHID_TEST_FIXUPS"

#: The same for the package of keyd.
KEYD_VARIABLE = "SCXHID_TEST_KEYD"

#: The file to which tests/guest/conftest.py adds the name of each test that has passed, and whose
#: tests it leaves out.
PASSED_VARIABLE = "SCXHID_TEST_PASSED"

#: Without a word from pytest for so long, the guest counts as hung. Half of it later than
#: faulthandler_timeout of pyproject.toml, so that pytest can tell where it hangs.
SILENCE_S = 480.0

#: Boots for one run: the first, and those after the emulator's fault.
_BOOTS = 3

#: Multi-threaded emulation (QEMU 10.0) now and then runs a breakpoint that the kernel has put into
#: its code and taken out again, as it does for each attach: the kernel knows nothing of it and
#: panics. On real processors, KVM's too, it would be a bug of the kernel's.
_EMULATORS_FAULT = "Oops: int3"
_UNDER_KVM = "Hypervisor detected: KVM"

#: The junit property by which a test says what it lets the kernel log say.
ALLOWED_PROPERTY = "kernel_log"


@dataclass(frozen=True)
class Outcome:
    """How the tests went on one kernel.

    ``status`` is pytest's, 1 if only the kernel log was at fault, 124 if the machine was lost.
    ``warnings`` are the kernel-log reports that no test had announced.
    """

    kernel: str
    status: int
    passed: int
    failed: int
    skipped: int
    seconds: float
    boot_s: float
    accel: str
    junit: Path
    log: Path
    warnings: tuple[klog.Report, ...]
    lost: str = ""

    @property
    def verdict(self) -> str:
        """One word for a table."""
        if self.lost:
            return "machine lost"
        if self.warnings:
            return "kernel warning"
        return {0: "passed", 1: "failed", 5: "no tests"}.get(self.status, f"exit {self.status}")


def checkout() -> Path:
    """The directory that holds ``tests/guest``: the current one, or the one this package is in."""
    for root in (Path.cwd(), Path(__file__).resolve().parent.parent):
        if (root / "tests" / "guest").is_dir():
            return root
    raise WrongUse("there is no tests/guest here; run 'vm test' in a checkout of the project")


def run_tests(
    kernel: Kernel,
    arguments: Sequence[str] = (),
    *,
    cpus: int = 2,
    memory: str = "2G",
    accel: str = "auto",
    timeout_s: float = 3600.0,
    stdout: int = 1,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Run pytest in a guest on ``tests/guest``, or on the paths among ``arguments``.

    Writes ``build/guest-<version>.xml`` (junit) and ``build/guest-<version>.log`` (kernel log);
    ``-<n>cpus`` comes after the version for another number of CPUs than two.
    pytest's output goes to the descriptor ``stdout`` as it comes.

    A guest that the emulator crashed is booted again for the tests that had not passed.
    """
    root = checkout()
    build = make_directory(root / "build")
    of_two = f"guest-{kernel.version}"
    stem = of_two if cpus == 2 else f"{of_two}-{cpus}cpus"
    junit, log = build / f"{stem}.xml", build / f"{stem}.log"
    done = build / f"{stem}.passed"
    junit.unlink(missing_ok=True)
    done.write_text("")
    _compile(root)
    objects = _compile_programs(root, build / "guest-objects")
    compile_workloads(root, objects)
    packages = _fetch_packages(say)
    environment = _environment() | packages
    environment |= {OBJECTS_VARIABLE: str(objects), PASSED_VARIABLE: str(done)}
    command = _pytest(root, junit, arguments, colour=os.isatty(stdout))
    started_ns = time.monotonic_ns()

    def run() -> machine.Result:
        return machine.run(
            command,
            kernel=kernel,
            cpus=cpus,
            memory=memory,
            accel=accel,
            timeout_s=timeout_s,
            silence_s=SILENCE_S,
            rw=(build,),
            stdout=stdout,
            cwd=root,
            environment=environment,
            log_path=log,
            say=say,
        )

    earlier: list[str] = []
    try:
        for boot in range(1, _BOOTS + 1):
            earlier = done.read_text().splitlines()
            try:
                result = run()
                break
            except VmLost as error:
                if boot == _BOOTS or not emulator_failed(error.log_path):
                    raise
                if say:
                    say(
                        "the emulator tripped over the guest's changing code; once more, without"
                        f" the {len(done.read_text().splitlines())} tests that have passed"
                    )
        else:
            raise AssertionError
    except VmLost as error:
        seconds = (time.monotonic_ns() - started_ns) / 1e9
        _write_lost(junit, kernel.version, str(error), seconds)
        return Outcome(
            *(kernel.version, error.exit_status, 0, 0, 0, seconds, 0.0, "", junit, log, ()),
            lost=str(error),
        )
    _add_passed(junit, earlier)
    counts = junit_counts(junit)
    # 5 is pytest's word for no tests: none was left to run.
    status = 0 if earlier and result.status == 5 else result.status
    warnings = tuple(klog.scan_file(log, junit_allowed(junit)))
    return Outcome(
        kernel=kernel.version,
        status=status or (1 if warnings else 0),
        passed=counts[0],
        failed=counts[1],
        skipped=counts[2],
        seconds=result.seconds,
        boot_s=result.boot_to_command_s,
        accel=result.accel,
        junit=junit,
        log=log,
        warnings=warnings,
    )


def emulator_failed(log: Path) -> bool:
    """Whether that kernel log ends in a panic which emulation is known to cause by itself."""
    said = "\n".join(klog.read_lines(log))
    return _EMULATORS_FAULT in said and _UNDER_KVM not in said


def junit_counts(path: Path) -> tuple[int, int, int]:
    """(passed, failed or in error, skipped) of a junit file; zeros if it is not there or broken."""
    total = bad = skipped = 0
    for suite in _junit(path, "testsuite"):
        total += int(suite.get("tests", 0))
        bad += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(0, total - bad - skipped), bad, skipped


def junit_allowed(path: Path) -> list[str]:
    """The regexes of kernel-log reports that the tests announced."""
    return [
        element.get("value", "")
        for element in _junit(path, "property")
        if element.get("name") == ALLOWED_PROPERTY
    ]


def _add_passed(path: Path, tests: Sequence[str]) -> None:
    """Add tests, by pytest's names, to a junit file that does not have them."""
    if not tests:
        return
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError):
        return
    for suite in tree.iter("testsuite"):
        suite.set("tests", str(int(suite.get("tests", 0)) + len(tests)))
        for test in tests:
            file, name = test.split("::", 1)
            module = file.removesuffix(".py").replace("/", ".")
            ElementTree.SubElement(suite, "testcase", classname=module, name=name)
        break
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _junit(path: Path, tag: str) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.parse(path).iter(tag))
    except (OSError, ElementTree.ParseError):
        return []


def _compile(root: Path) -> None:
    """Compile what the guest will import: its file system is read-only and its CPU slow."""
    for name in ("pyloader", "tui", "vm", "tests"):
        compileall.compile_dir(root / name, quiet=2, maxlevels=20)


def _compile_programs(root: Path, objects: Path) -> Path:
    """Compile the schedulers, the resident host and the tests' programs into ``objects``.

    What commands compile by themselves is brought into the cache, for the guest to find.

    Unchanged ones are cached.

    Sources that no compiler takes are left out: they are there for the tests of that.
    """
    from pyloader.compile import compile_object
    from vm.bench import hid_devices
    from vm.bench.input import path
    from vm.workloads import find

    make_directory(objects)
    sources = [*(root / "schedulers").rglob("*.bpf.c"), *(root / "tests/programs").glob("*.bpf.c")]

    def one(source: Path) -> None:
        with contextlib.suppress(CompileError):
            shutil.copyfile(compile_object(source), objects / source.with_suffix(".o").name)

    def warm(source: Path) -> None:
        with contextlib.suppress(CompileError):
            compile_object(source)

    hid_devices.compile_programs()
    path.prepare()
    for name in find.names():
        if not find.missing(workload := find.find(name)):
            find.prepare(workload)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, sources))
        for folder in ("hid", "pyloader/probes"):
            list(pool.map(warm, (root / folder).rglob("*.bpf.c")))
    return objects


def _fetch_packages(say: Callable[[str], None] | None) -> dict[str, str]:
    """Where the packages are that tests compare with, for the guest; without one its tests are
    skipped."""
    from vm import fixups, keyd

    found: dict[str, str] = {}
    for variable, package in ((FIXUPS_VARIABLE, fixups), (KEYD_VARIABLE, keyd)):
        try:
            found[variable] = str(package.fetch())
        except ScxhidError as error:
            if say:
                say(f"the tests with the package {package.PACKAGE} are skipped: {error}")
    return found


def _pytest(root: Path, junit: Path, arguments: Sequence[str], *, colour: bool) -> list[str]:
    named = any(names_tests(root, argument) for argument in arguments)
    return [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v"),
        f"--junitxml={junit}",
        *(("--color=yes",) if colour else ()),
        *arguments,
        *(() if named else ("tests/guest",)),
    ]


def names_tests(root: Path, argument: str) -> bool:
    """Whether one of pytest's arguments is a test file or folder, and not the value of ``-k``."""
    path = root / argument.split("::", 1)[0]
    return path.exists() and path.resolve().is_relative_to(root.resolve() / "tests")


def _environment() -> dict[str, str]:
    passed = ("SCXHID_NO_SKIP", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "PYTEST_ADDOPTS")
    return {
        GUEST_VARIABLE: "1",
        "XDG_CACHE_HOME": str(cache_root().parent),  # where all is that was compiled for it
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Looking for plugins and importing them takes seconds under emulation, and hypothesis'
        # wants to write into the checkout; what a test needs is named with -p.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **{name: os.environ[name] for name in passed if name in os.environ},
    }


def _write_lost(junit: Path, version: str, message: str, seconds: float) -> None:
    suite = ElementTree.Element(
        "testsuite", name=f"guest {version}", tests="1", errors="1", time=f"{seconds:.1f}"
    )
    case = ElementTree.SubElement(suite, "testcase", classname="vm", name="machine")
    ElementTree.SubElement(case, "error", message=message.splitlines()[0]).text = message
    tree = ElementTree.Element("testsuites")
    tree.append(suite)
    junit.write_bytes(ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True))
