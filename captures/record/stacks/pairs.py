"""Chooses pairs of defects for a stack: one that it refuses, and one that it accepts and that is as visible."""
import tomllib

from defects import DEFECTS, Plan

# Defects that can stand beside others.
BESIDE = ["root-sent", "order-reversed", "no-renegotiation-info", "unrelated-last", "serial-negative", "unrecognized-name-warning",
          "intermediate-twice", "aki-matches-none", "scheme-sha1", "leaf-twice", "sha1-in-chain", "rsa1024-in-chain"]
COUNT = 12


def state(*identifiers):
    """What a plan says; a certificate is one thing, for what is changed in one can contradict another change of it."""
    plan = Plan("x", "10.20.31.1")
    for each in identifiers:
        DEFECTS[each][2](plan)
    fields = {name: item for name, item in vars(plan).items() if name not in ("certificates", "issuers")}
    fields |= {("issuer", role): item for role, item in plan.issuers.items()}
    return fields | {("certificate", role): certificate for role, certificate in plan.certificates.items()}


def changes(identifier):
    sound, changed = state(), state(identifier)
    return {name for name in sound | changed if sound.get(name) != changed.get(name)}


def chosen(path):
    answers = {each["defects"][0]: each["answer"] for each in tomllib.loads(path.read_text())["connection"]}
    refused = [each for each in answers if answers[each] != "accepts" and each != "unrecognized-name-fatal"]
    beside = [each for each in BESIDE if answers.get(each) == "accepts"]
    touched = {each: changes(each) for each in [*refused, *beside]}
    # From all over the list, each beside another.
    step = max(1, len(refused) // COUNT)
    order = [each for start in range(step) for each in refused[start::step]]
    # The first server is sound.
    pairs, turn = ["nothing"], 0
    for first in order:
        for offset in range(len(beside)):
            second = beside[(turn + offset) % len(beside)]
            if not touched[first] & touched[second]:
                pairs.append(f"{first}+{second}")
                turn += offset + 1
                break
        if len(pairs) > COUNT:
            break
    return pairs
