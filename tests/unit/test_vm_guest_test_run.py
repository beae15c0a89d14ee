"""Which kernels ``vm test`` means by ``all`` and ``oldest``."""

from __future__ import annotations

import pytest

from vm import guest_test_run
from vm.errors import VmError
from vm.index import Offer

OFFERED = ("6.12.9+deb13-amd64", "6.16.3+deb13-amd64", "6.16.12+deb13-amd64", "7.3.4+deb13-amd64")


@pytest.fixture(autouse=True)
def archive(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(version: str, **_: object) -> str:
        return version

    monkeypatch.setattr(guest_test_run.fetch, "offered", lambda: [Offer(v, ()) for v in OFFERED])
    monkeypatch.setattr(guest_test_run, "choose", chosen)


@pytest.mark.parametrize(
    ("wish", "versions"),
    [
        ("all", ["6.16.12+deb13-amd64", "7.3.4+deb13-amd64"]),
        ("oldest", ["6.16.12+deb13-amd64"]),
        ("7.3", ["7.3"]),
    ],
)
def test_the_newest_of_each_supported_series(wish: str, versions: list[str]) -> None:
    assert guest_test_run.kernels(wish, print) == versions


def test_an_archive_without_any_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_test_run.fetch, "offered", lambda: [Offer(OFFERED[0], ())])
    with pytest.raises(VmError, match=r"no kernel of the series 6\.16, "):
        guest_test_run.kernels("oldest", print)
