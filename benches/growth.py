#!/usr/bin/env python3
"""Measures how time and memory grow, and writes docs/growth.csv and docs/growth.svg.

usage: benches/growth.py [FOLDER]     (default: a temporary folder; needs some GiB, and /usr/bin/time)

Makes captures with benches/bin/bench_captures.rs, reads each with target/release/chaingap three times, and keeps the
median of user and system time, and the greatest peak of memory. Four axes: bytes of a file, devices, distinct
chains, open connections.
"""
import csv, os, pathlib, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM, MAKER = ROOT / 'target/release/chaingap', ROOT / 'target/release/bench_captures'
# Axis, kind, size in MiB, value on the axis; `None` stands for a count of the report.
POINTS = [('MiB', kind, size, size) for kind in ('voice', 'bulk', 'handshakes') for size in (16, 64, 256, 1024)]
POINTS += [('devices', 'devices', size, None) for size in (2, 8, 32, 128)]
POINTS += [('chains', 'chains', size, None) for size in (2, 8, 32, 128)]
POINTS += [('open connections', kind, size, None) for kind in ('syns', 'hellos') for size in (4, 16, 64, 256)]


def measure(path):
    command = [PROGRAM, '-q', 'analyze', '--profile', 'none', '--fail-on', 'never', '--format', 'jsonl', path]
    times, peaks, out = [], [], b''
    for _ in range(3):
        with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as said:
            # /usr/bin/time gives the peak memory of the program alone; the kernel gives times to the microsecond, for
            # both together.
            run = subprocess.Popen(['/usr/bin/time', '-f', '%M', *command], stdout=file, stderr=said, cwd=ROOT)
            usage = os.wait4(run.pid, 0)[2]
            file.seek(0), said.seek(0)
            out, peak = file.read(), said.read().decode().split()[-1]
        times.append(usage.ru_utime + usage.ru_stime)
        peaks.append(int(peak) / 1024)
    return statistics.median(times), max(peaks), out


def main():
    import json
    rows = []
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = pathlib.Path(folder) / 'capture.pcap'
        for axis, kind, size, number in POINTS:
            subprocess.run([MAKER, kind, str(size), path], check=True, cwd=ROOT)
            seconds, peak, out = measure(path)
            report = json.loads(out)
            if axis == 'devices':
                number = len(report['devices'])
            if axis == 'chains':
                number = report['statistics']['handshakes']
            if axis == 'open connections':
                number = report['statistics']['flows']
            rows.append((axis, kind, number, size, round(seconds, 4), round(seconds / size * 1024, 2), round(peak, 1)))
            print(*rows[-1], sep='\t', flush=True)
            path.unlink()
    with open(ROOT / 'docs/growth.csv', 'w', newline='') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(('axis', 'kind', 'number', 'MiB', 'seconds', 'seconds per GiB', 'peak MiB'))
        table.writerows(rows)
    (ROOT / 'docs/growth.svg').write_text(plot(rows))


def plot(rows):
    """Peak memory and seconds a GiB over each axis, both axes logarithmic."""
    import math
    panels, parts = [], []
    for axis in dict.fromkeys(row[0] for row in rows):
        panels += [(axis, 5, 'seconds per GiB'), (axis, 6, 'peak MiB')]
    width, height, colours = 320, 230, ['#1b5e9b', '#b4431c', '#3b7d3a']
    for index, (axis, column, title) in enumerate(panels):
        left, top = 55 + width * (index // 2), 30 + height * (index % 2)
        mine = [row for row in rows if row[0] == axis]
        span = lambda values: (math.floor(math.log10(max(min(values), 0.01))), math.ceil(math.log10(max(values))))
        (x0, x1), (y0, y1) = span([row[2] for row in mine]), span([row[column] for row in mine])
        y1 = max(y1, y0 + 1)
        x = lambda value: left + (math.log10(value) - x0) / (x1 - x0) * (width - 80)
        y = lambda value: top + (height - 70) * (1 - (math.log10(max(value, 0.01)) - y0) / (y1 - y0))
        parts.append(f'<text x="{left}" y="{top - 10}" font-weight="bold">{title} over {axis}</text>')
        parts.append(f'<path d="M{left} {top}V{top + height - 70}H{left + width - 80}" fill="none" stroke="#444"/>')
        for power in range(x0, x1 + 1):
            parts.append(f'<text x="{x(10 ** power):.0f}" y="{top + height - 54}" text-anchor="middle">{10 ** power:,}</text>')
        for power in range(y0, y1 + 1):
            parts.append(f'<text x="{left - 6}" y="{y(10 ** power) + 4:.0f}" text-anchor="end">{10 ** power:g}</text>')
        for number, kind in enumerate(dict.fromkeys(row[1] for row in mine)):
            points = [(x(row[2]), y(row[column])) for row in mine if row[1] == kind]
            line, colour = ' '.join(f'{a:.1f},{b:.1f}' for a, b in points), colours[number]
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
            parts.append(f'<text x="{left + 8}" y="{top + 14 + 14 * number}" fill="{colour}">{kind}</text>')
    size = f'{55 + width * (len(panels) // 2)} {30 + height * 2}'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="11">\n'
            '<rect width="100%" height="100%" fill="#fff"/>\n' + '\n'.join(parts) + '\n</svg>\n')


if __name__ == '__main__':
    main()
