#!/usr/bin/env python3
"""Sums up fuzz/runs.csv for docs/reliability.md: processor time, executions and the furthest coverage of each target."""
import csv, pathlib

runs = list(csv.DictReader(open(pathlib.Path(__file__).parent / 'runs.csv')))
print('| target | runs | processor time, min | executions | edges | features |')
print('|---|--:|--:|--:|--:|--:|')
total = [0, 0.0, 0]
for target in dict.fromkeys(sorted(run['target'] for run in runs)):
    mine = [run for run in runs if run['target'] == target]
    seconds, executions = sum(float(run['cpu seconds']) for run in mine), sum(int(run['executions']) for run in mine)
    edges, features = (max(int(run[column]) for run in mine) for column in ('edges', 'features'))
    total = [total[0] + len(mine), total[1] + seconds, total[2] + executions]
    print(f'| {target} | {len(mine)} | {seconds / 60:.0f} | {executions:,} | {edges:,} | {features:,} |')
print(f'| all | {total[0]} | {total[1] / 60:.0f} | {total[2]:,} | | |')
