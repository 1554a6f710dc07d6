#!/usr/bin/env python3
"""chaingap over more captures than one machine holds, with Spark: a row for each capture, and the sum of all reports.

In: a folder or an object store of captures, or a list of their paths. Out: OUT/reports (Parquet, a row a capture, see
COLUMNS), OUT/certificates (PEM, the bundle of a second pass), OUT/summary (one line, chaingap.summary/2), and that
summary as text on standard output. Bounded: a task holds one report at a time, never a capture. Left to others: every
judgement, which is the program's; nothing is judged here.

A capture that cannot be copied, read or analyzed in time is a row that says so, not a failed job.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, concat, explode, from_json, lit, regexp_replace

# The members of a row: their types in Spark and in Arrow. All but path, status and seconds are null where the program
# gave no report.
COLUMNS: dict[str, tuple[str, pa.DataType]] = {
    "path": ("string", pa.string()),
    # analyzed; unreadable: the report says what of it could be read; timeout; failed: there is no report
    "status": ("string", pa.string()),
    "exit": ("int", pa.int32()),  # of the program; -N where signal N ended it
    "error": ("string", pa.string()),
    "verdicts": ("array<string>", pa.list_(pa.string())),  # one a device
    "findings": ("array<string>", pa.list_(pa.string())),  # codes, gravest first
    "devices": ("long", pa.int64()),
    "handshakes": ("long", pa.int64()),
    "packets": ("long", pa.int64()),
    "bytes": ("long", pa.int64()),
    "seconds": ("double", pa.float64()),
    "report": ("string", pa.string()),  # chaingap.report/2, one line of JSON
}
ROW = ", ".join(f"{name} {spark}" for name, (spark, _) in COLUMNS.items())
ARROW_ROW = pa.schema([(name, arrow) for name, (_, arrow) in COLUMNS.items()])

# As much of standard error as explains a failure.
LONGEST_ERROR = 2000
# What stands for a capture without a report in the sum: merge counts such a line as failed.
NO_REPORT = "{}"
# A merge of a few thousand lines takes a second; this only ends one that hangs.
MERGE_SECONDS = 3600.0


@dataclass(frozen=True)
class Job:
    """What every task needs to know."""

    program: str
    options: list[str]
    shipped: list[str]
    fetch: list[str]
    timeout: float

    def command(self) -> list[str]:
        """`chaingap analyze …` on this node: files that were sent along are where Spark put them."""
        options = [SparkFiles.get(word) if word in self.shipped else word for word in self.options]
        return [SparkFiles.get(self.program), "analyze", "--format", "jsonl", *options]


def run(command: list[str], seconds: float, folder: str | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error. Raises TimeoutExpired after that many seconds."""
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", start_new_session=True) as process:
        try:
            out, error = process.communicate(timeout=seconds)
        except BaseException:
            # With all that it started: a child that keeps the pipes open would be waited for without end.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, out, error


def local_copy(path: str, job: Job, folder: str, seconds: float) -> None:
    """Fetches a capture to folder/path, so that the program, run in that folder, names it in its report as it is named
    here: `s3a://bucket/a.pcap`, taken as a relative path, is the file a.pcap in `s3a:/bucket`."""
    if ".." in path.split("/"):
        raise ValueError("a path with .. is not fetched")
    fetched, target = Path(folder, "fetched"), Path(folder, path)
    status, _, error = run([*job.fetch, path, str(fetched)], seconds)
    if status != 0:
        raise OSError(f"{job.fetch[0]} ended with {status}: {error.strip()[-LONGEST_ERROR:]}")
    target.parent.mkdir(parents=True)
    fetched.rename(target)  # Not fetched to there: Hadoop's own commands write to no path with a colon in it.


def analyze(path: str, job: Job) -> dict[str, Any]:
    """The row of one capture."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"path": path, "status": "failed"}
    start = time.monotonic()
    left: Callable[[], float] = lambda: max(job.timeout - (time.monotonic() - start), 0.0)
    try:
        with tempfile.TemporaryDirectory(prefix="chaingap-") as folder:
            if "://" in path:
                local_copy(path, job, folder, left())
            status, out, error = run([*job.command(), path], left(), folder)
        row |= {"exit": status, "error": error.strip()[-LONGEST_ERROR:] or None}
        row |= facts(out, status) if out else {"error": row["error"] or f"no report; exit status {status}"}
    except subprocess.TimeoutExpired as error:
        row |= {"status": "timeout", "error": f"{error.cmd[0]} was ended: {job.timeout:g} s were over"}
    except Exception as error:  # Whatever it is, it concerns this capture, and the others are to be analyzed.
        row |= {"error": f"{type(error).__name__}: {error}"}
    return row | {"seconds": time.monotonic() - start}


def facts(out: str, status: int) -> dict[str, Any]:
    """What a report says, for questions that need no JSON."""
    report = json.loads(out)
    devices, captures = report["devices"], report["captures"]
    return {
        "status": "analyzed" if status in (0, 1) else "unreadable",
        "verdicts": [device["verdict"]["status"] for device in devices],
        "findings": [finding["code"] for finding in report["findings"]],
        "devices": len(devices),
        "handshakes": sum(device["handshakes_total"] for device in devices),
        "packets": sum(capture["packets"] for capture in captures),
        "bytes": sum(capture["bytes"] for capture in captures),
        "report": out.rstrip("\n"),
    }


def rows(batches: Iterator[pa.RecordBatch], job: Job) -> Iterator[pa.RecordBatch]:
    """A batch a capture, so that a task never holds more than one report."""
    for batch in batches:
        for path in batch.column("path").to_pylist():
            yield pa.RecordBatch.from_pylist([analyze(path, job)], ARROW_ROW)


def merge(lines: Iterable[str], program: str, form: str = "json") -> str:
    """The program's sum of reports and summaries."""
    with tempfile.NamedTemporaryFile("w", prefix="chaingap-", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        # Its status is 2 where a capture has no report; the sum is there all the same.
        status, out, error = run([program, "merge", "--format", form, file.name], MERGE_SECONDS)
    if not out:
        raise RuntimeError(f"chaingap merge ended with {status}: {error.strip()}")
    return out.rstrip("\n")


def sums(batches: Iterator[pa.RecordBatch], program: str) -> Iterator[pa.RecordBatch]:
    """The sum of one partition's reports."""
    lines = (report or NO_REPORT for batch in batches for report in batch.column("report").to_pylist())
    yield pa.RecordBatch.from_pydict({"summary": [merge(lines, SparkFiles.get(program))]})


def summary(reports: DataFrame, program: str) -> str:
    """The sum of all: of each partition, then by twos in a tree, since adding is associative."""
    parts = reports.select("report").mapInArrow(lambda batches: sums(batches, program), "summary string")
    return parts.rdd.map(lambda row: row.summary).treeReduce(lambda a, b: merge([a, b], SparkFiles.get(program)))


def certificates(reports: DataFrame) -> DataFrame:
    """The CA certificates of all captures, each once, as PEM."""
    members = from_json(col("report"), "certificates map<string, struct<ca: boolean, der: string>>")
    seen = reports.select(explode(members.certificates).alias("sha256", "it")).where("it.ca").select("it.der")
    body = regexp_replace(col("der"), "(.{1,64})", "$1\n")
    return seen.distinct().orderBy("der").select(
        concat(lit("-----BEGIN CERTIFICATE-----\n"), body, lit("-----END CERTIFICATE-----")).alias("pem"))


def captures(spark: SparkSession, where: str) -> list[str]:
    """Every file below a folder of any file system that Spark reads. Spark's own readers pass over files that are empty
    or whose names begin with a dot or an underscore; a recorder that wrote nothing must be a row, too."""
    folder = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(where)
    files = folder.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).listFiles(folder, True)
    found = []
    while files.hasNext():
        found.append(files.next().getPath().toString())
    return sorted(local_name(path) for path in found)


def local_name(path: str) -> str:
    """`file:/a` and `file:///a` are the file /a on every node."""
    return "/" + path.removeprefix("file:").lstrip("/") if path.startswith("file:") else path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Explains every capture of a folder or an object store, with Spark.",
                                     epilog="What follows -- is given to chaingap analyze: -- --roots root.pem")
    parser.add_argument("captures", help="folder, s3a://…, hdfs://…; with --list a text file with a path a line")
    parser.add_argument("out", help="folder for reports (Parquet) and summary")
    parser.add_argument("--list", action="store_true", help="CAPTURES is a list of paths")
    parser.add_argument("--chaingap", default="chaingap", help="the program, sent to every node (default: on PATH)")
    parser.add_argument("--ship", action="append", default=[], metavar="FILE",
                        help="send this file to every node; after -- it is named by its last part")
    parser.add_argument("--fetch", default="hadoop fs -get", metavar="COMMAND",
                        help="copies URI to FILE, its last two words, where a path is a URI (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=3600.0, metavar="S", help="seconds for one capture")
    parser.add_argument("--per-task", type=int, default=64, metavar="N", help="captures in one task (default: 64)")
    parser.add_argument("--force", action="store_true", help="overwrite OUT")
    own, rest = sys.argv[1:], []
    if "--" in own:
        own, rest = own[: own.index("--")], own[own.index("--") + 1 :]
    return argparse.Namespace(**vars(parser.parse_args(own)), options=rest)


def main() -> None:
    args = arguments()
    program = shutil.which(args.chaingap) or sys.exit(f"{args.chaingap}: there is no such program")
    spark = SparkSession.builder.appName("chaingap").getOrCreate()
    for file in [program, *args.ship]:
        spark.sparkContext.addFile(file)
    if args.list:
        paths = [local_name(row.value) for row in spark.read.text(args.captures).collect() if row.value]
    else:
        paths = captures(spark, args.captures)
    if not paths:
        sys.exit(f"{args.captures}: no captures")
    job = Job(Path(program).name, args.options, [Path(file).name for file in args.ship], shlex.split(args.fetch),
              args.timeout)
    # Many more tasks than processors, so that one with large captures does not hold up the end.
    tasks = max(spark.sparkContext.defaultParallelism, math.ceil(len(paths) / args.per_task))
    start = time.monotonic()
    mode, out = "overwrite" if args.force else "error", args.out.rstrip("/")
    listed = spark.createDataFrame([(path,) for path in paths], "path string").repartition(tasks)
    listed.mapInArrow(lambda batches: rows(batches, job), ROW).write.mode(mode).parquet(f"{out}/reports")
    # From what was written, so that no capture is analyzed twice.
    reports = spark.read.schema(ROW).parquet(f"{out}/reports")
    total = summary(reports, job.program)
    spark.createDataFrame([(total,)], "summary string").coalesce(1).write.mode(mode).text(f"{out}/summary")
    certificates(reports).coalesce(1).write.mode(mode).text(f"{out}/certificates")
    counts = {row.status: row["count"] for row in reports.groupBy("status").count().orderBy("status").collect()}
    print(merge([total], program, "text"))
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"{sum(counts.values())} rows in {out}: {told}; {time.monotonic() - start:.1f} s")
    spark.stop()


if __name__ == "__main__":
    main()
