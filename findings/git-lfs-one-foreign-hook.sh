#!/bin/sh
# git-lfs 3.3.0 (Debian 12, package git-lfs 3.3.0-1+deb12u2) with git 2.39 and 2.47.
#
# git-lfs has four hooks: pre-push, post-checkout, post-commit, post-merge. If one file of these names is there already, for
# example a pre-push hook of a hook manager, `git lfs install --local` ends with 2 and puts none of the four in place, not even
# the three whose names are free. The filters are set up nevertheless, so `git lfs track`, `git commit` and `git push` all end
# with 0. The push sends the pointer alone: the remote has no object, and a clone has none to check out.
#
# What it means here: Portcullis starts git-lfs from its own hooks.
set -eu
version="3.3.0-1+deb12u2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q "git-lfs=$version" > /dev/null 2>&1
dpkg -x ./*.deb package
PATH=$folder/package/usr/bin:$PATH
HOME=$folder/home
export PATH HOME GIT_CONFIG_NOSYSTEM=1
mkdir "$HOME"
git config --global user.name someone
git config --global user.email someone@example.com
git init -q --bare remote.git
git init -q -b main work
cd work
printf '#!/bin/sh\nexit 0\n' > .git/hooks/pre-push
chmod +x .git/hooks/pre-push

seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }
seen "the version" "$(git lfs version | cut -d' ' -f1)" "git-lfs/3.3.0"
code=0; git lfs install --local > /dev/null 2>&1 || code=$?
seen "the exit code of install" "$code" 2
seen "the hooks" "$(cd .git/hooks && ls | grep -v sample | tr '\n' ' ')" "pre-push "
code=0; git lfs track '*.bin' > /dev/null 2>&1 || code=$?
seen "the exit code of track" "$code" 0
echo data > a.bin
git add -A
code=0; git commit -qm first 2> /dev/null || code=$?
seen "the exit code of commit" "$code" 0
seen "what is committed" "$(git show HEAD:a.bin | head -1)" "version https://git-lfs.github.com/spec/v1"
code=0; git push -q ../remote.git main 2> /dev/null || code=$?
seen "the exit code of push" "$code" 0
seen "the objects in the remote" "$(find ../remote.git -path '*lfs/objects*' -type f | wc -l | tr -d ' ')" 0
echo "as seen: one foreign pre-push hook, no hook of git-lfs, and a push without the object that ends with 0"
