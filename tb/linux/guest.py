"""The guest: what it boots with, made from this folder's sources and the host's tools."""

import os
import pathlib
import re
import shutil
import string
import subprocess

from child import RunError

HERE = pathlib.Path(__file__).parent
MODULES = ["virtio_mmio", "virtio-rng", "virtio_pmem", "nd_pmem", "ext4", "virtio_blk",
           "virtio_net", "virtio_console", "virtiofs", "virtio_pci", "button"]


def tool(name):
    """The path of a host program; many of them are in sbin, which not every user has in PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise RunError(f"{name} is not installed; run 'make setup'")
    return path


def call(*command, **kwargs):
    """Runs a host program and returns what it prints; a failure shows its last lines."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            check=False, **kwargs)
    if result.returncode:
        tail = (result.stdout + result.stderr).decode(errors="replace").strip().splitlines()[-5:]
        raise RunError(f"{command[0]} failed: " + " / ".join(tail))
    return result.stdout


def compile_ssdt(work, node, bar, gsi, devices):
    """The ACPI table that shows Linux `devices` register blocks, one a page, from address `bar`.

    node: the ACPI name of the PCI function; gsi: the interrupt line of the function.
    """
    device = string.Template((HERE / "ssdt_device.asl.in").read_text())
    table = string.Template((HERE / "ssdt.asl.in").read_text())
    source = work / "ssdt.asl"
    source.write_text(table.substitute(node=node, devices="".join(
        device.substitute(index=i, base=f"0x{bar + 0x1000 * i:08X}", gsi=gsi)
        for i in range(devices))))
    call(tool("iasl"), "-p", work / "ssdt", source)
    return work / "ssdt.aml"


def compile_program(work, name):
    """One of this folder's programs, static, so that it needs nothing in the guest."""
    out = work / name
    source = HERE / f"{name}.c"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        call(tool("cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-static",
             "-pthread", source, "-o", out)
    return out


def compile_guest_tool(work):
    """The program of the check list."""
    return compile_program(work, "guest_tool")


def copy_modules(kernel, tree):
    """Puts the modules that the guest needs into `tree` and lists them in load order."""
    version = (kernel / "version").read_text().strip()
    printed = call(tool("modprobe"), "-d", kernel, "-S", version, "--show-depends", "-a",
                   *MODULES).decode()
    order = []
    # "insmod PATH OPTIONS": there may be spaces in PATH.
    for path in re.findall(r"^insmod (.+?\.ko(?:\.xz)?)(?= |$)", printed, re.MULTILINE):
        name = pathlib.Path(path).name.removesuffix(".xz")
        if name in order:
            continue
        order.append(name)
        # busybox insmod of Debian reads no compressed module.
        content = (call(tool("xz"), "-dc", path) if path.endswith(".xz")
                   else pathlib.Path(path).read_bytes())
        (tree / "lib/modules" / name).write_bytes(content)
    (tree / "modules.list").write_text("".join(f"/lib/modules/{name}\n" for name in order))


def copy_with_libraries(program, tree):
    """Puts a host program into /bin of `tree`, with its libraries and loader in their places."""
    shutil.copy(program, tree / "bin")
    for word in call(tool("ldd"), program).decode().split():
        if word.startswith("/"):
            target = tree / word[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)


def cpio(tree):
    """The contents of folder `tree` as an uncompressed archive owned by root."""
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))
    return call(tool("cpio"), "--quiet", "-o", "-H", "newc", "--owner=+0:+0", cwd=tree,
                input="\n".join(names).encode())


def make_initrd(work, kernel, ssdt):
    """The guest's initrd: the ACPI table, which the kernel takes from an uncompressed archive in
    front, and then the root file system."""
    tree = work / "initramfs"
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("early/kernel/firmware/acpi", "root/bin", "root/lib/modules"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(ssdt, tree / "early/kernel/firmware/acpi/ssdt.aml")
    root = tree / "root"
    shutil.copytree(HERE / "guest_init", root, dirs_exist_ok=True)
    (root / "init").chmod(0o755)
    shutil.copy(tool("busybox"), root / "bin/busybox")
    for name in ("guest_tool", "guest_io"):
        shutil.copy(compile_program(work, name), root / "bin")
    copy_with_libraries(tool("mke2fs"), root)
    copy_modules(kernel, root)
    initrd = work / "initrd"
    initrd.write_bytes(cpio(tree / "early") + cpio(root))
    return initrd
