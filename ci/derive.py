"""Derive what a package holds besides its sources, so that its first run is as fast as its second one.

    python ci/derive.py [VERSION …]

The folder ``derived`` of the checkout is emptied and written: the read document of each api-version and its requests at
smoke, quick and standard. A build puts it into the wheel and the source archive if it is there. In a package that was
built without it, or after a change of the code, everything is derived where it is needed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Write the files, and print their number and size."""
    sys.path.insert(0, str(ROOT))
    from conformance.corpus.shipping import files_of
    from conformance.spec.derived import NAME
    from conformance.spec.loading import versions

    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0], allow_abbrev=False)
    # A draft may be extended by a version that is none.
    parser.add_argument("versions", nargs="*", default=list(versions(drafts=True)), metavar="VERSION")
    chosen = parser.parse_args().versions
    folder = ROOT / NAME
    shutil.rmtree(folder, ignore_errors=True)
    count = size = 0
    for version in chosen:
        for name, content in files_of(version):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            count, size = count + 1, size + len(content)
    print(f"{count} files, {size / 1000:.0f} kB in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
