#!/bin/sh
# Git's hooks start this. It is the program `portcullis` beside it, in a package that can contain no link.
exec "${0%/*}/portcullis" git-hook "$@"
