"""Checks that long work shows a progress bar on a terminal and nothing in a pipe. The argument is the program."""

import os
import pty
import subprocess
import sys
import time

program = sys.argv[1]
capture = open("captures/pin-sign-in.pcapng", "rb").read()


def slowly(stderr, *options):
    """Feeds a capture over more than two seconds."""
    command = [program, "analyze", "-", "--fail-on", "never", *options]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr)
    for at in range(0, len(capture), len(capture) // 22 + 1):
        child.stdin.write(capture[at : at + len(capture) // 22 + 1])
        child.stdin.flush()
        time.sleep(0.1)
    child.stdin.close()
    return child


def on_terminal(*options):
    ours, theirs = pty.openpty()
    child = slowly(theirs, *options)
    status = child.wait()
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:
        pass
    assert status == 0, status
    return said.decode()


bar = on_terminal()
assert "/s" in bar and "iB" in bar, f"no progress on a terminal: {bar!r}"
assert on_terminal("-q") == "", "progress in spite of -q"
child = slowly(subprocess.PIPE)
assert child.stderr.read() == b"" and child.wait() == 0, "progress in a pipe"
print("terminal: a bar after a second, none with -q, none in a pipe")
