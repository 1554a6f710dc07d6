#!/usr/bin/env python3
"""Compares what the corpus's checker finds with the list of differences that are right.

usage: corpus.py CHECKER BINARY LIST

Fails if the report on a capture of the corpus differs from what Wireshark shows and the list does not explain it, if the
list explains a difference that no longer occurs, or if an analysis crashes, takes too long or too much memory, or gives
no answer. Prints what the checker counted.
"""
import collections, re, resource, subprocess, sys, tomllib

SECONDS = 10  # Per capture; the slowest takes a tenth of a second.
MEMORY = 256  # MiB per capture.
SHOWN = 6  # The checker prints at most this many differences per capture.

checker, binary, listed = sys.argv[1:]
with open(listed, 'rb') as file:
    right = {(d['capture'], d['stream'], d['differs']): d for d in tomllib.load(file)['difference']}
for difference in right.values():
    assert difference['reason'].strip() and difference['proof'].strip(), f'{difference}: wants a reason and a proof'

command = [sys.executable, checker, '--bin', binary, '--show', '100000', '--timeout', str(SECONDS)]
run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
counts, found, wrong, capture = [], collections.defaultdict(list), [], None
for line in run.stdout.splitlines():
    if line.startswith('  '):
        found[capture].append(line.strip())
    elif re.match(r'(\w+: \d+ of \d+ |extra certificates that |\d+ passed, \d+ failed$)', line):
        counts.append(line)
    else:
        capture = line

seen = set()
for capture, lines in found.items():
    for line in lines:
        difference = re.fullmatch(r'stream (\d+) \S+ > \S+: (.*)', line)
        key = difference and (capture, int(difference[1]), difference[2])
        seen.add(key)
        if key not in right:
            wrong.append(f'{capture}\n  {line}')
    if len(lines) >= SHOWN:
        wrong.append(f'{capture}\n  more differences than the checker tells')
wrong += [f'{key[0]}\n  listed, and no more: stream {key[1]}: {key[2]}' for key in right if key not in seen]
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
if peak > MEMORY:
    wrong.append(f'the hungriest analysis took more than {MEMORY} MiB')
if not re.match('[1-9]', counts[-1] if counts else ''):
    wrong.append(f'the checker came to no end (exit status {run.returncode})')

print(*counts, f'peak memory: {peak} MiB', f'{len(seen & right.keys())} differences that are right, {len(wrong)} not', sep='\n')
if wrong:
    sys.exit('\n'.join(wrong))
