"""Compares e1000-sim with QEMU, scenario by scenario, and checks that the suite is complete."""

import os
import re
import subprocess

import pytest

import differences
from bench import parts
from bench import scenario as suite

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = suite.load()


@pytest.mark.parametrize("which", SCENARIOS, ids=lambda s: s.title)
def test_scenario(which, session, model):
    if session.live and which.compared:
        seen = suite.pairs(which.run(session.start_reference()).observations)
        if session.record:
            session.records.put(which, session.reference_name, seen)
        else:
            assert session.records.get(which) == seen, "the record is stale: use --record"
    bench = which.run(model)
    session.touched[which.part.name] |= bench.touched
    assert model.close() == 0, "e1000-sim did not end well"
    assert bench.observations, "a scenario must look at something"
    if not which.compared:
        problems = suite.against_the_manual(bench.observations)
        assert not problems, "\n".join(problems)
        session.passed[which] = set()
        return
    record = session.records.get(which)
    assert record is not None, "there is no record of this scenario: use --record"
    problems = suite.compare(bench.observations, record)
    assert not problems, "\n".join(problems)
    session.passed[which] = {o.difference for o in bench.observations} - {None}


def test_records_are_kept(session):
    if not session.record:
        pytest.skip("not recording")
    session.records.save(SCENARIOS)


@pytest.mark.parametrize("part", parts.PARTS)
def test_there_are_enough_scenarios(part):
    assert sum(which.part.name == part for which in SCENARIOS) >= 150


def register_map(program):
    """e1000-registers' two tables: of registers and of the 82542's offsets."""
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return text.split("## ")[:2]


def register_offsets(program, part):
    """Of all registers of a part: their names."""
    offsets = {}
    row = re.compile(
        r"\| ([0-9A-F]+)h(?: \+ (\d+)n, n < (\d+))? \| (\w+) \|.*\| ([^|]*) \| [^|]* \|$"
    )
    for line in register_map(program)[0].splitlines():
        match = row.match(line)
        if match and ("all" in match[5] or part in match[5]):
            for n in range(int(match[3] or 1)):
                offsets[int(match[1], 16) + n * int(match[2] or 0)] = match[4]
    assert len(offsets) > 500
    return offsets


def alias_offsets(program):
    """The 82542's offsets: where they lead."""
    offsets = {}
    for line in register_map(program)[1].splitlines():
        match = re.match(r"\| ([0-9A-F]+)h \| (\d+) \| ([0-9A-F]+)h \|$", line)
        if match:
            for n in range(int(match[2])):
                offsets[int(match[1], 16) + 4 * n] = f"82542's {match[3]}h + {n}"
    assert len(offsets) > 300
    return offsets


@pytest.mark.parametrize("part", parts.PARTS)
def test_every_register_is_touched(session, part):
    if set(session.passed) != set(SCENARIOS):
        pytest.skip("not all scenarios have passed")
    program = os.path.join(session.bin, "e1000-registers")
    known = register_offsets(program, part)
    if part == parts.USUAL.name:
        known.update(alias_offsets(program))
    else:  # what both have is tested there
        for offset in register_offsets(program, parts.USUAL.name):
            known.pop(offset, None)
    missing = [
        f"{name} {offset:#x}"
        for offset, name in known.items()
        if offset not in session.touched[part]
    ]
    assert not missing, f"{len(missing)} registers are touched by no scenario: {missing[:20]}"


def test_the_table_of_differences_is_current(session):
    if set(session.passed) != set(SCENARIOS):
        pytest.skip("not all scenarios have passed")
    met = differences.count(session.passed.values())
    unused = [d.subject for d in suite.Difference.all if d not in met]
    assert not unused, f"differences that no scenario shows: {unused}"
    text = differences.render(met)
    if session.record:
        differences.write(text)
    assert differences.read() == text, "doc/differences.md is not current: use --record"
