"""What a run found: the guest's lines judged, the table, and report.json."""

import re

# The guest runs these first, then those of the devices, then the last ones.
FIRST_CHECKS = {
    "bind": "virtio_mmio bound through ACPI LNRO0005",
    "rings": "rings used as they were offered",  # FEAT-05
}
LAST_CHECKS = {
    "rebind_driver": "virtio drivers unbound and bound again",  # PMEM-10
    "rebind_transport": "virtio-mmio unbound and bound again",
    "suspend": "suspended to idle, resumed, and at work again",
}


def guest_checks(parts):
    """Everything that the guest checks on a run with these devices, in its order."""
    checks = dict(FIRST_CHECKS)
    for part in parts:
        checks.update(part.checks)
    return {**checks, **LAST_CHECKS}


LINE = re.compile(r"VMMIO: (value|ask|pass|fail|end)(?: (\w+)[= ]?(.*))?$")


class GuestLog:
    """The guest's machine-readable lines, taken one by one from the console."""

    def __init__(self):
        self.values = {}
        self.verdicts = {}
        self.wishes = []  # what the guest asked the host for, and the host has not taken yet
        self.ended = False

    def take(self, line):
        """Takes one console line; gives (check, passed, detail) if it is a verdict, else None.

        The kernel's own messages may stand in front on the same line.
        """
        match = LINE.search(line)
        if not match:
            return None
        kind, name, text = match.groups()
        if kind == "end":
            self.ended = True
        elif kind == "value":
            self.values[name] = text
        elif kind == "ask":
            self.wishes.append(f"{name} {text}".strip())
        else:
            self.verdicts[name] = (kind == "pass", text.strip())
            return name, *self.verdicts[name]
        return None

    def number(self, key):
        """A value as an integer, or None if the guest did not say it or not as a number."""
        try:
            return int(self.values[key], 0)
        except (KeyError, ValueError):
            return None

    def real(self, key):
        """A value as a float, or None."""
        try:
            return float(self.values[key])
        except (KeyError, ValueError):
            return None


NOT_REACHED = "not reached"


def check(name, ok, detail):
    return {"name": name, "ok": bool(ok), "detail": detail}


def hexadecimal(value):
    return "nowhere" if value is None else f"0x{value:x}"


def judge_addresses(log, expected):
    """Linux must have left the BARs where the firmware placed them: the SSDT says so."""
    bar, shm_bar = log.number("bar"), log.number("shm_bar")
    title = "addresses as the firmware placed them"
    if bar is None and shm_bar is None:
        return check(title, False, NOT_REACHED)
    ok = (bar, shm_bar) == (expected["bar"], expected["shm_base"])
    detail = f"registers at {hexadecimal(bar)}, region at {hexadecimal(shm_bar)}"
    if not ok:
        detail += (f"; told to the guest and the device: {hexadecimal(expected['bar'])} and "
                   f"{hexadecimal(expected['shm_base'])}; run again to ask the firmware anew")
    return check(title, ok, detail)


def judge_guest(log, checks):
    """One item for each of the guest's checks; what it did not reach has failed."""
    for key, title in checks.items():
        ok, detail = log.verdicts.get(key, (False, NOT_REACHED))
        yield check(title, ok, detail)


def judge_region(log, base, length):
    """The kernel's base and length of the region against the device's configuration."""
    seen = (log.number("shm_base"), log.number("shm_length"))
    title = "region's base and length as configured"
    if seen == (None, None):
        return check(title, False, NOT_REACHED)
    detail = f"base {hexadecimal(seen[0])}, length {hexadecimal(seen[1])}"
    if seen != (base, length):
        detail += f"; the device has {hexadecimal(base)} and {hexadecimal(length)}"
    return check(title, seen == (base, length), detail)


def judge_backing(log, device, file_bytes):
    """The file, whole, in the host's memory as the SystemC side sees it."""
    title = "guest's bytes found in the host's backing"
    if "write" not in log.verdicts:
        return check(title, False, NOT_REACHED)
    found = device.get("token_found") or {"offset": 0, "bytes": 0}
    detail = f"{found['bytes']} of {file_bytes} bytes"
    if found["bytes"]:
        detail += f", from offset 0x{found['offset']:x}"
    return check(title, found["bytes"] == file_bytes, detail)


def judge_devices(log, device, parts):
    """Every device must have done what the guest believes: there are requests behind its checks."""
    title = "requests completed by every device"
    if not any(name in log.verdicts for part in parts for name in part.checks):
        return check(title, False, NOT_REACHED)
    requests = {d["name"]: d["requests"] for d in device.get("devices", [])}
    detail = ", ".join(f"{part.name} {requests.get(part.name, 0)}" for part in parts)
    return check(title, all(requests.get(part.name) for part in parts), detail)


def judge_form(form, device, parts):
    """With the Verilog form, every device's registers were Verilog ones: their clocks ran."""
    if form == "tlm":
        return
    clocks = {d["name"]: d.get("clocks", 0) for d in device.get("devices", [])}
    detail = ", ".join(f"{part.name} {clocks.get(part.name, 0)}" for part in parts)
    yield check("clocks of every device's Verilog block", all(clocks.get(part.name)
                                                              for part in parts), detail)


def describe_devices(log, device, parts):
    """An entry for each device: what it did, and what of its own was checked."""
    told = {d["name"]: d for d in device.get("devices", [])}
    for part in parts:
        it = told.get(part.name, {})
        clocks = {key: it[key] for key in ("clocks", "clocks_skipped") if key in it}
        yield {"name": part.name, "device_id": part.device_id, "rings": part.rings,
               "requests": it.get("requests", 0), "bytes": it.get("bytes", 0), **clocks,
               "checks": [*judge_guest(log, part.checks), *part.judge(log)]}


def make_report(form, log, device, parts, *, expected, shm_size, file_bytes, seconds):
    """The whole of report.json from the guest's log and the device process's own report."""
    region = judge_region(log, expected["shm_base"], shm_size)
    backing = judge_backing(log, device, file_bytes)
    devices = list(describe_devices(log, device, parts))
    guest = guest_checks(parts)
    on_host = [item for entry in devices for item in entry["checks"]
               if item["name"] not in guest.values()]
    checks = [judge_addresses(log, expected), *judge_guest(log, guest),
              judge_devices(log, device, parts), *judge_form(form, device, parts), region, backing,
              *on_host]
    region_ok, backing_ok = region["ok"], backing["ok"]
    read_back = log.verdicts.get("remount", (False,))[0]
    result = {
        "form": form,
        "kernel": log.values.get("kernel"),
        "shm": [{"id": 0, "base": expected["shm_base"], "length": shm_size,
                 "found_by_guest": region_ok}],
        "dax_bytes_verified": file_bytes if read_back and backing_ok else 0,
        "dax_read_mb_s": log.real("dax_read_mb_s"),
        "ram_read_mb_s": log.real("ram_read_mb_s"),
        "register_accesses": device.get("register_accesses"),
        "seconds": round(seconds, 1),
        "checks": checks,
        "devices": devices,
        "device": device,
    }
    complete = log.ended and None not in result.values()
    return {"ok": complete and all(c["ok"] for c in checks), **result}


def summary(report):
    """The lines under the table."""
    region = report["shm"][0]
    yield (f"Linux {report['kernel']}, form {report['form']}: region {region['id']} at "
           f"0x{region['base']:x}, {region['length']} bytes")
    if report["dax_read_mb_s"] and report["ram_read_mb_s"]:
        yield (f"read speed: DAX file {report['dax_read_mb_s']:,.0f} MB/s, "
               f"guest RAM {report['ram_read_mb_s']:,.0f} MB/s")
    clocks = sum(device.get("clocks", 0) for device in report["devices"])
    yield (f"{report['register_accesses']} register accesses, "
           + (f"{clocks:,} clocks of the Verilog blocks, " if clocks else "")
           + f"{report['seconds']} s")
    passed = sum(c["ok"] for c in report["checks"])
    yield f"{passed} of {len(report['checks'])} items passed"


def verdict(report):
    """Why the run failed, in one line: what was tried and went wrong, not what follows from it."""
    failed = [c["name"] for c in report["checks"] if not c["ok"] and c["detail"] != NOT_REACHED]
    if report["kernel"] is None:
        return "Linux did not come up to the check list"
    return "failed: " + "; ".join(failed or ["the guest did not say all that it should"])


def table_row(item):
    return f"  {'ok  ' if item['ok'] else 'FAIL'}  {item['name']:<52} {item['detail']}"
