"""Run the tests on another release of Debian, in a folder: with its Pythons, jackd, PipeWire, mosquitto, FluidSynth.

    sudo apt install debootstrap
    sudo uv run python -m tests.on_another_debian.guest --python 3.15 -- tests/on_jack

It needs root, and a mirror for the first time (1.6 GB, some minutes). What is in the folder is used again; the kernel
is this machine's. First comes what a user does (plain pip, a demo), then pytest with what is behind `--` (by default,
all but what is slow). Whatever was started there ends with it: it has mounts and process ids of its own.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "ca-certificates", "dbus", "fluidsynth", "gcc", "git", "jack-example-tools", "jackd2", "libc6-dev", "mosquitto",
    "mosquitto-clients", "openssl", "pipewire", "pipewire-bin", "pipewire-jack", "procps", "timgm6mb-soundfont",
    "wireplumber",
)  # fmt: skip
SOURCE = (".ci", ".github", ".gitignore", "improviser", "models", "tests", "pyproject.toml", "LICENSE", "*.md")
EXTRAS = "corpus,web,cluster"
OF_THIS_NETWORK = ("SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy")
"""Variables of ours that are passed on."""
SHELL_OF_ITS_OWN = """
mount --make-rprivate /
mount -t proc proc "$ROOT/proc"; mount -t sysfs sys "$ROOT/sys"; mount --rbind /dev "$ROOT/dev"
mount -t tmpfs shm "$ROOT/dev/shm"; mount --rbind "$CHECKOUT" "$ROOT/checkout"
chroot "$ROOT" /usr/bin/env -i --default-signal "$@"
exit $?  # so that this shell stays, and reaps what is left behind
"""
INSTALL = """
apt-get update -qq
apt-get install -y -qq --no-install-recommends {packages}
"""
TEST = """
rm -rf /user && mkdir -p /user/source && cd /user
(cd /checkout && tar --exclude __pycache__ -c {source}) | tar -C source -x
python{python} -m venv plain
plain/bin/pip install -q ./source
plain/bin/improviser demo --seconds 2 --no-display | tail -n 3
plain/bin/improviser ports
[ -d /tested-{python} ] || python{python} -m venv /tested-{python}
cd /user/source && /tested-{python}/bin/pip install -q --upgrade --group dev -e ".[{extras}]"
/tested-{python}/bin/python -m pytest -p no:cacheprovider {arguments}
"""


def main() -> int:
    """Have the release, run the tests there, and return their exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="forky", help="Debian's name of it (forky)")
    parser.add_argument("--python", default="3.14", metavar="3.N", help="which of its Pythons (3.14)")
    parser.add_argument("--folder", type=Path, help="where it is, or will be (/var/tmp/improviser-RELEASE)")
    parser.add_argument("pytest", nargs="*", help="what pytest gets; a browser is not installed")
    options = parser.parse_args()
    if os.geteuid() or shutil.which("debootstrap") is None:
        parser.error("it needs root, and debootstrap (on Debian: apt install debootstrap)")
    folder = options.folder or Path(f"/var/tmp/improviser-{options.release}")  # noqa: S108  kept for the next time
    try:
        bootstrap(folder, options.release)
        python = f"python{options.python}"
        packages = [*PACKAGES, python, f"{python}-dev", f"{python}-venv"]
        inside(folder, INSTALL.format(packages=shlex.join(packages))).check_returncode()
    except subprocess.CalledProcessError as error:
        print(f"there is no {options.release} here: {shlex.join(error.cmd[:1])} failed; see above")  # noqa: T201
        return 1
    arguments = shlex.join(options.pytest or ["-n", "2", "--dist", "loadgroup", "-m", "not slow"])
    script = TEST.format(python=options.python, source=" ".join(SOURCE), extras=EXTRAS, arguments=arguments)
    return inside(folder, script, IMPROVISER_REQUIRE_SERVERS="1").returncode


def mirror() -> str:
    """Return the mirror that this machine's packages come from."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    sites = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return next((site for site in sites if site.rstrip("/").endswith("/debian")), sites[0])


def bootstrap(folder: Path, release: str) -> None:
    """Unpack the release's base into a folder, unless it is there."""
    if not (folder / "checkout").exists():
        script = Path("/usr/share/debootstrap/scripts") / release
        known = [] if script.exists() else [script.with_name("sid")]  # newer than this machine's debootstrap
        command = [
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            release,
            str(folder),
            mirror(),
            *map(str, known),
        ]
        subprocess.run(command, check=True)
        for file in ("etc/resolv.conf", "etc/hosts"):
            shutil.copy(f"/{file}", folder / file)
        shutil.copytree("/etc/ssl/certs", folder / "etc/ssl/certs", dirs_exist_ok=True, ignore_dangling_symlinks=True)
        # A mirror may lag behind. No service is started there.
        (folder / "etc/apt/apt.conf.d/99-improviser").write_text('Acquire::Check-Valid-Until "false";\n')
        (folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (folder / "usr/sbin/policy-rc.d").chmod(0o755)
        (folder / "checkout").mkdir()


def inside(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell's script in the folder."""
    variables |= {name: os.environ[name] for name in OF_THIS_NETWORK if name in os.environ}
    variables |= {
        "HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
        "TERM": "xterm", "DEBIAN_FRONTEND": "noninteractive", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec", SHELL_OF_ITS_OWN, "inside"]
    command += [*(f"{name}={value}" for name, value in variables.items()), "bash", "-ec", script]
    places = {"ROOT": str(folder), "CHECKOUT": str(CHECKOUT)}
    return subprocess.run(command, env={**os.environ, **places}, stdin=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
