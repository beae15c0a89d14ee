"""apt with a state of its own: it sees one suite of the Debian archive, and nothing of this host.

Its lists, cache and sources live in our cache directory, so nothing is installed and no file of
the system changes, while apt's own checks (the archive's signature, the size and hash of every
file) stay as they are. What the system's apt says about proxies still holds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from pyloader.errors import Unsupported
from vm.cache import cache_root, locked, make_directory
from vm.errors import KernelFetchError
from vm.programs import find_program, program

#: The suite that carries generic kernels from 6.16 on, built with sched_ext and HID-BPF.
SUITE = "trixie-backports"

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Names the archive to fetch from, in place of the one that this machine's apt uses.
MIRROR_VARIABLE = "SCXHID_MIRROR"


def available() -> bool:
    """Whether this machine has apt at all."""
    return find_program("apt-get") is not None


def named_mirror() -> str:
    """What ``SCXHID_MIRROR`` says, or an empty string."""
    return os.environ.get(MIRROR_VARIABLE, "").rstrip("/")


def mirror() -> str:
    """The Debian archive to fetch from: ``SCXHID_MIRROR``, or the one this machine's apt uses.

    Raises:
        Unsupported: neither says one.
    """
    named = named_mirror()
    if named:
        return named
    done = subprocess.run(
        [
            program("apt-get"),
            "indextargets",
            "--format",
            "$(ORIGIN)|$(CODENAME)|$(REPO_URI)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = site_from_targets(done.stdout) or _site_from_sources()
    if found is None:
        raise Unsupported(
            "this machine's apt knows no Debian archive to fetch a kernel from; name one with"
            f" {MIRROR_VARIABLE}=URL, or give the path of a kernel image with --kernel"
        )
    return found


def _site_from_sources() -> str | None:
    """The archive as the sources name it: a bare machine has read no package list yet."""
    done = subprocess.run(
        [program("apt-get"), "--print-uris", "update"], capture_output=True, text=True, check=False
    )
    return site_from_uris(done.stdout)


def site_from_uris(text: str) -> str | None:
    """The main Debian archive among the lines of ``apt-get --print-uris update``.

    Without a list nothing tells an archive's origin, so its directory's name must.
    """
    for site in re.findall(r"^'([^']+)/dists/[^/']+/InRelease'", text, re.M):
        if site.rstrip("/").endswith("/debian"):
            return site.rstrip("/")
    return None


def site_from_targets(text: str) -> str | None:
    """The main Debian archive among lines ``origin|codename|URI`` of ``apt-get indextargets``.

    The security archive is another site without backports, hence the look at the code name.
    """
    for line in text.splitlines():
        origin, _, rest = line.partition("|")
        codename, _, site = rest.partition("|")
        if origin == "Debian" and "security" not in codename and "security" not in site:
            return site.rstrip("/")
    return None


class Apt:
    """The isolated apt. Every method runs a program and may raise KernelFetchError."""

    def __init__(self, site: str, suite: str = SUITE) -> None:
        self._site, self._suite = site, suite
        self._root = cache_root() / ("apt" if suite == SUITE else f"apt-{suite}")

    @property
    def lock(self) -> Path:
        return self._root / "lock"

    def update(self) -> None:
        """Fetch the package index."""
        with locked(self.lock):
            self._prepare()
            done = self._apt_get("update", "-q", "-o", "APT::Update::Error-Mode=any")
            if done.returncode:
                raise KernelFetchError(
                    f"the package index of {self._site} could not be fetched"
                    f" ({reason(done.stderr)});"
                    f" check the network, or name another mirror with {MIRROR_VARIABLE}"
                )

    def packages(self) -> str:
        """The fetched index as text: one stanza a package, as in Debian's ``Packages``."""
        with locked(self.lock):
            self._prepare()
            return self._run([program("apt-cache"), *self._options(), "dumpavail"]).stdout

    def download(
        self, packages: Sequence[str], into: Path, progress: Callable[[int], None] | None
    ) -> list[Path]:
        """Download packages into the empty directory ``into``; apt checks size and hash.

        ``progress`` is told the number of bytes there are, a few times a second.
        """
        with locked(self.lock):
            self._prepare()
            command = [program("apt-get"), *self._options(), "download", "-q", *packages]
            process = subprocess.Popen(
                command,
                cwd=into,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                while True:
                    try:
                        _, errors = process.communicate(timeout=0.2)
                        break
                    except subprocess.TimeoutExpired:
                        if progress is not None:
                            progress(_bytes_in(into, self._root / "cache"))
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        files = sorted(into.glob("*.deb"))
        if process.returncode or len(files) != len(packages):
            raise KernelFetchError(
                f"{', '.join(packages)} could not be downloaded from {self._site}"
                f" ({reason(errors)}); nothing was kept of it, try again"
            )
        return files

    def _source_line(self) -> str:
        return f"deb [arch=amd64 signed-by={KEYRING}] {self._site} {self._suite} main\n"

    def _prepare(self) -> None:
        if not KEYRING.is_file():
            raise Unsupported(
                f"{KEYRING} is not there, so a kernel's signature cannot be checked;"
                " install the package debian-archive-keyring"
            )
        for name in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
            make_directory(self._root / name)
        (self._root / "status").touch()
        source = self._root / "etc" / "sources.list"
        if not source.is_file() or source.read_text() != self._source_line():
            shutil.rmtree(self._root / "lists", ignore_errors=True)
            make_directory(self._root / "lists" / "partial")
            source.write_text(self._source_line())

    def _options(self) -> list[str]:
        settings = {
            "Dir::State": self._root,
            "Dir::State::status": self._root / "status",
            "Dir::State::lists": self._root / "lists",
            "Dir::Cache": self._root / "cache",
            "Dir::Etc": self._root / "etc",
            "Dir::Etc::SourceList": self._root / "etc" / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Get::List-Cleanup": "0",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
            "Acquire::Languages": "none",
        }
        if os.geteuid() == 0:
            # apt would drop to a user of its own that cannot enter a private cache directory.
            settings["APT::Sandbox::User"] = "root"
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def _apt_get(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run([program("apt-get"), *self._options(), *words])

    @staticmethod
    def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
        )


def reason(errors: str) -> str:
    """What apt or dpkg complained of, in one line: its first ``E:``, with the cause behind it."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    for line in lines:
        if "No space left" in line or "enough free space" in line:
            return "the disk is full"
        if "Hash Sum mismatch" in line or "unexpected size" in line:
            return "the file is corrupt: its size or hash is not what the archive signed"
    for line in lines:
        if line.startswith(("E:", "Err:", "dpkg-deb: error:")):
            line = re.sub(r"^(E:|Err:)\s*|Failed to fetch \S+\s*", "", line)
            return re.sub(r"\s+", " ", line).strip(" .")
    return lines[-1].rstrip(".") if lines else "no word why"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _bytes_in(*directories: Path) -> int:
    total = 0
    for directory in directories:
        for path in directory.rglob("*.deb*"):
            try:
                total += path.stat().st_size
            except OSError:
                continue
    return total
