# What Linux makes of the virtio-mmio devices that the ACPI table names.

# node SLOT: what Linux calls the device in a page of BAR0.
node() { printf 'LNRO0005:%02x' "$1"; }

# is_bound NODE ID DRIVER: true if there is such a virtio device, and its driver has it.
is_bound() {
    at=$(echo /sys/bus/platform/devices/"$1"/virtio*)
    [ "$(cat "$at/device" 2>/dev/null)" = "$2" ] && [ "$(basename "$(readlink "$at/driver")")" = "$3" ]
}

check_bind() {
    # Without this the interrupt link of the function is never routed.
    echo 1 >"/sys/bus/pci/devices/$(parameter function)/enable" || return 1
    while read -r module; do
        insmod "$module" || complain "cannot load $module" || return 1
    done </modules.list
    slot=0
    for pair in $(parameter drivers | tr , ' '); do
        within 10 is_bound "$(node $slot)" "${pair%:*}" "${pair#*:}" ||
            complain "$(node $slot) is no virtio device ${pair%:*} with driver ${pair#*:}" || return 1
        echo "$(node $slot)=${pair#*:}"
        slot=$((slot + 1))
    done
}

# features_of SLOT: the negotiated bits of the device in a page of BAR0, bit 0 first, each 0 or 1.
features_of() { cat "/sys/bus/platform/devices/$(node "$1")"/virtio*/features; }
bit() { echo "$1" | cut -c$(($2 + 1)); }

# Of the kernels that we run, 7.2 takes IN_ORDER, and 6.12 does not.
knows_in_order() { [ "$(uname -r | cut -d. -f1)" -ge 7 ]; }

# The rings that the device offers are the rings that Linux uses (FEAT-05, PACK-01); without
# VERSION_1 it is the legacy interface (FEAT-L1).
check_rings() {
    for pair in $(parameter rings | tr , ' '); do
        bits=$(features_of "${pair%%:*}") || complain "no device in page ${pair%%:*}" || return 1
        rings=split
        [ "$(bit "$bits" 34)" = 0 ] || rings=packed
        [ "$(bit "$bits" 29)" = 0 ] || rings=$rings+event_idx
        [ "$(bit "$bits" 28)" = 0 ] || rings=$rings+indirect
        [ "$(bit "$bits" 35)" = 0 ] || rings=$rings+in_order
        [ "$(bit "$bits" 32)" = 1 ] || rings=legacy+$rings
        wanted=${pair#*:}
        knows_in_order || wanted=${wanted%+in_order}
        [ "$rings" = "$wanted" ] ||
            complain "page ${pair%%:*} uses $rings instead of $wanted" || return 1
        echo "${pair%%:*}:$rings"
    done
}
