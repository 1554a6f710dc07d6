#!/usr/bin/env python3
"""Measures captures of very many devices, and prints Markdown tables (docs/performance.md, "Many devices").

usage: benches/devices.py [FOLDER]     (default: a temporary folder; needs 9 GiB, /usr/bin/time and ndpiReader)

Makes captures with benches/bin/bench_captures.rs and reads each with target/release/chaingap, bound to one processor,
and, up to 512 MiB, with ndpiReader, in turn. Times are medians of three runs (of one beyond 512 MiB); memory is the
greatest peak.
"""
import json, os, pathlib, shutil, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM, MAKER = ROOT / 'target/release/chaingap', ROOT / 'target/release/bench_captures'
# Name, kind, MiB, addresses (`None`: each device has its own), options.
CAPTURES = [
    ('256 MiB', 'phones', 256, None, []),
    ('256 MiB, server certificate expired', 'phones-expired', 256, None, []),
    ('256 MiB from 128 devices', 'phones', 256, 128, []),
    ('512 MiB', 'phones', 512, None, []),
    ('1 GiB', 'phones', 1024, None, []),
    ('1,292 MiB', 'phones', 1292, None, []),
    ('5 GiB, `--max-memory 64M`', 'phones', 5170, None, ['--max-memory', '64M']),
]


def run(command, out=None):
    """Wall time in seconds, and the peak in MiB of the program alone."""
    with tempfile.TemporaryFile() as said:
        whole = ['/usr/bin/time', '-f', '%e %M', 'taskset', '-c', '0', *map(str, command)]
        subprocess.run(whole, stdout=out or subprocess.DEVNULL, stderr=said, cwd=ROOT, check=False)
        said.seek(0)
        seconds, peak = said.read().decode().split()[-2:]
    return float(seconds), int(peak) / 1024


def output(capture, options, form):
    """The bytes of a report in one format."""
    with tempfile.TemporaryFile() as out:
        run([PROGRAM, '-q', 'analyze', '--fail-on', 'never', '--format', form, *options, capture], out)
        out.seek(0)
        return out.read()


def main():
    peer = shutil.which('ndpiReader')
    print('| capture | devices judged | not kept | handshakes | seconds | MiB | ndpiReader | text lines | JSON KB | HTML KB |')
    print('|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|')
    peaks = {}
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = pathlib.Path(folder) / 'capture.pcap'
        for name, kind, size, addresses, options in CAPTURES:
            subprocess.run([MAKER, kind, str(size), path, *([str(addresses)] if addresses else [])], check=True, cwd=ROOT)
            own, other, peak = [], [], 0
            for _ in range(3 if size <= 512 else 1):
                seconds, memory = run([PROGRAM, '-q', 'analyze', '--fail-on', 'never', *options, path])
                own.append(seconds)
                peak = max(peak, memory)
                if peer and size <= 512:
                    other.append(run([peer, '-q', '-i', path])[0])
            text, page = output(path, options, 'text'), output(path, options, 'html')
            document = output(path, options, 'json')
            report = json.loads(document)
            own = statistics.median(own)
            ratio = f'{statistics.median(other):.2f} ({own / statistics.median(other):.2f})' if other else '–'
            judged = report['totals']['devices']
            peaks[judged] = peak
            print(f"| {name} | {judged:,} | {report['dropped']['devices']:,} | {report['statistics']['handshakes']:,} "
                  f'| {own:.2f} | {peak:.0f} | {ratio} | {len(text.splitlines())} | {len(document) / 1e3:.0f} '
                  f'| {len(page) / 1e3:.0f} |', flush=True)
            path.unlink()
    counts = [count for count in peaks if count > 90_000][:2]
    if len(counts) == 2:
        fewer, more = counts
        print(f'\nEach further device: {(peaks[more] - peaks[fewer]) * 1048576 / (more - fewer):.0f} bytes.')
    print(f'Load: {os.getloadavg()[0]:.1f}.')


if __name__ == '__main__':
    main()
