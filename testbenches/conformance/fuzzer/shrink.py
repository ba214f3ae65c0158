"""Makes a failing program small."""


def shrink(program, fails):
    """The smallest program found for which `fails(program)` is still true. The first step stays."""
    shorter = True
    while shorter:
        shorter = False
        for candidate in candidates(program):
            if fails(candidate):
                program, shorter = candidate, True
                break
    return program


def candidates(program):
    """Programs a little smaller: fewer steps, then fewer items within one."""
    for size in (8, 4, 2, 1):
        for start in range(len(program) - size, 0, -1):
            yield program[:start] + program[start + size :]
    for index, (name, *arguments) in enumerate(program):
        if name in ("transmit", "receive") and len(arguments[0]) > 1:
            for item in range(len(arguments[0])):
                yield (
                    program[:index]
                    + [(name, arguments[0][:item] + arguments[0][item + 1 :])]
                    + program[index + 1 :]
                )
        if name in ("transmit", "segments"):
            packets = arguments[0] if name == "transmit" else [arguments[0]]
            for item, packet in enumerate(packets):
                for key, simple in (("cuts", []), ("vlan", None), ("size", 60)):
                    if packet.get(key) != simple and not (name == "segments" and key == "size"):
                        changed = [dict(p) for p in packets]
                        changed[item][key] = simple
                        step = (name, changed) if name == "transmit" else (name, changed[0])
                        yield program[:index] + [step] + program[index + 1 :]
