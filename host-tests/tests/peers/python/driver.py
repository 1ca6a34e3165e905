"""The driver for Python's packages. README.md of the parent folder describes its command line.

Each module of `peers` is a peer: NAME, and CONFIGS, each of them with what it needs; then for a client CASES, the names of
those of `cases.py` that it can do, or a function for each, and `connect`; for a server CASES and `serve`. OMITTED
tells which cases a peer fails by its own fault, and why.
"""

import asyncio
import importlib
import json
import pkgutil
import sys
import threading
import traceback

import cases
import peers


def modules():
    for module in pkgutil.iter_modules(peers.__path__):
        yield importlib.import_module(f"peers.{module.name}")


def find(role, name):
    return next(peer for peer in modules() if (peer.ROLE, peer.NAME) == (role, name))


def list_peers():
    for peer in modules():
        for config in peer.CONFIGS:
            print(peer.ROLE, peer.NAME, config, *getattr(peer, "CASES_OF", {}).get(config, peer.CASES))
            for case, reason in getattr(peer, "OMITTED", {}).items():
                print("omit", peer.ROLE, peer.NAME, config, case, reason)


def client(name, config, case, url, seconds, at_a_time):
    peer = find("client", name)
    run = cases.Run(peer, peer.CONFIGS[config], url, float(seconds), int(at_a_time))
    function = peer.CASES[case] if isinstance(peer.CASES, dict) else cases.CASES[case]
    asyncio.run(run.case(function))
    print(json.dumps({"requests": run.requests, "bytes": run.bytes, "connections": run.connections}))


def server(name, config):
    peer = find("server", name)
    # Whoever started it ends its input when it is no longer wanted.
    threading.Thread(target=lambda: (sys.stdin.read(), peer.stop()), daemon=True).start()
    peer.serve(peer.CONFIGS[config], lambda port: print(f"PORT {port}", flush=True))


if __name__ == "__main__":
    try:
        {"list": list_peers, "client": client, "server": server}[sys.argv[1]](*sys.argv[2:])
    except Exception:
        traceback.print_exc()
        sys.exit(1)
