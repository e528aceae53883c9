#include "platform.h" // a processor and RAM of your own
#include <vmmio/tlm/devices.h>
#include <vmmio/tlm/router.h>

int sc_main(int, char *[])
{
    static unsigned char memory[2 << 20]; // or a vmmio::file_memory
    processor cpu("cpu");
    ram ram("ram");
    vmmio::pmem_device pmem("pmem", {0x80000000, sizeof memory, memory, {}});
    vmmio::router bus("bus", 2,
                      {{0x0a000000, VMMIO_BLOCK_SIZE},
                       {0x40000000, ram::size},
                       {0x80000000, sizeof memory, vmmio::router::addressing::absolute}});
    sc_core::sc_signal<bool> irq("irq");
    cpu.bus.bind(bus.in[0]);
    pmem.dma().bind(bus.in[1]);
    bus.out[0].bind(pmem.registers);
    bus.out[1].bind(ram.socket);
    bus.out[2].bind(pmem.shared_memory());
    pmem.interrupt.bind(irq);
    sc_core::sc_start();
    return 0;
}
