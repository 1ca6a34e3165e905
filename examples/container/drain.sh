#!/bin/sh
# Runs a composed server in Wasmtime, and drains it on SIGTERM: drain.sh SERVER.wasm [OPTIONS]
#
# WASI does not deliver signals to a guest, so the end of standard input signals the drain. This shell holds the other
# end of the pipe.
set -eu
fifo=$(mktemp -u)
mkfifo "$fifo"
"${WASMTIME:-wasmtime}" run -Sp3,http,inherit-network "$@" --drain-on-stdin-eof <"$fifo" &
exec 3>"$fifo"
rm "$fifo"
trap 'exec 3>&-' TERM INT
# The signal interrupts the first wait.
wait $! || wait $!
