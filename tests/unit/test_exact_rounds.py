"""The talk with QEMU by which a machine's rounds become short."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from vm.exact.rounds import shorten

GREETING = {"QMP": {"version": {}, "capabilities": []}}
DONE: dict[str, Any] = {"return": {}}


def talk(*said: dict[str, Any], ends: bool = True) -> list[dict[str, Any]]:
    """What is sent to a QEMU that says ``said``, in one piece, and then ends."""
    for_qemu, to_qemu = os.pipe()
    from_qemu, by_qemu = os.pipe()
    os.write(by_qemu, b"".join(json.dumps(message).encode() + b"\r\n" for message in said))
    if ends:
        os.close(by_qemu)
    shorten(to_qemu, from_qemu, 50, timeout_s=0.2)
    os.close(to_qemu)
    sent = os.read(for_qemu, 1 << 16)
    for descriptor in (for_qemu, from_qemu, *(() if ends else (by_qemu,))):
        os.close(descriptor)
    return [json.loads(line) for line in sent.splitlines()]


def test_the_filter_comes_when_the_machine_has_stopped() -> None:
    sent = talk(GREETING, DONE, {"event": "GUEST_PANICKED"}, {"event": "STOP"}, {"event": "RESUME"})
    assert [command["execute"] for command in sent] == ["qmp_capabilities", "object-add", "cont"]
    assert sent[1]["arguments"]["interval"] == 50


def test_a_machine_that_ends_before_is_left_to_who_waits_for_it() -> None:
    assert [command["execute"] for command in talk(GREETING)] == ["qmp_capabilities"]
    assert talk() == []


def test_a_machine_that_never_stops_is_given_up() -> None:
    assert len(talk(GREETING, DONE, ends=False)) == 1


def test_a_message_may_come_in_pieces() -> None:
    for_qemu, to_qemu = os.pipe()
    from_qemu, by_qemu = os.pipe()
    listener = threading.Thread(target=shorten, args=(to_qemu, from_qemu, 50, 5.0))
    listener.start()
    for byte in json.dumps(GREETING).encode() + b'\n{"event": "STOP"}\n{"event": "RESUME"}\n':
        os.write(by_qemu, bytes([byte]))
    listener.join(5)
    assert not listener.is_alive()
    assert os.read(for_qemu, 1 << 16).count(b"\n") == 3
    for descriptor in (for_qemu, to_qemu, from_qemu, by_qemu):
        os.close(descriptor)
