// SPDX-License-Identifier: Apache-2.0
// A request that is completed late, while the DMA of another one waits in its target.
#include "platform.h"

#include <set>
#include <utility>

namespace vmmio::tb
{

namespace
{

/// Holds what it gets.
struct holder : vmmio_function {
    std::vector<vmmio_request *> held;

    holder() : vmmio_function{}
    {
        static const vmmio_function_type holder_type = [] {
            vmmio_function_type made{};
            made.name = "holder";
            made.device_id = VMMIO_ID_NULL;
            made.handle = [](vmmio_function *self, vmmio_request *request) {
                static_cast<holder *>(self)->held.push_back(request);
            };
            return made;
        }();
        type = &holder_type;
        queue_count = 2;
    }
};

/// Its back end gets done with everything at once.
class late_device : private function_holder<holder>, public device
{
public:
    explicit late_device(sc_core::sc_module_name name) : device(name, function, device_options())
    {
        on_resume = [this] {
            for (vmmio_request *request : std::exchange(function.held, {}))
                vmmio_request_complete(request, 0);
            return false;
        };
    }

    std::size_t held() const { return function.held.size(); }
};

struct late_platform : platform<late_device> {
    std::size_t held_meanwhile = 0;

    late_platform()
    {
        main.dmi = false;
        second.program = [this] {
            sc_core::wait(go_);
            held_meanwhile = dut.held();
            dut.resume_work();
        };
    }

    /// Kicks, and lets the back end get done in the k-th transaction.
    void kick(unsigned k)
    {
        main.waits = ns(1000);
        main.on_transaction = [this, k, seen = 0u](tlm::tlm_generic_payload &) mutable {
            if (seen++ == k)
                go_.notify(ns(500));
        };
        offer({writable(16)});
        cpu.sync(ns(100000));
    }

private:
    sc_core::sc_event go_;
};

} // namespace

TEST(LateCompletion, WaitsForTheDmaOfAnotherProcess)
{
    ROWS("VQ-03", "SPLIT-36", "H-61");
    for (unsigned k = 0; k < 3; k++) { // index, head, descriptor
        SCOPED_TRACE("transaction " + std::to_string(k));
        vmmio_test::run_in_child([k] {
            late_platform p;
            p.run([&] {
                p.go_live();
                p.offer({p.writable(16)});
                p.kick(k);
            });
            EXPECT_EQ(p.held_meanwhile, 1u) << "in the midst of taking the second request";
            EXPECT_EQ(p.dut.held(), 0u);
            EXPECT_EQ(p.dut.model().block.status & VMMIO_STATUS_NEEDS_RESET, 0u);
            std::set<std::uint32_t> heads;
            while (const auto used = p.queues[0]->reap())
                heads.insert(used->id);
            EXPECT_EQ(heads.size(), 2u);
            EXPECT_TRUE(p.irq.read());
        });
    }
}

} // namespace vmmio::tb
