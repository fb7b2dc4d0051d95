#!/bin/sh
# Run as root while a devcontainer is built. The container's tools give the option `version` in VERSION.
set -eu
# PORTCULLIS_REPOSITORY and PORTCULLIS_PREFIX are for trials of this script.
exec sh "${0%/*}/fetch-release.sh" "${PORTCULLIS_REPOSITORY:-@ADDRESS@}" "$VERSION" "${PORTCULLIS_PREFIX:-/usr/local}/bin"
