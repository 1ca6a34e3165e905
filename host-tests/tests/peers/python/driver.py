"""The driver for Python packages. README.md in the parent folder describes its command line.

Each module of `peers` is a peer: it defines NAME, and CONFIGS with the parameters of each configuration. A client also defines
`connect`, and CASES with the names of its cases from `cases.py` or its own functions; a server defines CASES and `serve`.
OMITTED lists the cases that a peer fails through its own fault, with the reasons.
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
    # The process that started the driver closes its standard input to stop it.
    threading.Thread(target=lambda: (sys.stdin.read(), peer.stop()), daemon=True).start()
    peer.serve(peer.CONFIGS[config], lambda port: print(f"PORT {port}", flush=True))


if __name__ == "__main__":
    try:
        {"list": list_peers, "client": client, "server": server}[sys.argv[1]](*sys.argv[2:])
    except Exception:
        traceback.print_exc()
        sys.exit(1)
