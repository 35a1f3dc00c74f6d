"""Which httpx client model sends small POSTs fastest, and at what CPU cost.

Compares, at several concurrencies, against a server in a process of its own:

* ``threads-one``: threads that share one ``httpx.Client``;
* ``threads-own``: threads with an ``httpx.Client`` each (several pools);
* ``transport-own``: threads with an ``httpx.HTTPTransport`` each, without the client's cookie and redirect layers;
* ``suite``: threads on the suite's own ``target.transport.Transport`` (h11, a connection per thread);
* ``async``: one event loop with ``httpx.AsyncClient``.

    python -m benchmarks.clients [--requests 1500] [--latency 0.0] [--rounds 3]

Prints requests per second (best round) and CPU milliseconds per request of the client process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx

REQUEST = json.dumps({"input": ["The quick brown fox."], "model": "text-embedding-3-small"}).encode()
HEADERS = {"content-type": "application/json", "api-key": "bench", "accept-encoding": "identity"}
CONCURRENCIES = (1, 8, 16)


def serve(listener: socket.socket, latency: float) -> None:
    """The server: an embedding of 256 numbers, after ``latency`` seconds."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    async def embeddings(request: Request) -> Response:
        body = await request.json()
        if latency:
            await asyncio.sleep(latency)
        vector = [round(i / 257, 6) for i in range(256)]
        data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(body["input"]))]
        return JSONResponse({"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}})

    app = Starlette(routes=[Route("/embeddings", embeddings, methods=["POST"])])
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listener])


def fetch(stream: httpx.Response) -> None:
    """Read a response as the suite does: raw chunks with their arrival times."""
    stamps = [(time.monotonic(), chunk) for chunk in stream.iter_raw()]
    if stream.status_code != 200 or not stamps:
        raise SystemExit(f"the server answered {stream.status_code}")


def threaded(total: int, width: int, work: Callable[[Callable[[], bool]], None]) -> None:
    """Run ``work`` in ``width`` threads until ``total`` turns are taken."""
    turns = count()
    with ThreadPoolExecutor(width) as pool:
        # The result of each is asked for, so that a thread that fails ends the benchmark.
        for one in [pool.submit(work, lambda: next(turns) < total) for _ in range(width)]:
            one.result()


def limits(width: int) -> httpx.Limits:
    """As many connections as exchanges in flight."""
    return httpx.Limits(max_connections=width, max_keepalive_connections=width)


def threads_one(url: str, total: int, width: int, context: ssl.SSLContext) -> None:
    """Threads on one client."""
    with httpx.Client(limits=limits(width), verify=context, trust_env=False) as client:

        def work(more: Callable[[], bool]) -> None:
            while more():
                with client.stream("POST", url, content=REQUEST, headers=HEADERS) as answer:
                    fetch(answer)

        threaded(total, width, work)


def threads_own(url: str, total: int, width: int, context: ssl.SSLContext) -> None:
    """Threads with a client each."""

    def work(more: Callable[[], bool]) -> None:
        with httpx.Client(limits=limits(1), verify=context, trust_env=False) as client:
            while more():
                with client.stream("POST", url, content=REQUEST, headers=HEADERS) as answer:
                    fetch(answer)

    threaded(total, width, work)


def transport_own(url: str, total: int, width: int, context: ssl.SSLContext) -> None:
    """Threads with a bare transport each."""
    timeout = httpx.Timeout(5).as_dict()

    def work(more: Callable[[], bool]) -> None:
        with httpx.HTTPTransport(limits=limits(1), verify=context, trust_env=False) as transport:
            while more():
                request = httpx.Request("POST", url, content=REQUEST, headers=HEADERS, extensions={"timeout": timeout})
                answer = transport.handle_request(request)
                fetch(answer)
                answer.close()

    threaded(total, width, work)


def suite(url: str, total: int, width: int, context: ssl.SSLContext) -> None:  # noqa: ARG001 - one signature for all
    """Threads on the suite's transport, which keeps every chunk with its time."""
    from conformance.requests.request import Request
    from conformance.settings.configuration import Limits, Timeouts
    from conformance.target.transport import Transport

    transport = Transport(url.rpartition("/")[0], Timeouts(), Limits())
    request = Request("POST", url, tuple(HEADERS.items()), REQUEST)

    def work(more: Callable[[], bool]) -> None:
        while more():
            answer = transport.send(request).response
            if answer is None or answer.status != 200:
                raise SystemExit("the server failed")

    threaded(total, width, work)
    transport.close()


def asynchronous(url: str, total: int, width: int, context: ssl.SSLContext) -> None:
    """One loop, one asynchronous client."""

    async def main() -> None:
        turns = count()
        async with httpx.AsyncClient(limits=limits(width), verify=context, trust_env=False) as client:

            async def work() -> None:
                while next(turns) < total:
                    async with client.stream("POST", url, content=REQUEST, headers=HEADERS) as answer:
                        stamps = [(time.monotonic(), chunk) async for chunk in answer.aiter_raw()]
                        if answer.status_code != 200 or not stamps:
                            raise SystemExit(f"the server answered {answer.status_code}")

            await asyncio.gather(*(work() for _ in range(width)))

    asyncio.run(main())


MODELS = {
    "threads-one": threads_one,
    "threads-own": threads_own,
    "transport-own": transport_own,
    "suite": suite,
    "async": asynchronous,
}


def cpu() -> float:
    """CPU seconds of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure every model at every concurrency; the rounds are interleaved so that noise hits all alike."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds the server waits")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    # asyncio turns Nagle off only where the socket names its protocol, which create_server does not: 40 ms per answer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/embeddings"
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener, options.latency), daemon=True)
    server.start()
    context = ssl.create_default_context()
    best: dict[tuple[str, int], tuple[float, float]] = {}
    try:
        threads_own(url, 50, 2, context)
        for _ in range(options.rounds):
            for width in CONCURRENCIES:
                for name, model in MODELS.items():
                    began, used = time.monotonic(), cpu()
                    model(url, options.requests, width, context)
                    rate = options.requests / (time.monotonic() - began)
                    cost = (cpu() - used) / options.requests * 1000
                    best[name, width] = max(best.get((name, width), (0.0, 0.0)), (rate, cost))
    finally:
        server.kill()
        server.join()
    print(f"{options.requests} requests, server latency {options.latency:g} s, best of {options.rounds}")
    print(f"{'model':<14}" + "".join(f"{f'{w} in flight':>24}" for w in CONCURRENCIES))
    for name in MODELS:
        cells = (f"{best[name, w][0]:7.0f}/s {best[name, w][1]:5.2f} ms CPU" for w in CONCURRENCIES)
        print(f"{name:<14}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
