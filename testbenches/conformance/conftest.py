"""Options of the conformance suite, and the summary at its end."""

import collections
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import pytest  # noqa: E402

from bench.endpoint import Model, Reference  # noqa: E402
from bench.scenario import Records  # noqa: E402

BUILD = os.path.join(HERE, "..", "..", "build", "bin")


def pytest_addoption(parser):
    parser.addoption("--live", action="store_true", help="run QEMU too; stale records fail")
    parser.addoption("--record", action="store_true", help="run QEMU and rewrite the records")
    parser.addoption("--bin", default=BUILD, help="folder of e1000-sim and e1000-registers")


class Session:
    """What all tests share."""

    def __init__(self, config):
        self.bin = os.path.abspath(config.getoption("--bin"))
        self.record = config.getoption("--record")
        self.live = config.getoption("--live") or self.record
        self.records = Records()
        self.touched = collections.defaultdict(set)  # by part: register offsets
        self.passed = {}  # scenario: differences that it met
        self.reference_name = Reference.version() if self.live else None
        self.reference = None

    def start_reference(self):
        if self.reference is None:
            if self.reference_name is None:
                pytest.exit(
                    "no reference QEMU: run testbenches/conformance/reference_qemu.sh install", 2
                )
            self.reference = Reference()
        return self.reference


@pytest.fixture(scope="session")
def session(request):
    state = Session(request.config)
    request.config.conformance = state
    yield state
    if state.reference is not None:
        state.reference.close()


@pytest.fixture
def model(session):
    endpoint = Model(os.path.join(session.bin, "e1000-sim"))
    yield endpoint
    endpoint.close()


def pytest_terminal_summary(terminalreporter, config):
    state = getattr(config, "conformance", None)
    if state is None or not state.passed:
        return
    compared = {which: met for which, met in state.passed.items() if which.compared}
    reasons = collections.Counter(d.subject for met in compared.values() for d in met)
    agreeing = sum(not met for met in compared.values())
    parts = collections.Counter(which.part.name for which in state.passed)
    write = terminalreporter.write_line
    write("")
    write(
        f"scenarios compared: {len(compared)} with "
        + (state.reference_name if state.live else "the records of QEMU")
    )
    write(f"  agreeing in everything: {agreeing}")
    write(f"  differing as the manual says: {len(compared) - agreeing}, by reason:")
    for subject, count in reasons.most_common():
        write(f"    {count:4} {subject}")
    write(
        f"scenarios without a reference, by the manual alone: {len(state.passed) - len(compared)}"
    )
    write("scenarios of each part: " + ", ".join(f"{p} {n}" for p, n in parts.items()))
