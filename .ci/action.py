"""Runs a composite action of GitHub here: action.py ACTION.yml NAME=VALUE…

The steps run one after the other in bash, as the runner starts it, with the inputs in place of their expressions. The
last step ends with the status of the analysis, which must be 1: the capture given shows a failure. Every output must be a
file.
"""

import os
import re
import subprocess
import sys
import tempfile

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    action = yaml.safe_load(file)
inputs = {name: entry["default"] for name, entry in action["inputs"].items()}
given = dict(argument.split("=", 1) for argument in sys.argv[2:])
assert given.keys() <= inputs.keys(), f"no such input: {given.keys() - inputs.keys()}"
inputs.update(given)

folder = tempfile.mkdtemp()
files = {name: os.path.join(folder, name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
for step in action["runs"]["steps"]:
    assert step["shell"] == "bash", step
    values = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in step["env"].items()
    }
    assert "${{" not in step["run"] + "".join(values.values()), "an expression that is not replaced"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    status = subprocess.run(command, env={**os.environ, **files, **values}, stdout=subprocess.DEVNULL).returncode
    print(f"{step['name']}: status {status}")
    assert status == (1 if step.get("id") == "analyze" else 0)

with open(files["GITHUB_OUTPUT"], encoding="utf-8") as file:
    outputs = dict(line.rstrip("\n").split("=", 1) for line in file)
assert set(outputs) == set(action["outputs"]), outputs
for name, path in [*outputs.items(), ("summary", files["GITHUB_STEP_SUMMARY"])]:
    print(f"{name}: {os.path.getsize(path)} bytes")
