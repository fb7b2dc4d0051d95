"""Packs FOLDER as the wheel FILE: a zip archive with the list of its files. Every file gets the time SECONDS."""

import base64
import hashlib
import pathlib
import sys
import time
import zipfile

folder, wheel, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
# Zip knows no time before 1980.
moment = time.gmtime(max(seconds, 315532800))[:6]
files = sorted(path for path in folder.rglob("*") if path.is_file())
record = next(folder.glob("*.dist-info")).name + "/RECORD"
lines = []
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

    def add(name, content, mode):
        entry = zipfile.ZipInfo(name, moment)
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (0o100000 | mode) << 16
        archive.writestr(entry, content)

    # The notes on the package come last, so that they can be read without the rest.
    for path in sorted(files, key=lambda path: (".dist-info/" in str(path), path)):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
        add(name, content, 0o755 if "/scripts/" in name else 0o644)
    add(record, "".join(lines) + f"{record},,\n", 0o644)
