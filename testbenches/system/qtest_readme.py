"""README's lines for driving the simulator over qtest, as they are pasted: the simulator's command
line and the Python program."""

import os
import re
import subprocess
import sys
import time

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
FRAME = "frame: " + "ff" * 6 + "525400123456" + "88b5" + "2a" * 46
PRINTED = FRAME + "  descriptor done: 0x0000000000000001\n"


def blocks():
    """The section's first sh block and its python block."""
    with open(README) as readme:
        section = readme.read().split("\n## Drive it from a script\n")[1].split("\n## ")[0]
    return tuple(re.search(rf"^```{language}\n(.*?)^```$", section, re.M | re.S).group(1)
                 for language in ("sh", "python"))


def paste(scenario, sim, *python):
    """Does what README says in a folder where ./run is the simulator. Returns what the Python program
    printed. python: options of the interpreter that reads the lines."""
    command, program = blocks()
    folder = scenario.directory
    os.symlink(sim, os.path.join(folder, "run"))
    os.mkdir(os.path.join(folder, "build"))
    server = subprocess.Popen(["bash", "-c", "exec " + command], cwd=folder,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    scenario.addCleanup(server.stderr.close)
    scenario.addCleanup(server.wait)
    scenario.addCleanup(server.kill)
    door = os.path.join(folder, re.search(r"--qtest unix:(\S+)", command).group(1))
    deadline = time.monotonic() + 20
    while not os.path.exists(door):
        scenario.assertIsNone(server.poll(), "the simulator has ended")
        scenario.assertLess(time.monotonic(), deadline, "no socket")
        time.sleep(0.01)
    client = subprocess.run([sys.executable, *python, "-"], input=program, cwd=folder,
                            capture_output=True, text=True, timeout=30)
    scenario.assertEqual(client.returncode, 0, client.stderr)
    scenario.assertNotIn("Error", client.stderr)
    scenario.assertIsNone(server.poll(), "the simulator goes on")
    return client.stdout
