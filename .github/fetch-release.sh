#!/bin/sh
# Fetches the programs of a release, checks them, and puts them into a folder.
#   fetch-release.sh REPOSITORY VERSION FOLDER
# REPOSITORY is an address such as https://github.com/OWNER/portcullis. Exit codes: 0 the programs are there; 1 what was fetched
# is not what was released, or cannot be installed; 3 there is no release for this version and machine.
set -eu
repository=$1 version=${2#v} folder=$3

case $(uname -s)-$(uname -m) in
Linux-x86_64) target=x86_64-unknown-linux-musl ;;
Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
Darwin-x86_64) target=x86_64-apple-darwin ;;
Darwin-arm64) target=aarch64-apple-darwin ;;
*)
    echo "portcullis: there is no release for $(uname -s) on $(uname -m)" >&2
    exit 3
    ;;
esac
name=portcullis-$version-${PORTCULLIS_TARGET:-$target}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# `file:` is for trials of this script.
fetch() {
    from=$repository/releases/download/v$version/$1
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --proto '=https,file' --retry 3 --output "$work/$1" "$from"
    else
        wget --quiet --output-document "$work/$1" "$from"
    fi
}
if ! fetch SHA256SUMS || ! fetch "$name.tar.gz"; then
    echo "portcullis: $repository has no release $version with $name.tar.gz" >&2
    exit 3
fi

# The keys that may sign releases, where they came with this script.
signers=${0%/*}/release_signers
if [ -f "$signers" ]; then
    fetch SHA256SUMS.sig
    ssh-keygen -Y verify -f "$signers" -I release@portcullis -n portcullis-release -s "$work/SHA256SUMS.sig" <"$work/SHA256SUMS"
fi
cd "$work"
grep " $name.tar.gz\$" SHA256SUMS >own
if command -v sha256sum >/dev/null; then sha256sum --check own; else shasum -a 256 --check own; fi
tar -xzf "$name.tar.gz"
# The hook comes last: until then the old hook refuses the new program, and denies.
for program in portcullis portcullis-hook; do
    cp "$name/$program" "$folder/$program.new"
    mv -f "$folder/$program.new" "$folder/$program"
done
ln -sf portcullis "$folder/portcullis-git"
"$folder/portcullis" --version
