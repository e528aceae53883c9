# What Linux makes of the virtio-mmio devices that the ACPI table names.

check_bind() {
    # Without this the interrupt link of the function is never routed.
    echo 1 >"/sys/bus/pci/devices/$(parameter function)/enable" || return 1
    while read -r module; do
        insmod "$module" || complain "cannot load $module" || return 1
    done </modules.list
    for pair in $(parameter drivers | tr , ' '); do
        within 10 has_driver "${pair%:*}" "${pair#*:}" ||
            complain "no virtio device ${pair%:*} with driver ${pair#*:}" || return 1
        platform=$(platform_of "${pair%:*}")
        case $platform in
        LNRO0005:*) ;;
        *) complain "device ${pair%:*} came from $platform, not from an ACPI LNRO0005" || return 1 ;;
        esac
        echo "$platform=${pair#*:}"
    done
}

# features_of SLOT: the negotiated bits of the device in a page of BAR0, bit 0 first, each 0 or 1.
features_of() { cat "/sys/bus/platform/devices/LNRO0005:0$1"/virtio*/features; }
bit() { echo "$1" | cut -c$(($2 + 1)); }

# The rings that the device offers are the rings that Linux uses (FEAT-05, PACK-01).
check_rings() {
    for pair in $(parameter rings | tr , ' '); do
        bits=$(features_of "${pair%%:*}") || complain "no device in page ${pair%%:*}" || return 1
        rings=split
        [ "$(bit "$bits" 34)" = 0 ] || rings=packed
        [ "$(bit "$bits" 29)" = 0 ] || rings=$rings+event_idx
        [ "$rings" = "${pair#*:}" ] ||
            complain "page ${pair%%:*} uses $rings instead of ${pair#*:}" || return 1
        echo "${pair%%:*}:$rings"
    done
}
