"""Two cards that reach each other: two adapters of one e1000-sim on a switch, or two of QEMU's on one cable."""

import contextlib

from machine import SLOTS, ModelCard, inside, nic_words, qemu_device


class PairSimulator(ModelCard):
    """One simulator, two adapters, two sockets."""

    def __init__(self, card, parts, addresses):
        super().__init__(card.part, card.options)
        self.parts, self.addresses = parts, addresses

    def words(self):
        words = [*SLOTS.get(self.part, ("", []))[1], "--control", "unix:control.sock"]
        for number, address in enumerate(self.addresses):
            part = SLOTS.get(self.parts[number], (self.parts[number],))[0]
            words += ["--nic", ",".join([*nic_words(part), f"mac={address}"]), "--link", "switch:lan",
                      "--vfio-user", f"unix:nic{number}.sock,nic={number}"]
        return words

    def device(self, number):
        return self.arguments_of(self.folder / f"nic{number}.sock")


class ModelEnd:
    name = "model"

    def __init__(self, simulator, number):
        self.simulator, self.number, self.part = simulator, number, simulator.parts[number]

    @property
    def pid(self):
        return self.simulator.pid

    def arguments(self, files):
        return self.simulator.device(self.number)

    def alive(self):
        return self.simulator.alive()


class QemuEnd:
    name, pid = "qemu", None

    def __init__(self, part, folder, number, address):
        self.part, self.number, self.address = part, number, address
        self.paths = [inside(folder / f"cable{n}") for n in (number, 1 - number)]

    def arguments(self, files):
        local, remote = self.paths
        return ["-netdev", f"dgram,id=n,local.type=unix,local.path={local},remote.type=unix,remote.path={remote}",
                "-device", f"{qemu_device(self.part)},netdev=n,mac={self.address}"]

    def alive(self):
        return True


@contextlib.contextmanager
def model_pair(card, parts, folder, addresses):
    folder = folder / "pair"
    folder.mkdir(exist_ok=True)
    simulator = PairSimulator(card, parts, addresses)
    simulator.start(folder, ("nic0.sock", "nic1.sock"))
    try:
        yield [ModelEnd(simulator, number) for number in (0, 1)]
    finally:
        simulator.stop()


@contextlib.contextmanager
def qemu_pair(card, parts, folder, addresses):
    yield [QemuEnd(parts[number], folder, number, address) for number, address in enumerate(addresses)]


PAIRS = {"model": model_pair, "qemu": qemu_pair}
