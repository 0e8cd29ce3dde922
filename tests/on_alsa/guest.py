"""Run the tests on ALSA in a virtual machine, for machines whose own kernel has no sequencer: containers, most servers.

    apt install qemu-system-x86 busybox-static && uv run python -m tests.on_alsa.guest

It boots Debian's kernel with this machine's own files, which it cannot change (9p, read-only), loads the sequencer and
virtual MIDI devices, and runs `pytest tests/on_alsa` there: in software, unless `--accelerator kvm` says otherwise.
Where there is no kernel package to download, name a folder that holds one, unpacked: `--linux DIR`.
"""

import argparse
import compileall
import gzip
import lzma
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
META_PACKAGE = "linux-image-amd64"
MODULES = (
    "virtio_pci",
    "9pnet_virtio",
    "9p",
    "snd-seq",
    "snd-seq-dummy",
    "snd-seq-midi",
    "snd-virmidi",
)
EXIT_CODE = re.compile(rb"^exit code of the tests: (\d+)", re.MULTILINE)
INIT = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
exec </dev/console >/dev/console 2>&1
mount -t proc none /proc
for module in /modules/*; do insmod "$module" || echo "cannot load $module"; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=1048576 host /root || echo "no files of the host"
mount -t proc none /root/proc
mount -t sysfs none /root/sys
mount -t devtmpfs none /root/dev
mkdir -p /root/dev/shm
mount -t tmpfs none /root/dev/shm
for folder in /tmp /run {homes}; do mount -t tmpfs none /root$folder; done
ifconfig lo 127.0.0.1 up
chroot /root /bin/sh -c {script}
echo "exit code of the tests: $?"
poweroff -f
"""


def main() -> int:
    """Boot, run the tests, and return their exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linux", type=Path, help="an unpacked kernel package (with boot and lib/modules)")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds until it is given up")
    parser.add_argument("--accelerator", default="tcg", help="QEMU's: tcg (in software), or kvm")
    parser.add_argument("pytest", nargs="*", help="what pytest gets besides the folder")
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        parser.error("this is written for x86-64")
    for package in ("improviser", "tests"):  # else it is compiled there again and again, since nothing can be kept
        compileall.compile_dir(CHECKOUT / package, quiet=2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        linux = options.linux or unpack_kernel(folder)
        (kernel,) = linux.glob("boot/vmlinuz-*")
        initial = folder / "initial.gz"
        initial.write_bytes(gzip.compress(archive(linux, options.pytest), 1))
        said = boot(kernel, initial, options.timeout, options.accelerator)
    code = EXIT_CODE.search(said)
    if code is None:
        print("the machine ended before the tests did")  # noqa: T201
        return 1
    return int(code[1])


def unpack_kernel(folder: Path) -> Path:
    """Download the distribution's kernel and unpack it; nothing is installed."""
    listing = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True, check=True).stdout
    package = re.findall(r"Depends: (linux-image-\S+)", listing)[0]
    subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
    (file,) = folder.glob("linux-image-*.deb")
    subprocess.run(["dpkg-deb", "-x", str(file), str(folder / "linux")], check=True)
    return folder / "linux"


def archive(linux: Path, arguments: list[str]) -> bytes:
    """Return what the machine begins with: busybox, the modules in the order they need each other, and what to do."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise SystemExit("busybox is not installed (on Debian: apt install busybox-static)")
    command = [
        sys.executable,
        "-m",
        "pytest",
        *("-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"),
        "-v",
        "tests/on_alsa",
        *arguments,
    ]
    variables = "HOME=/tmp HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis PYTHONDONTWRITEBYTECODE=1"
    variables += " PATH=/usr/bin:/bin:/usr/sbin:/sbin"
    script = f"cd {shlex.quote(str(CHECKOUT))} && {variables} {shlex.join(command)}"
    files = [("bin/busybox", 0o100755, Path(busybox).read_bytes())]
    for number, module in enumerate(modules(linux)):
        files.append((f"modules/{number:02}-{module.name.partition('.')[0]}.ko", 0o100644, unpacked(module)))
    homes = "/var/tmp"  # noqa: S108
    files.append(("init", 0o100755, INIT.replace("{homes}", homes).replace("{script}", shlex.quote(script)).encode()))
    folders = [(name, 0o040755, b"") for name in ("bin", "dev", "proc", "root", "modules")]
    return b"".join(entry(*file) for file in (*folders, *files, ("TRAILER!!!", 0, b"")))


def entry(name: str, mode: int, data: bytes) -> bytes:
    """Return one entry of a cpio archive ("newc")."""
    path = name.encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def modules(linux: Path) -> Iterator[Path]:
    """Yield the kernel's modules that are wanted, each behind those that it needs; what is built in has no file."""
    paths = {
        path.name.partition(".")[0].replace("-", "_"): path for path in linux.glob("lib/modules/*/kernel/**/*.ko*")
    }
    seen: set[str] = set()

    def visit(name: str) -> Iterator[Path]:
        name = name.replace("-", "_")
        if name in seen or name not in paths:
            return
        seen.add(name)
        found = re.search(rb"\0depends=([^\0]*)\0", unpacked(paths[name]))
        for needed in found[1].decode().split(",") if found else ():
            yield from visit(needed)
        yield paths[name]

    for module in MODULES:
        yield from visit(module)


def unpacked(module: Path) -> bytes:
    """Return a module as the kernel takes it."""
    data = module.read_bytes()
    return lzma.decompress(data) if module.suffix == ".xz" else data


def boot(kernel: Path, initial: Path, timeout: float, accelerator: str) -> bytes:
    """Boot and show what the machine says until it ends; return that."""
    command = [
        "qemu-system-x86_64",
        *("-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", "2048"),
        *("-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio"),
        *("-kernel", str(kernel), "-initrd", str(initial), "-append", "console=ttyS0 panic=-1 quiet"),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"),
    ]
    said = bytearray()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        limit = threading.Timer(timeout, machine.kill)
        limit.start()
        while machine.stdout is not None and (data := os.read(machine.stdout.fileno(), 1 << 16)):
            said += data
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        limit.cancel()
    return bytes(said).replace(b"\r\n", b"\n")


if __name__ == "__main__":
    sys.exit(main())
