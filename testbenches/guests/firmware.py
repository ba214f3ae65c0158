"""Boot programs with drivers of their own: iPXE (also as the card's expansion ROM), U-Boot, UEFI."""

import contextlib
import functools
import http.server
import os
import random
import re
import shutil
import threading
import zlib

import checks
from machine import MAC, TRANSITIONAL, VIRTIO, Trouble, inside, root_path
from programs import program
from terminal import Terminal

KERNEL = "6.12"
STORE = f"var/lib/e1000-tlm/{KERNEL}"
GATEWAY, ADDRESS = "10.0.2.2", "10.0.2.15"  # of the network in user space
HTTP_PORT = 8000
# Debian's ipxe-qemu: iPXE for BIOS and for UEFI in one image of 256 KiB; the second is for 1AF4:1041.
ROM, VIRTIO_ROM = "usr/share/qemu/efi-e1000.rom", "usr/share/qemu/efi-virtio.rom"
FAILURE = r"No more network devices|could not boot|Permission denied|Connection timed out|No bootable device"
BANNER = r"iPXE .*-- Open Source Network Boot Firmware"
NO_UEFI_BOOT = r"PXE-E\d+[^\n]*|failed to load|Start PXE over IPv6|UEFI Interactive Shell"
OF_SOFTWARE = ("2a", "28")  # how iPXE's ENOBUFS and ENETUNREACH begin: its queues were full, the card not yet open
SCRIPT = f"""#!ipxe
dhcp net0
echo card ${{net0/chip}} mac ${{net0/mac}} ip ${{net0/ip}} ends
kernel tftp://{GATEWAY}/vmlinuz initrd=initrd console=ttyS0 panic=-1 net.ifnames=0 guest.agent booted.by=ipxe
initrd http://{GATEWAY}:{HTTP_PORT}/initrd
echo both loaded
ifstat net0
echo all counted
boot
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving_http(folder):
    """The folder by HTTP on the host's own address, which the guest reaches as the gateway's."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", HTTP_PORT), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def boot_folder(stage):
    """What TFTP and HTTP serve: a kernel, its initrd and the script that loads them."""
    folder = stage.folder / "tftp"
    folder.mkdir()
    for name in ("vmlinuz", "initrd"):
        os.link(root_path() / STORE / name, folder / name)
    (folder / "boot.ipxe").write_text(SCRIPT)
    return folder


def through_ipxe(stage, g):
    """From iPXE's banner to a Linux that it has loaded through the card."""
    with stage.step("iPXE starts"):
        g.expect(BANNER, reject=FAILURE)
    with stage.step("DHCP") as detail:
        address = g.expect(r"^net0: ([\d.]+)/", reject=FAILURE)[1]
        checks.expect(address == ADDRESS, f"the address is {address}, not {ADDRESS}")
        detail.append(address)
    ipxe_runs(stage, g)
    linux_runs(stage, g)


def ipxe_runs(stage, g):
    """iPXE takes the script, and loads what it says."""
    with stage.step("script by TFTP") as detail:
        found = g.expect(r"^card (\S*) mac (\S*) ip (\S*) ends", reject=FAILURE)
        checks.expect(found[2] == MAC, f"the MAC address is {found[2]}, not {MAC}")
        detail.append(f"iPXE calls the card {found[1]}")
    with stage.step("kernel and initrd") as detail:
        g.expect(r"^both loaded", reject=FAILURE)
        counts = g.expect(r"\[Link:up, TX:(\d+) TXE:(\d+) RX:(\d+) RXE:(\d+)\](.*?)all counted")
        unexpected = [code for code in re.findall(r"E: \d+ x .*?ipxe.org/([0-9a-f]{8})", counts[5])
                      if not code.startswith(OF_SOFTWARE)]
        checks.expect(not unexpected, f"iPXE counts errors: {' '.join(counts[0].split())}")
        detail.append(f"iPXE sent {counts[1]} frames and dropped {counts[2]} itself, received {counts[3]} and dropped "
                      f"{counts[4]}")


def linux_runs(stage, g):
    with stage.step("Linux runs") as detail:
        g.wait_ready(600)
        words = g.run("cat /proc/cmdline")
        checks.expect("booted.by=ipxe" in words, f"not our command line: {words}")
        g.run(f"ip link set eth0 up && ip address replace {ADDRESS}/24 dev eth0")
        g.wait_link()
        g.run(f"ping -c 3 -i 0.2 -W 5 {GATEWAY}")
        bad = [line for line in g.run("dmesg").splitlines() if checks.BAD_LOG.search(line)]
        checks.expect(not bad, " | ".join(bad[:4]))
        detail.append(g.run("uname -r"))


@program("ipxe", parts=("82540em", "virtio-net"))  # the ROMs' devices, and QEMU does not change those of a romfile
def ipxe(stage):
    """iPXE in the virtual machine loads Linux through the card (DHCP, TFTP, HTTP)."""
    folder = boot_folder(stage)
    stage.user_card(folder, "boot.ipxe", rom=f"/{VIRTIO_ROM if stage.part in VIRTIO else ROM}")
    with serving_http(folder):
        g = stage.start(Terminal(stage.card, stage.folder, ("-boot", "n"), stage.options.accel))
        g.start()
        through_ipxe(stage, g)


@program("ipxe-rom", parts=("82545em",), more=("82544gc", "82545gm"))
def ipxe_rom(stage):
    """iPXE out of the card's own flash, started by the BIOS; twice, with a reboot."""
    folder = boot_folder(stage)
    flash = shutil.copy(root_path() / ROM, stage.folder / "flash")
    stage.user_card(folder, "boot.ipxe", flash=flash)
    with serving_http(folder):
        g = stage.start(Terminal(stage.card, stage.folder, ("-boot", "n"), stage.options.accel))
        g.start()
        through_ipxe(stage, g)
        g.send("reboot -f")
        with stage.step("reboot"):
            g.expect(BANNER, reject=FAILURE)
            g.expect(r"^both loaded", reject=FAILURE)
            g.wait_ready(600)


@program("uboot", parts=("82540em", "virtio-net"), more=("82544gc", "82545em", "82545gm", TRANSITIONAL))
def uboot(stage):
    """U-Boot finds the card, and uses it for DHCP, ping and TFTP."""
    folder = stage.folder / "tftp"
    folder.mkdir()
    data = random.Random(1).randbytes(3_000_001)
    (folder / "data").write_bytes(data)
    stage.user_card(folder, rom="")
    rom = ("-bios", "/usr/lib/u-boot/qemu-x86_64/u-boot.rom")
    g = stage.start(Terminal(stage.card, stage.folder, rom, stage.options.accel))
    g.start()
    prompt = r"^=> "
    with stage.step("U-Boot finds the card") as detail:
        found = g.expect(r"^Net: .*?(eth0: [^\n]+|No ethernet found\.?)\n")[1]
        g.expect("Hit any key")
        g.terminal.type(" ")
        g.expect(prompt)
        if stage.part in VIRTIO:  # U-Boot looks for these only when it is told to
            g.terminal.type("virtio scan; net list\r")
            found = g.expect(r"^(eth0 : [^\n]+|No [^\n]+)\n")[1]
            g.expect(prompt)
        checks.expect(("virtio-net" if stage.part in VIRTIO else "e1000") in found, found)
        detail.append(found)

    def do(command, answer, reject="ERROR|failed|Retry count exceeded|not alive|TIMEOUT"):
        g.terminal.type(command + "\r")
        found = g.expect(answer, reject=reject)
        g.expect(prompt)
        return found

    with stage.step("MAC address"):
        address = do("printenv ethaddr", r"ethaddr=(\S+)\n|not defined")[1]
        checks.expect(address == MAC, f"U-Boot's is {address}, not {MAC}")
    with stage.step("DHCP") as detail:
        do("setenv autoload no; dhcp", rf"DHCP client bound to address {ADDRESS}")
        detail.append(ADDRESS)
    with stage.step("ping"):
        do(f"setenv serverip {GATEWAY}; ping {GATEWAY}", rf"host {GATEWAY} is alive")
    with stage.step("TFTP") as detail:
        size = do("tftpboot 1000000 data", r"Bytes transferred = (\d+) ")[1]
        checks.expect(int(size) == len(data), f"{size} bytes came, not {len(data)}")
        crc = do(f"crc32 1000000 {len(data):x}", r"==> ([0-9a-f]{8})")[1]
        checks.expect(int(crc, 16) == zlib.crc32(data), f"the CRC of what came is {crc}, not {zlib.crc32(data):08x}")
        detail.append(f"{size} bytes, CRC {crc}")


@program("ovmf", parts=("82545em", "virtio-net"), more=("82540em", "82544gc", "82545gm", TRANSITIONAL),
         needs=("ipxe",))
def ovmf(stage):
    """UEFI loads a program, and this Linux, through the card: by iPXE's driver from the card's expansion ROM, or, if it
    is a virtio network device, by UEFI's own."""
    folder = boot_folder(stage)
    os.link(root_path() / "var/lib/e1000-tlm/ipxe.efi", folder / "ipxe.efi")
    (folder / "boot.ipxe").rename(folder / "autoexec.ipxe")  # what that program looks for
    if stage.part in VIRTIO:
        stage.user_card(folder, "ipxe.efi", rom="")
    elif stage.part == "82540em":  # has no flash
        stage.user_card(folder, "ipxe.efi", rom=f"/{ROM}")
    else:
        stage.user_card(folder, "ipxe.efi", flash=shutil.copy(root_path() / ROM, stage.folder / "flash"))
    shutil.copy(root_path() / "usr/share/OVMF/OVMF_VARS_4M.fd", stage.folder / "variables")
    firmware = ("-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
                "-drive", f"if=pflash,format=raw,file={inside(stage.folder / 'variables')}", "-boot", "n")
    with serving_http(folder):
        g = stage.start(Terminal(stage.card, stage.folder, firmware, stage.options.accel))
        g.start()
        with stage.step("UEFI has the card"):
            g.expect("Start PXE over IPv4", reject=NO_UEFI_BOOT)
        with stage.step("DHCP") as detail:
            address = g.expect(r"Station IP address is ([\d.]+)\n", reject=NO_UEFI_BOOT)[1]
            checks.expect(address == ADDRESS, f"the address is {address}, not {ADDRESS}")
            detail.append(address)
        with stage.step("program by TFTP") as detail:
            size = g.expect(r"NBP filesize is (\d+) Bytes", reject=NO_UEFI_BOOT)[1]
            g.expect("NBP file downloaded successfully", reject=NO_UEFI_BOOT)
            checks.expect(int(size) == (folder / "ipxe.efi").stat().st_size, f"{size} bytes came")
            detail.append(f"{size} bytes")
        ipxe_runs(stage, g)
        linux_runs(stage, g)
