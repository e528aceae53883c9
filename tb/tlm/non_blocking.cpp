// SPDX-License-Identifier: Apache-2.0
// The register socket in the approximately timed coding style: the base protocol's four phases.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

/// An initiator of the base protocol, one transaction at a time.
class phased_initiator : public sc_core::sc_module, private tlm::tlm_mm_interface
{
public:
    tlm_utils::simple_initiator_socket<phased_initiator> socket{"socket"};
    std::vector<tlm::tlm_phase> phases; ///< of the last transaction, in both directions
    std::function<void()> program;

    explicit phased_initiator(sc_core::sc_module_name name) : sc_module(name)
    {
        socket.register_nb_transport_bw(this, &phased_initiator::nb_transport_bw);
        SC_HAS_PROCESS(phased_initiator);
        SC_THREAD(run);
    }

    /// From BEGIN_REQ to END_RESP; the response.
    tlm::tlm_response_status transfer(tlm::tlm_command command, std::uint64_t address,
                                      std::uint32_t &word, sc_time delay = sc_core::SC_ZERO_TIME)
    {
        payload tx(command, address, &word, 4);
        tx.set_mm(this);
        tx.acquire();
        phases.clear();
        forward(tx, tlm::BEGIN_REQ, delay);
        wait(response_);
        EXPECT_EQ(forward(tx, tlm::END_RESP, sc_core::SC_ZERO_TIME), tlm::TLM_COMPLETED);
        wait(sc_core::SC_ZERO_TIME); // the target's process lets go of tx
        tx.release();
        return tx.get_response_status();
    }

private:
    tlm::tlm_sync_enum forward(tlm::tlm_generic_payload &tx, tlm::tlm_phase phase, sc_time delay)
    {
        phases.push_back(phase);
        const tlm::tlm_sync_enum answer = socket->nb_transport_fw(tx, phase, delay);
        if (answer == tlm::TLM_UPDATED)
            phases.push_back(phase);
        return answer;
    }
    tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &, tlm::tlm_phase &phase,
                                       sc_time &delay)
    {
        phases.push_back(phase);
        if (phase == tlm::BEGIN_RESP)
            response_.notify(delay + sc_core::sc_get_time_resolution());
        return tlm::TLM_ACCEPTED;
    }
    void run()
    {
        program();
        sc_core::sc_stop();
    }
    void free(tlm::tlm_generic_payload *) override {}

    sc_core::sc_event response_;
};

struct phased_platform {
    guest_memory memory{dma_mode::pointer};
    ram main{"ram", memory, at::ram, at::ram_size};
    phased_initiator initiator{"initiator"};
    null_device dut;
    sc_core::sc_signal<bool> irq{"irq"};

    explicit phased_platform(const device_options &options = {}) : dut("dut", options)
    {
        initiator.socket.bind(dut.registers);
        dut.dma().bind(main.socket);
        dut.interrupt.bind(irq);
    }
    void run(std::function<void()> program)
    {
        initiator.program = std::move(program);
        sc_core::sc_start();
    }
};

/// END_REQ may be left out: BEGIN_RESP implies it.
bool complete(std::vector<tlm::tlm_phase> phases)
{
    const auto end_req = std::find(phases.begin(), phases.end(), tlm::END_REQ);
    if (end_req != phases.end())
        phases.erase(end_req);
    return phases == std::vector<tlm::tlm_phase>{tlm::BEGIN_REQ, tlm::BEGIN_RESP, tlm::END_RESP};
}

} // namespace

SC_TEST(NonBlocking, AReadGoesThroughThePhases)
{
    phased_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        EXPECT_EQ(p.initiator.transfer(tlm::TLM_READ_COMMAND, VMMIO_REG_MAGIC_VALUE, word),
                  tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(word, 0x74726976u);
        EXPECT_TRUE(complete(p.initiator.phases));
    });
}

SC_TEST(NonBlocking, AWriteTakesEffect)
{
    phased_platform p;
    p.run([&] {
        std::uint32_t word = VMMIO_STATUS_ACKNOWLEDGE;
        EXPECT_EQ(p.initiator.transfer(tlm::TLM_WRITE_COMMAND, VMMIO_REG_STATUS, word),
                  tlm::TLM_OK_RESPONSE);
        EXPECT_TRUE(complete(p.initiator.phases));
        word = 0;
        p.initiator.transfer(tlm::TLM_READ_COMMAND, VMMIO_REG_STATUS, word);
        EXPECT_EQ(word, 1u);
    });
}

SC_TEST(NonBlocking, TheResponseComesAfterDelayAndLatency)
{
    device_options options;
    options.register_latency = ns(20);
    phased_platform p(options);
    p.run([&] {
        std::uint32_t word = 0;
        p.initiator.transfer(tlm::TLM_READ_COMMAND, VMMIO_REG_STATUS, word, ns(5));
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(25) + sc_core::sc_get_time_resolution());
    });
}

SC_TEST(NonBlocking, AnErrorIsAResponseToo)
{
    ROWS("H-28");
    phased_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        EXPECT_EQ(p.initiator.transfer(tlm::TLM_READ_COMMAND, VMMIO_BLOCK_SIZE, word),
                  tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_TRUE(complete(p.initiator.phases));
    });
}

} // namespace vmmio::tb
