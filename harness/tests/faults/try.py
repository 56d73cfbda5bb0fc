#!/usr/bin/env python3
"""Which of the faults in faults.toml does `pfs explore` notice?

    try.py PFS TREE [NAME...]

PFS is the program, TREE an unpacked source package of Debian 13's postfix, which is changed and put back. Needs root: the
engine is chroot. Prints a line for each fault; ends with 1 when the tree as it was has findings of its own, else with the
number of faults that were not noticed, as `N of M noticed` tells.
"""

import pathlib
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).parent


def explore(pfs, tree):
    """The findings, as lines of the report; None where nothing could be run."""
    done = subprocess.run(
        [pfs, "explore", "--target", f"own=source:{tree}@debian-13", "--engine", "chroot"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
    )
    if done.returncode not in (0, 1):
        print(done.stderr[-800:], file=sys.stderr)
        return None
    return [line.strip() for line in done.stdout.splitlines() if line.startswith("  FINDING ")]


def main():
    pfs, tree, *names = sys.argv[1:]
    faults = tomllib.loads((HERE / "faults.toml").read_text())["fault"]
    own = explore(pfs, tree)
    print(f"without a fault: {own}", flush=True)
    if own is None or own:
        return 1
    noticed = tried = 0
    for fault in faults:
        if names and fault["name"] not in names:
            continue
        path = pathlib.Path(tree) / fault["file"]
        before = path.read_text()
        if before.count(fault["find"]) != 1:
            print(f"{fault['name']}: stands {before.count(fault['find'])} times in {path}")
            return 1
        path.write_text(before.replace(fault["find"], fault["put"]))
        try:
            found = explore(pfs, tree)
        finally:
            path.write_text(before)
        tried += 1
        noticed += bool(found)
        word = "noticed" if found else "broken" if found is None else "NOT NOTICED"
        print(f"{fault['name']}: {word}: {len(found or [])}; {(found or [''])[0]}", flush=True)
    print(f"{noticed} of {tried} noticed")
    return tried - noticed


sys.exit(main())
