"""Validates JSON and SARIF against their schemas. The argument is the folder with the outputs."""

import json
import sys
import tomllib
from collections import Counter
from pathlib import Path

import jsonschema

folder = Path(sys.argv[1])


def validator(path):
    schema = json.loads(Path(path).read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


ours = {f"chaingap.{path.stem.replace('-', '/')}": validator(path) for path in Path("schema").glob("*.json")}
sarif = next(folder.glob("package/lib/schemas/sarif-2.1.0*.json"), None)
sarif = validator(sarif) if sarif else None
documents = [
    (path.name, line)
    for path in sorted(folder.iterdir())
    if path.suffix in (".json", ".jsonl")
    for line in (path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()])
]
seen, wrong = Counter(), 0
for name, text in documents:
    document = json.loads(text)
    schema = document["schema"]
    seen[schema] += 1
    for error in ours[schema].iter_errors(document):
        print(f"{name}: {schema}: {error.json_path}: {error.message[:200]}")
        wrong += 1
for path in sorted(Path("captures").glob("*.expect.toml")):
    seen["chaingap.expect/1"] += 1
    for error in ours["chaingap.expect/1"].iter_errors(tomllib.loads(path.read_text())):
        print(f"{path.name}: {error.json_path}: {error.message[:200]}")
        wrong += 1
if sarif:
    for path in sorted(folder.glob("*.sarif")):
        seen["SARIF 2.1.0"] += 1
        for error in sarif.iter_errors(json.loads(path.read_text())):
            print(f"{path.name}: {error.json_path}: {error.message[:200]}")
            wrong += 1
missing = [name for name in ours if not seen[name]]
for name, count in sorted(seen.items()):
    print(f"{name}: {count} documents fit the schema")
if missing:
    print(f"no document of {', '.join(missing)}")
sys.exit(1 if wrong or missing else 0)
