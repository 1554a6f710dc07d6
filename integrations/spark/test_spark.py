#!/usr/bin/env python3
"""Tests chaingap_spark.py, and the lines of docs/scale.md, on more than a thousand captures.

usage: test_spark.py CHAINGAP    in the interpreter that requirements.txt was installed for; needs Java, parallel, xargs

In: the repository's sample captures, copied, compressed and cut, with files that are no captures beside them, one on
which the program hangs and one on which it crashes. Out: status 0 where each is a row, and Spark on one process and on
several, xargs, GNU parallel and the program alone say the same, capture by capture and in sum.
"""
from __future__ import annotations

import gzip
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
COPIES = 4
TIMEOUT = 10
HANGS, CRASHES = "traces/hangs.pcapng", "traces/crashes.pcapng"


def main() -> None:
    chaingap = Path(sys.argv[1]).resolve()
    # Not below a folder whose name might stand in a report for another reason.
    with tempfile.TemporaryDirectory(prefix="chaingap-test-") as folder:
        work = Path(folder)
        names = make_captures(work)
        print(f"{len(names)} captures")
        plain = by_path(run([str(chaingap), "analyze", "--format", "jsonl", *names], work, (2,)))
        assert plain.keys() == set(names), "the program alone has a line for each"
        for engine, block in shell_lines().items():
            check_shell(work, chaingap, engine, block, plain)
        faulty = make_faulty(work, chaingap)
        check_spark(work, "local-cluster[2,1,1024]", faulty, [str(work / "traces")], plain, {})
        check_spark(work, "local[2]", faulty, ["--list", str(make_list(work, names))], plain, {
            "test://bucket/usb sign-in.pcapng": ("analyzed", None),
            "test://bucket/absent.pcapng": ("failed", "OSError: .*fetch ended with 1: .*absent.pcapng.*"),
            "test://bucket/slow.pcapng": ("timeout", ".*fetch was ended: .* s were over"),
            "test://bucket/../outside.pcapng": ("failed", "ValueError: a path with .. is not fetched"),
        })


def make_captures(work: Path) -> list[str]:
    """Paths relative to `work`, as the program is given them."""
    samples = sorted(path for path in (PROJECT / "captures").rglob("*.pcap*") if path.is_file())
    assert len(samples) >= 150
    files: dict[str, bytes] = {}
    for copy in range(COPIES):
        for index, sample in enumerate(samples):
            data, name = sample.read_bytes(), f"traces/{copy}/{index % 10}/{index} {sample.name}"
            if copy == 1:
                data, name = gzip.compress(data, mtime=0), f"{name}.gz"
            elif copy == 2:
                data = data[: len(data) * 3 // 4]
            files[name] = data
    usb = (PROJECT / "captures/usb-sign-in.pcapng").read_bytes()
    files |= {HANGS: usb, CRASHES: usb, "traces/empty.pcap": b"", "traces/_empty": b"", "traces/.cut.pcapng": usb[:11],
              "traces/12:00:00 ü%20{a}*[b].pcapng": usb, "traces/text.pcap": b"taken on Tuesday\n",
              "traces/cut.pcap.gz": gzip.compress(usb, mtime=0)[:40]}
    for name, data in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert len(files) >= 1000
    return sorted(files)


def make_faulty(work: Path, chaingap: Path) -> Path:
    """chaingap with two faults, each with a child of its own that would keep the pipes open."""
    text = f"""#!/bin/sh
case "$*" in
  *{HANGS}) sleep 600 & wait ;;
  *{CRASHES}) kill -SEGV $$ ;;
esac
exec '{chaingap}' "$@"
"""
    return executable(work / "faulty", text)


def make_list(work: Path, names: list[str]) -> Path:
    """The same captures by their paths, and some that must be fetched."""
    executable(work / "fetch", f"""#!/bin/sh
case "$1" in *slow*) sleep 600 & wait ;; esac
exec cp "{PROJECT}/captures/$(basename "$1" | tr ' ' -)" "$2"
""")
    uris = ["usb sign-in.pcapng", "absent.pcapng", "slow.pcapng", "../outside.pcapng"]
    lines = [f"file://{work}/{name}" for name in names] + [f"test://bucket/{name}" for name in uris]
    (work / "list.txt").write_text("\n".join(lines) + "\n")
    return work / "list.txt"


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def shell_lines() -> dict[str, str]:
    """The commands of docs/scale.md that read traces/, by their first comment."""
    blocks = re.findall(r"```sh\n# (\S+)\n(.*?)```", (PROJECT / "docs/scale.md").read_text(), re.DOTALL)
    found = {name: block for name, block in blocks if name in ("parallel", "xargs")}
    assert len(found) == 2, found
    return found


def check_shell(work: Path, chaingap: Path, engine: str, block: str, plain: dict[str, Any]) -> None:
    start = time.monotonic()
    environment = os.environ | {"PATH": f"{chaingap.parent}:{os.environ['PATH']}"}
    printed = run(["bash", "-c", block], work, (0, 2), environment)
    lines = by_path((work / f"{engine}.jsonl").read_text())
    assert lines == plain, f"{engine}: {differences(lines, plain)}"
    assert f"{len(plain)} reports, {len(plain)} captures" in printed, printed
    print(f"{engine}: {len(lines)} lines as the program alone, {time.monotonic() - start:.1f} s")


def check_spark(work: Path, master: str, program: Path, what: list[str], plain: dict[str, Any],
                more: dict[str, tuple[str, str | None]]) -> None:
    out = work / f"out-{master.split('[')[0]}"
    submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", master, "--conf", "spark.ui.enabled=false"]
    # Java would spend more on optimizing than a job of a minute gets back.
    for side in ("driver", "executor"):
        submit += ["--conf", f"spark.{side}.extraJavaOptions=-XX:TieredStopAtLevel=1"]
    options = ["--chaingap", str(program), "--timeout", str(TIMEOUT), "--fetch", str(work / "fetch")]
    command = [*submit, str(HERE / "chaingap_spark.py"), *options, *what, str(out)]
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    printed = run(command, work, (0,), environment)
    print(f"spark {master}: {printed.splitlines()[-1]}")

    rows = {row["path"].removeprefix(f"{work}/"): row for row in parquet.read_table(out / "reports").to_pylist()}
    assert rows.keys() == plain.keys() | more.keys(), f"{master}: {rows.keys() ^ (plain.keys() | more.keys())}"
    assert parquet.read_table(out / "reports").num_rows == len(rows), "a row a capture"
    failures = more | {HANGS: ("timeout", f"faulty was ended: {TIMEOUT} s were over"),
                       CRASHES: ("failed", "no report; exit status -11")}
    for path, row in rows.items():
        status, error = failures.get(path, (None, None))
        if status not in (None, "analyzed"):
            assert row["status"] == status and re.search(error or "", row["error"]), row
            assert all(row[name] is None for name in ("report", "verdicts", "devices", "packets")), row
        elif status is None:
            check_row(row, json.loads(row["report"].replace(f"{work}/", "")), plain[path])
        else:
            assert (row["status"], row["findings"]) == ("analyzed", ["CG025"]), row
            assert json.loads(row["report"])["captures"][0]["path"] == path, "it is named as it was listed"
    assert rows[HANGS]["seconds"] < 2 * TIMEOUT and rows[CRASHES]["exit"] == -11

    check_second_pass(work, program, out)
    summary = "".join(part.read_text() for part in (out / "summary").glob("part-*"))
    lines = [row["report"] or "no report" for row in rows.values()]
    for order in (lines, lines[::-1], lines[1::2] + lines[::2]):
        (work / "lines").write_text("\n".join(order))
        assert summary == run([str(program), "merge", "--format", "json", "lines"], work, (2,)), "the sum"
    assert json.loads(summary)["failed"] == sum(row["report"] is None for row in rows.values())


def check_second_pass(work: Path, program: Path, out: Path) -> None:
    """What the captures showed together proves what one of them alone leaves open."""
    (work / "bundle.pem").write_text("".join(part.read_text() for part in (out / "certificates").glob("part-*")))
    usb = str(PROJECT / "captures/usb-sign-in.pcapng")
    command = [str(program), "analyze", "--format", "jsonl", usb, "--roots", str(PROJECT / "captures/pki/root.pem")]
    for options, proof in (([], "inferred"), (["--bundle", "bundle.pem"], "proven")):
        finding = json.loads(run([*command, *options], work, (1,)))["findings"][0]
        assert (finding["code"], finding["proof"]) == ("CG001", proof), finding


def check_row(row: dict[str, Any], report: dict[str, Any], plain: dict[str, Any]) -> None:
    """A row holds the program's report, and its columns are what the report says."""
    assert report == plain, row["path"]
    said = {
        "verdicts": [device["verdict"]["status"] for device in plain["devices"]],
        "findings": [finding["code"] for finding in plain["findings"]],
        "devices": len(plain["devices"]),
        "handshakes": plain["statistics"]["handshakes"],
        "packets": plain["statistics"]["packets"],
        "bytes": plain["captures"][0]["bytes"],
    }
    assert {name: row[name] for name in said} == said, row
    assert (row["status"] == "unreadable") == (row["exit"] == 2) == (row["error"] is not None), row
    if row["packets"] == 0 and row["exit"] == 2:
        assert plain["captures"][0]["problems"], row


def by_path(lines: str) -> dict[str, Any]:
    reports = [json.loads(line) for line in lines.splitlines()]
    found = {report["captures"][0]["path"]: report for report in reports}
    assert len(found) == len(reports), "a line a capture"
    return found


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    return sorted(path for path in a.keys() | b.keys() if a.get(path) != b.get(path))[:10]


def run(command: list[str], folder: Path, expected: tuple[int, ...], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in expected, f"{command[:3]}: status {done.returncode}\n{done.stderr[-3000:]}"
    return done.stdout


if __name__ == "__main__":
    main()
