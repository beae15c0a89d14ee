"""Fetching a kernel when things go wrong: one sentence, status 1, and a cache as it was."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vm.started import Ended
from vm import apt, fetch
from vm.errors import KernelFetchError
from vm.index import Offer

#: Nobody listens on the discard port of this machine.
NOWHERE = "http://127.0.0.1:9/debian"


def kernels_in(cache: Path) -> list[str]:
    folder = cache / "scxhid" / "kernels"
    return sorted(path.name for path in folder.glob("*") if not path.name.endswith(".lock"))


def unfinished_in(cache: Path) -> list[Path]:
    return list((cache / "scxhid").rglob("*.new-*"))


def fake_kernel(cache: Path, version: str) -> None:
    modules = cache / "scxhid" / "kernels" / version / "lib" / "modules" / version
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_bytes(b"kernel")


def test_without_a_network_it_fails_in_one_sentence(
    scxhid_vm: Callable[..., Ended], tmp_path: Path
) -> None:
    ended = scxhid_vm("fetch", SCXHID_MIRROR=NOWHERE, XDG_CACHE_HOME=str(tmp_path))
    assert ended.status == 1
    assert ended.stderr.count("\n") == 1
    assert "could not be fetched" in ended.stderr
    assert "check the network" in ended.stderr
    assert kernels_in(tmp_path) == []


def test_without_a_network_a_fitting_kernel_of_the_cache_is_taken(
    scxhid_vm: Callable[..., Ended], tmp_path: Path
) -> None:
    fake_kernel(tmp_path, "6.18.1+deb13-amd64")
    fake_kernel(tmp_path, "7.3.1+deb13-amd64")
    ended = scxhid_vm("fetch", "6.18", SCXHID_MIRROR=NOWHERE, XDG_CACHE_HOME=str(tmp_path))
    assert ended.status == 0
    assert "Going on with kernel 6.18.1+deb13-amd64 from the cache" in ended.stderr
    assert ended.stdout.decode().strip().endswith("6.18.1+deb13-amd64/vmlinuz")


def test_an_exact_version_of_the_cache_asks_nobody(
    scxhid_vm: Callable[..., Ended], tmp_path: Path
) -> None:
    fake_kernel(tmp_path, "7.3.1+deb13-amd64")
    ended = scxhid_vm(
        "fetch", "7.3.1+deb13-amd64", SCXHID_MIRROR=NOWHERE, XDG_CACHE_HOME=str(tmp_path)
    )
    assert (ended.status, ended.stderr) == (0, "")


@pytest.fixture(scope="module")
def corrupting_mirror() -> Generator[str]:
    """The machine's own mirror, but each package comes with its second half missing."""
    site = apt.mirror()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = site + self.path.removeprefix("/debian")
            try:
                with urllib.request.urlopen(url) as answer:
                    # Half a megabyte is enough of a package to be wrong.
                    body = answer.read(500_000 if url.endswith(".deb") else -1)
            except urllib.error.HTTPError as error:
                self.send_error(error.code)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/debian"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_truncated_download_is_refused_and_nothing_is_kept(
    scxhid_vm: Callable[..., Ended], tmp_path: Path, corrupting_mirror: str
) -> None:
    fake_kernel(tmp_path, "6.18.1+deb13-amd64")
    ended = scxhid_vm("fetch", "7.3", SCXHID_MIRROR=corrupting_mirror, XDG_CACHE_HOME=str(tmp_path))
    assert ended.status == 1
    said = ended.stderr.splitlines()
    assert len(said) == 2, said
    assert said[0].startswith("scxhid: fetching kernel 7.3")
    assert "corrupt" in said[1]
    assert kernels_in(tmp_path) == ["6.18.1+deb13-amd64"]
    assert unfinished_in(tmp_path) == []


@pytest.fixture(scope="module")
def newest() -> Offer:
    return fetch.offered()[-1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Callable[[int], Path]]:
    """A cache on a file system of so many megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted: list[Path] = []

    def mount(size_mb: int) -> Path:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "small", str(tmp_path)], check=True
        )
        mounted.append(tmp_path)
        return tmp_path

    yield mount
    for path in mounted:
        subprocess.run(["umount", str(path)], check=True)


def test_a_disk_too_small_is_seen_before_anything_is_downloaded(
    scxhid_vm: Callable[..., Ended], small_disk: Callable[[int], Path]
) -> None:
    cache = small_disk(100)
    ended = scxhid_vm("fetch", XDG_CACHE_HOME=str(cache))
    assert ended.status == 1
    assert "are free; make room, or set XDG_CACHE_HOME" in ended.stderr
    assert kernels_in(cache) == []


@pytest.mark.parametrize("size_mb", [60, 190])
def test_a_disk_that_fills_up_on_the_way_leaves_nothing_behind(
    small_disk: Callable[[int], Path],
    newest: Offer,
    monkeypatch: pytest.MonkeyPatch,
    size_mb: int,
) -> None:
    cache = small_disk(size_mb)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    # Of an index that understates them, so that the check beforehand finds room enough:
    # 60 MB cannot hold the packages, 190 MB not what is in them.
    understated = replace(
        newest,
        packages=tuple(replace(p, size=1, installed_size=1) for p in newest.packages),
    )
    fetch.offered()
    with pytest.raises(KernelFetchError, match="the disk is full"):
        fetch.fetch(understated)
    assert kernels_in(cache) == []
    assert unfinished_in(cache) == []
