"""A Dask cluster as an executor: ``--executor dask:tcp://HOST:8786``, or ``dask`` for one here."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from pyloader.errors import ScxhidError, Unsupported

_CONNECT_S = 10


@contextmanager
def connect(address: str = "") -> Generator[Executor]:
    """The executor of the cluster at ``address``; without one, of one worker on this machine.

    Raises:
        Unsupported: ``dask[distributed]`` is not installed.
        ScxhidError: there is no cluster.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise Unsupported(
            "the executor dask needs the Python package distributed, which is not installed;"
            " `pip install 'scxhid[dask]'` brings it"
        ) from None
    cluster: Any = None
    if not address:
        # One worker of one thread, since machines would measure each other; in this process, since
        # machines are processes already.
        cluster = distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        )
    try:
        try:
            client: Any = distributed.Client(cluster or address, timeout=_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            why = " ".join(str(error).split())
            raise ScxhidError(f"no Dask scheduler answers at {address}: {why}") from None
        with client, client.get_executor(retries=0) as made:
            yield made
    finally:
        if cluster is not None:
            cluster.close()
