#!/bin/sh
# Runs a composed server in Wasmtime, and has it drain on SIGTERM: drain.sh SERVER.wasm [OPTIONS]
#
# WASI gives a guest no signals, but the end of its standard input can tell it as much. This shell holds the other end.
set -eu
fifo=$(mktemp -u)
mkfifo "$fifo"
"${WASMTIME:-wasmtime}" run -Sp3,http,inherit-network "$@" --drain-on-stdin-eof <"$fifo" &
exec 3>"$fifo"
rm "$fifo"
trap 'exec 3>&-' TERM INT
# The signal ends the first wait.
wait $! || wait $!
