#!/usr/bin/env python3
"""Decodes header sections encoded by our HPACK encoder with the `hpack` package from PyPI, and compares them.

    python3 hpack_judge.py --encoder target/debug/examples/hpack_encode DIR

DIR contains stories from https://github.com/http2jp/hpack-test-case, for example its `raw-data`. Each story is encoded
twice: with a table of constant size, and with a table whose size changes before each block. The exit code is 0 if
every section was decoded correctly.
"""

import argparse
import itertools
import json
import pathlib
import subprocess
import sys

import hpack

SECRET_NAMES = {"authorization", "proxy-authorization"}
CHANGING_SIZES = [0, 100, 4096, 1000, 8192]


def with_table_sizes(story, sizes):
    """Returns the story with a table size for each case; `None` leaves the size unchanged."""
    sized = zip(story["cases"], itertools.cycle(sizes))
    return {"cases": [{"header_table_size": size, "headers": case["headers"]} for case, size in sized]}


def encode(encoder, story):
    """Returns the field blocks in which our encoder encodes a story."""
    result = subprocess.run([encoder], input=json.dumps(story), stdout=subprocess.PIPE, text=True, check=True)
    return [bytes.fromhex(line) for line in result.stdout.splitlines()]


def judge(story, blocks):
    """Yields a message for each error in the blocks."""
    if len(blocks) != len(story["cases"]):
        yield f"{len(blocks)} blocks for {len(story['cases'])} sections"
    decoder = hpack.Decoder(max_header_list_size=1 << 20)
    for number, (case, block) in enumerate(zip(story["cases"], blocks)):
        if case["header_table_size"] is not None:
            decoder.max_allowed_table_size = case["header_table_size"]
        try:
            fields = decoder.decode(block)
        except hpack.HPACKError as error:
            yield f"block {number} does not decode: {error}"
            return
        expected = [field for line in case["headers"] for field in line.items()]
        if [tuple(field) for field in fields] != expected:
            yield f"block {number} is {fields}, not {expected}"
        if any(field[0] in SECRET_NAMES and field.indexable for field in fields):
            yield f"block {number} has credentials that may be indexed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, help="the built example `hpack_encode`")
    parser.add_argument("stories", type=pathlib.Path, help="a folder of stories")
    arguments = parser.parse_args()

    paths = sorted(arguments.stories.glob("*.json"))
    if not paths:
        sys.exit(f"no stories in {arguments.stories}")
    failures = blocks_total = octets_total = 0
    for path in paths:
        raw = json.loads(path.read_text())
        for sizes in [None], CHANGING_SIZES:
            story = with_table_sizes(raw, sizes)
            blocks = encode(arguments.encoder, story)
            blocks_total += len(blocks)
            octets_total += sum(map(len, blocks)) if sizes == [None] else 0
            for failure in judge(story, blocks):
                print(f"{path.name}, table sizes {sizes}: {failure}", file=sys.stderr)
                failures += 1
    print(f"{len(paths)} stories, {blocks_total} blocks, {octets_total} bytes with a constant table, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
