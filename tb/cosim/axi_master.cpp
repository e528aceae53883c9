/* SPDX-License-Identifier: Apache-2.0 */
#include "axi_master.h"

#include <algorithm>

namespace vmmio::tb
{

void axi_master::start()
{
    while (!to_do_.empty()) {
        const access &a = to_do_.front();
        if (a.alone ? in_flight() != 0 : (a.write ? writes_in_flight_ : reads_in_flight_) >= depth)
            return;
        if (a.write) {
            writes_.push_back(a);
            writes_in_flight_++;
        } else {
            reads_.push_back(a.address);
            reads_in_flight_++;
        }
        to_do_.pop_front();
    }
}

void axi_master::drive()
{
    start();
    pins_.s_axil_awvalid = addresses_sent_ < writes_.size() && go(AW, held_aw_);
    pins_.s_axil_wvalid = data_sent_ < writes_.size() && go(W, held_w_);
    pins_.s_axil_arvalid = !reads_.empty() && go(AR, held_ar_);
    pins_.s_axil_bready = go(B, false);
    pins_.s_axil_rready = go(R, false);
    if (pins_.s_axil_awvalid && !held_aw_) {
        pins_.s_axil_awaddr = static_cast<SData>(writes_[addresses_sent_].address);
        pins_.s_axil_awprot = random_() & 7; // is not to matter
    }
    if (pins_.s_axil_wvalid) {
        pins_.s_axil_wdata = writes_[data_sent_].data;
        pins_.s_axil_wstrb = static_cast<CData>(writes_[data_sent_].strobe);
    }
    if (pins_.s_axil_arvalid && !held_ar_) {
        pins_.s_axil_araddr = static_cast<SData>(reads_.front());
        pins_.s_axil_arprot = random_() & 7;
    }

    held_aw_ = pins_.s_axil_awvalid && !pins_.s_axil_awready;
    held_w_ = pins_.s_axil_wvalid && !pins_.s_axil_wready;
    held_ar_ = pins_.s_axil_arvalid && !pins_.s_axil_arready;
    if (addresses_sent_ != data_sent_)
        bins_.hit(addresses_sent_ > data_sent_ ? bin::address_before_data
                                               : bin::data_before_address);
    addresses_sent_ += pins_.s_axil_awvalid && pins_.s_axil_awready;
    data_sent_ += pins_.s_axil_wvalid && pins_.s_axil_wready;
    read_begins.reset();
    read_ends.reset();
    if (pins_.s_axil_arvalid && pins_.s_axil_arready) {
        read_begins = reads_.front();
        reads_.pop_front();
    }
    if (pins_.s_axil_rvalid && pins_.s_axil_rready) {
        read_ends = pins_.s_axil_rdata;
        reads_in_flight_--;
    }
    write_ends = pins_.s_axil_bvalid && pins_.s_axil_bready;
    writes_in_flight_ -= write_ends;
    kept_r_ = pins_.s_axil_rvalid && !pins_.s_axil_rready;
    kept_b_ = pins_.s_axil_bvalid && !pins_.s_axil_bready;
    kept_data_ = pins_.s_axil_rdata;

    bins_.hit(bin::writes_in_flight, std::min(writes_in_flight_, 4u));
    bins_.hit(bin::reads_in_flight, std::min(reads_in_flight_, 4u));
    if (writes_in_flight_ && reads_in_flight_)
        bins_.hit(bin::read_beside_write);
}

const char *axi_master::check()
{
    if (kept_r_ && !pins_.s_axil_rvalid)
        return "RVALID fell before RREADY";
    if (kept_r_ && pins_.s_axil_rdata != kept_data_)
        return "RDATA moved before RREADY";
    if (kept_b_ && !pins_.s_axil_bvalid)
        return "BVALID fell before BREADY";
    if (pins_.s_axil_bvalid && writes_in_flight_ == writes_.size())
        return "BVALID without a write";
    if (pins_.s_axil_rvalid && reads_in_flight_ == reads_.size())
        return "RVALID without a read";
    if (pins_.s_axil_bresp || pins_.s_axil_rresp)
        return "a response is not OKAY";
    return nullptr;
}

access axi_master::take_write()
{
    const access a = writes_.front();

    writes_.pop_front();
    addresses_sent_--;
    data_sent_--;
    return a;
}

void axi_master::drop()
{
    to_do_.clear();
    writes_.clear();
    reads_.clear();
    addresses_sent_ = data_sent_ = writes_in_flight_ = reads_in_flight_ = 0;
    kept_r_ = kept_b_ = held_aw_ = held_w_ = held_ar_ = false;
    read_begins.reset();
    read_ends.reset();
    write_ends = false;
    pins_.s_axil_awvalid = pins_.s_axil_wvalid = pins_.s_axil_arvalid = 0;
    pins_.s_axil_bready = pins_.s_axil_rready = 0;
}

} // namespace vmmio::tb
