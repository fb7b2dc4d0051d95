#!/bin/sh
# Starts Portcullis, which checks what coding agents do here. Made by `portcullis init --scope project`; commit this file.
for hook in "${0%/*}/ROOT/.portcullis/bin/portcullis-hook" "${HOME:-}/.local/bin/portcullis-hook" "$(command -v portcullis-hook)"; do
    case $hook in
    "$0") ;;
    /*) [ ! -x "$hook" ] || exec "$hook" "$@" ;;
    esac
done
case ${1:-} in
EVENTS)
    echo "denied: Portcullis is not installed on this machine
why: this project lets it check every call (SETTINGS), and portcullis-hook is neither in .portcullis/bin, nor in ~/.local/bin, nor on the PATH
fix: a person must install it once (a package of its release, or in a clone of Portcullis: \`cargo run --release -- install\`)" >&2
    exit 2
    ;;
SessionStart)
    echo "Portcullis is not installed on this machine, and this project needs it: every call will be denied. A person must install it once (a package of its release, or in a clone of Portcullis: \`cargo run --release -- install\`)."
    ;;
esac
exit 0
