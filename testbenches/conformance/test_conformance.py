"""Compares e1000-sim with QEMU, scenario by scenario, and checks that the suite is complete."""

import os
import re
import subprocess

import pytest

import differences
from bench import scenario as suite

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = suite.load()


@pytest.mark.parametrize("which", SCENARIOS, ids=lambda s: f"{s.group}: {s.name}")
def test_scenario(which, session, model):
    if session.live:
        seen = suite.pairs(which.run(session.start_reference()).observations)
        if session.record:
            session.records.put(which, session.reference_name, seen)
        else:
            assert session.records.get(which) == seen, "the record is stale: use --record"
    bench = which.run(model)
    session.touched |= bench.touched
    assert model.close() == 0, "e1000-sim did not end well"
    record = session.records.get(which)
    assert record is not None, "there is no record of this scenario: use --record"
    assert bench.observations, "a scenario must look at something"
    problems = suite.compare(bench.observations, record)
    assert not problems, "\n".join(problems)
    session.compared[which] = {o.difference for o in bench.observations} - {None}


def test_records_are_kept(session):
    if not session.record:
        pytest.skip("not recording")
    session.records.save(SCENARIOS)


def test_there_are_enough_scenarios():
    assert len(SCENARIOS) >= 150


def register_offsets(program):
    """Of all registers of the 82540EM, from the register map."""
    offsets = {}
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    row = re.compile(
        r"\| ([0-9A-F]+)h(?: \+ (\d+)n, n < (\d+))? \| (\w+) \|.*\| ([^|]*) \| [^|]* \|$"
    )
    for line in text.split("## 82542")[0].splitlines():
        match = row.match(line)
        if match and ("all" in match[5] or "82540em" in match[5]):
            for n in range(int(match[3] or 1)):
                offsets[int(match[1], 16) + n * int(match[2] or 0)] = match[4]
    assert len(offsets) > 500
    return offsets


def test_every_register_is_touched(session):
    if set(session.compared) != set(SCENARIOS):
        pytest.skip("not all scenarios have passed")
    known = register_offsets(os.path.join(session.bin, "e1000-registers"))
    missing = [
        f"{name} {offset:#x}" for offset, name in known.items() if offset not in session.touched
    ]
    assert not missing, f"{len(missing)} registers are touched by no scenario: {missing[:20]}"


def test_the_table_of_differences_is_current(session):
    if set(session.compared) != set(SCENARIOS):
        pytest.skip("not all scenarios have passed")
    met = differences.count(session.compared.values())
    unused = [d.subject for d in suite.Difference.all if d not in met]
    assert not unused, f"differences that no scenario shows: {unused}"
    text = differences.render(met)
    if session.record:
        differences.write(text)
    assert differences.read() == text, "doc/differences.md is not current: use --record"
