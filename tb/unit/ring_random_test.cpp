/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random buffers through both ring formats against a plain model: what the function was given and
 * in which order, what came back, how long, with which bytes, and whether an interrupt was due.
 * A driver that kicks only when asked to must still get everything back, also if the state of the
 * device moves into a new one now and then, whose function is handed once more what it held.
 *
 * VMMIO_SEED=n repeats a run, VMMIO_REQUESTS=n lengthens or shortens it.
 */
#include "requests.h"
#include "rig.h"
#include "setting.h"

#include <random>

namespace vmmio::tb
{
namespace
{

#if defined(__SANITIZE_ADDRESS__)
constexpr unsigned slower = 20; /* so many times fewer requests */
#else
constexpr unsigned slower = 1;
#endif

/* One buffer as the driver made it, and what has to come of it. */
struct expected {
    std::vector<uint8_t> in;  /* what the function has to find */
    std::vector<uint8_t> out; /* what it writes; as many bytes as it says */
    uint32_t writable = 0;
    uint64_t address = 0;     /* of the writable part */
    uint64_t part = 0;        /* guest memory that all of it lies in */
    std::vector<piece> named; /* what the device may access for it */
    uint16_t id = 0;
};

/* The driver's end of either format. */
class ring
{
public:
    ring(rig &r, uint32_t index, uint64_t base, uint32_t size, const vmmio_features &features)
        : memory_(r.memory), packed_(vmmio_features_has(&features, VMMIO_F_RING_PACKED)),
          event_idx_(vmmio_features_has(&features, VMMIO_F_EVENT_IDX))
    {
        const bool in_order = vmmio_features_has(&features, VMMIO_F_IN_ORDER);
        if (packed_) {
            p_ = std::make_unique<packed_queue>(r.memory, base, size);
            p_->in_order = in_order;
        } else {
            s_ = std::make_unique<virtqueue>(r.memory, base, size);
            s_->in_order = in_order;
        }
        r.guest.enable_queue(index, place());
        free_ = size;
        old_ = position();
        seen_ = old_;
        if (!packed_ && event_idx_)
            mode_ = at_position; /* used_event is 0 */
    }

    const ring_place &place() const { return packed_ ? static_cast<const ring_place &>(*p_) : *s_; }
    uint32_t free_slots() const { return free_; }

    /* The device must not touch the ring any more. */
    void withdraw()
    {
        const ring_place &at = place();
        memory_.withdraw(at.desc, 16ull * at.size);
        memory_.withdraw(at.driver, packed_ ? 4 : s_->driver_bytes());
        memory_.withdraw(at.device, packed_ ? 4 : s_->device_bytes());
    }

    uint16_t add(const std::vector<piece> &pieces)
    {
        return count(pieces.size(), packed_ ? p_->add(pieces) : queued(s_->add(pieces)));
    }
    uint16_t add_indirect(const std::vector<piece> &pieces, uint64_t table, size_t direct)
    {
        return packed_ ? count(1, p_->add_indirect(pieces, table))
                       : count(direct + 1, queued(s_->add_indirect(pieces, table, direct)));
    }
    /* Shows what was added; true if the device wants a kick for it. */
    bool publish()
    {
        const uint16_t old = old_;
        old_ = position();
        if (packed_) {
            p_->publish();
            return old != old_ && p_->kick_needed(old);
        }
        s_->publish();
        if (!event_idx_)
            return old != old_ && !(s_->used_flags() & 1);
        for (uint16_t at = old; at != old_; at++)
            if (at == s_->avail_event())
                return true;
        return false;
    }
    std::optional<used_entry> reap()
    {
        std::optional<used_entry> used;
        if (packed_) {
            if (const std::optional<packed_used> u = p_->reap()) {
                EXPECT_EQ(u->written, u->length != 0);
                used = used_entry{u->id, u->length};
            }
        } else {
            used = s_->reap();
        }
        if (used) {
            free_ += slots_.at(static_cast<uint16_t>(used->id));
            slots_.erase(static_cast<uint16_t>(used->id));
        }
        return used;
    }

    /* Asks for interrupts in some way. */
    template <typename Random>
    void choose_event(Random &random)
    {
        switch (random() % 4) {
        case 0:
            mode_ = always;
            break;
        case 1:
            mode_ = never;
            break;
        default:
            mode_ = event_idx_ ? at_position : always;
            break;
        }
        const uint32_t ahead = random() % (2 * place().size + 2);
        if (packed_) {
            event_ = seen_;
            for (uint32_t i = 0; i < ahead; i++)
                event_ = p_->position_after(event_, 1);
            p_->set_driver_event({event_, static_cast<uint16_t>(mode_)});
        } else {
            event_ = static_cast<uint16_t>(seen_ + ahead);
            s_->set_avail_flags(mode_ == never);
            s_->set_used_event(event_);
            if (event_idx_)
                mode_ = at_position;
        }
    }
    /* What the device used since the last call: true if an interrupt is due for it. */
    bool interrupt_due(const std::vector<uint32_t> &slots_used)
    {
        const uint16_t old = seen_;
        for (const uint32_t n : slots_used)
            seen_ = packed_ ? p_->position_after(seen_, n) : static_cast<uint16_t>(seen_ + 1);
        if (mode_ != at_position)
            return mode_ == always && old != seen_;
        for (uint16_t at = old; at != seen_;
             at = packed_ ? p_->position_after(at, 1) : static_cast<uint16_t>(at + 1))
            if (at == event_)
                return true;
        return false;
    }
    uint32_t slots_of(uint16_t id) const { return slots_.at(id); }

private:
    enum mode { always = 0, never = 1, at_position = 2 };

    uint16_t position() const { return packed_ ? p_->position() : s_->avail_idx; }
    uint16_t count(size_t slots, uint16_t id)
    {
        free_ -= static_cast<uint32_t>(slots);
        slots_[id] = static_cast<uint32_t>(slots);
        return id;
    }
    uint16_t queued(uint16_t head)
    {
        s_->queue(head);
        return head;
    }

    guest_memory &memory_;
    bool packed_, event_idx_;
    std::unique_ptr<virtqueue> s_;
    std::unique_ptr<packed_queue> p_;
    std::map<uint16_t, uint32_t> slots_;
    uint32_t free_ = 0;
    uint16_t old_ = 0;  /* position up to which the device was told */
    uint16_t seen_ = 0; /* position up to which used buffers were looked at for interrupts */
    uint16_t event_ = 0;
    mode mode_ = always;
};

class ring_random : public ::testing::TestWithParam<dma_mode>
{
protected:
    static constexpr uint32_t queues = 2, size_max = 128;

    struct held_request {
        vmmio_request *request;
        expected what;
        uint32_t queue;
    };
    struct queue_model {
        std::unique_ptr<ring> driver;
        std::deque<expected> offered;      /* not taken by the function yet */
        size_t moved = 0;                  /* the first of those: taken before the device moved */
        std::map<uint16_t, expected> done; /* given back by the function, not reaped */
        std::deque<uint16_t> order;        /* IN_ORDER: in which they have to come back */
        size_t shown = 0;                  /* IN_ORDER: the driver sees so many of those */
        std::vector<uint16_t> fresh;       /* otherwise: given back since the last look */
        std::deque<uint64_t> parts;        /* of guest memory, free */
        uint64_t ring_at = 0, parts_at = 0;
    };

    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random() % limit); }
    bool once_in(uint32_t n) { return below(n) == 0; }

    void set_up(unsigned seed)
    {
        random.seed(seed);
        function = std::make_unique<test_function>(queues);
        rig_options options;
        options.mode = GetParam();
        vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
        vmmio_features_add(&options.features, VMMIO_F_IN_ORDER);
        options.queue_size_max = size_max;
        options.requests = 16;
        r = std::make_unique<rig>(function->function(), options);
        function->on_request = [this](vmmio_request *request) { take(request); };
        for (queue_model &q : q_) {
            q.ring_at = r->alloc(32 * size_max + 64, 4096);
            q.parts_at = r->alloc(part_bytes * size_max);
        }
        start();
    }
    /* Reset, another choice of features, other rings. */
    void start()
    {
        r->guest.reset();
        for (const held_request &h : held)
            vmmio_request_complete(h.request, 0);
        held.clear();
        features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_RESET});
        for (const unsigned bit : {VMMIO_F_RING_PACKED, VMMIO_F_IN_ORDER, VMMIO_F_EVENT_IDX,
                                   VMMIO_F_INDIRECT_DESC, VMMIO_F_NOTIFICATION_DATA})
            if (once_in(2))
                vmmio_features_add(&features, bit);
        ASSERT_TRUE(r->guest.negotiate(features));
        r->memory.withdraw_all();
        for (uint32_t i = 0; i < queues; i++)
            enable(i);
        r->guest.start();
        r->run();
        r->guest.acknowledge(1);
    }
    void enable(uint32_t index)
    {
        queue_model &q = q_[index];
        const uint32_t size = has(VMMIO_F_RING_PACKED) ? 1 + below(once_in(8) ? size_max : 20)
                                                       : 1u << below(once_in(8) ? 8 : 5);
        q.offered.clear();
        q.moved = 0;
        q.done.clear();
        q.order.clear();
        q.shown = 0;
        q.fresh.clear();
        q.parts.clear();
        for (uint32_t i = 0; i < size; i++)
            q.parts.push_back(q.parts_at + part_bytes * i);
        q.driver = std::make_unique<ring>(*r, index, q.ring_at, size, features);
    }
    bool has(unsigned bit) const { return vmmio_features_has(&features, bit); }

    /* The driver. */

    void offer(uint32_t index)
    {
        queue_model &q = q_[index];
        for (uint32_t n = below(4) + 1; n && q.driver->free_slots(); n--)
            add(q);
        if (q.driver->publish())
            r->guest.kick(
                index |
                (has(VMMIO_F_NOTIFICATION_DATA) ? static_cast<uint32_t>(random()) << 16 : 0));
    }
    void add(queue_model &q)
    {
        const uint32_t room = q.driver->free_slots();
        const bool table = has(VMMIO_F_INDIRECT_DESC) && once_in(3);
        const uint32_t limit = std::min(table ? q.driver->place().size : room, 6u);
        const uint32_t count = once_in(2) ? 1 : below(limit) + 1;
        const uint64_t at = q.parts.front();
        q.parts.pop_front();

        expected e;
        std::vector<piece> pieces;
        const uint32_t readable = below(count + 1);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t length = once_in(8) ? 0 : below(12) + 1;
            pieces.push_back({at + (i < readable ? 16 * i : 0), length, i >= readable});
        }
        /* The writable pieces follow one another, so that a byte too many shows. */
        e.part = at;
        e.address = at + 128;
        for (piece &p : pieces) {
            if (p.writable) {
                p.address = e.address + e.writable;
                e.writable += p.length;
            } else {
                for (uint32_t i = 0; i < p.length; i++)
                    e.in.push_back(static_cast<uint8_t>(random()));
                r->memory.set_bytes(p.address, {e.in.end() - p.length, e.in.end()});
            }
        }
        r->memory.fill(e.address, 100, 0xee);
        e.out.resize(once_in(2) ? e.writable : below(e.writable + 1));
        for (uint8_t &byte : e.out)
            byte = static_cast<uint8_t>(random());
        const uint32_t direct = has(VMMIO_F_RING_PACKED) ? 0 : below(std::min(count, room));
        e.id = table ? q.driver->add_indirect(pieces, at + 256, direct) : q.driver->add(pieces);
        e.named = pieces;
        if (table)
            e.named.push_back({at + 256, 16 * (count - direct), false});
        q.offered.push_back(e);
        if (has(VMMIO_F_IN_ORDER))
            q.order.push_back(e.id);
        total++;
    }
    void reap(uint32_t index)
    {
        queue_model &q = q_[index];
        while (const std::optional<used_entry> used = q.driver->reap()) {
            const auto found = q.done.find(static_cast<uint16_t>(used->id));
            ASSERT_NE(found, q.done.end()) << "used before the function was done with it";
            const expected &e = found->second;
            ASSERT_EQ(used->length, e.out.size());
            std::vector<uint8_t> bytes = e.out;
            bytes.resize(100, 0xee);
            ASSERT_EQ(r->memory.bytes(e.address, 100), bytes);
            if (has(VMMIO_F_IN_ORDER)) {
                ASSERT_EQ(q.order.front(), e.id);
                q.order.pop_front();
                q.shown--;
            }
            q.parts.push_back(e.part);
            q.done.erase(found);
        }
        q.driver->choose_event(random);
    }

    /* The function. */

    void take(vmmio_request *request)
    {
        queue_model &q = q_[request->queue];
        const auto moved_end = q.offered.begin() + static_cast<long>(q.moved);
        const auto at = std::find_if(q.offered.begin(), moved_end,
                                     [=](const expected &e) { return e.id == request->head; });
        if (at == q.offered.end()) {
            ADD_FAILURE() << "the function got what nobody offered";
            vmmio_request_complete(request, 0);
            return;
        }
        q.moved -= at != moved_end;
        const expected e = *at;
        q.offered.erase(at);
        EXPECT_EQ(request->readable_bytes, e.in.size());
        EXPECT_EQ(request->writable_bytes, e.writable);
        std::vector<uint8_t> in(e.in.size());
        EXPECT_TRUE(vmmio_request_read(request, 0, in.data(), request->readable_bytes));
        EXPECT_EQ(in, e.in);
        held.push_back({request, e, request->queue});
        if (once_in(2))
            give_back(held.size() - 1);
    }
    void give_back(size_t which)
    {
        const held_request h = held[which];
        held.erase(held.begin() + static_cast<long>(which));
        const uint32_t length = static_cast<uint32_t>(h.what.out.size());
        for (uint32_t at = 0; at < length;) {
            const uint32_t step = std::min(length - at, below(9) + 1);
            EXPECT_TRUE(vmmio_request_write(h.request, at, h.what.out.data() + at, step));
            at += step;
        }
        q_[h.queue].done[h.what.id] = h.what;
        if (!has(VMMIO_F_IN_ORDER))
            q_[h.queue].fresh.push_back(h.what.id);
        vmmio_request_complete(h.request, length);
    }

    /* The device, and whether it interrupts as it should. */

    void move()
    {
        for (auto h = held.rbegin(); h != held.rend(); ++h) {
            q_[h->queue].offered.push_front(h->what);
            q_[h->queue].moved++;
        }
        held.clear();
        ASSERT_TRUE(r->move());
        moves++;
    }

    void check_interrupt(bool pending)
    {
        bool due = pending;
        for (uint32_t i = 0; i < queues; i++)
            due = q_[i].driver->interrupt_due(newly_used(i)) || due;
        ASSERT_EQ(r->guest.interrupts(), due ? 1u : 0u);
    }
    /* Slots of the buffers that the driver sees newly, in their order. */
    std::vector<uint32_t> newly_used(uint32_t index)
    {
        queue_model &q = q_[index];
        std::vector<uint32_t> slots;
        for (const uint16_t id : q.fresh)
            slots.push_back(q.driver->slots_of(id));
        q.fresh.clear();
        for (; q.shown < q.order.size() && q.done.count(q.order[q.shown]); q.shown++)
            slots.push_back(q.driver->slots_of(q.order[q.shown]));
        return slots;
    }
    void reset_queue(uint32_t index)
    {
        queue_model &q = q_[index];
        std::vector<expected> out(q.offered.begin(), q.offered.end());
        std::vector<vmmio_request *> cancelled;
        for (const auto &[id, e] : q.done)
            out.push_back(e);
        for (auto h = held.begin(); h != held.end();) {
            if (h->queue != index) {
                ++h;
                continue;
            }
            out.push_back(h->what);
            cancelled.push_back(h->request);
            h = held.erase(h);
        }
        r->write_queue(index, VMMIO_REG_QUEUE_RESET, 1);
        ASSERT_EQ(r->read(VMMIO_REG_QUEUE_RESET), 0u);
        for (const expected &e : out)
            for (const piece &p : e.named)
                r->memory.withdraw(p.address, p.length);
        q.driver->withdraw();
        for (vmmio_request *request : cancelled)
            vmmio_request_complete(request, 5);
        enable(index);
    }

    void step()
    {
        const bool pending = r->guest.interrupts() != 0;
        const uint32_t index = below(queues);
        switch (below(16)) {
        default:
            offer(index);
            break;
        case 6:
        case 7:
        case 8:
            vmmio_device_run(&r->device, below(30) + 1);
            break;
        case 9:
        case 10:
            if (!held.empty())
                give_back(below(static_cast<uint32_t>(held.size())));
            break;
        case 11:
        case 12:
        case 13:
            check_interrupt(pending);
            r->guest.acknowledge(1);
            reap(index);
            return;
        case 14:
            r->memory.take_pointers_away();
            if (once_in(16))
                move();
            break;
        case 15:
            if (once_in(150)) {
                start();
                return;
            }
            if (once_in(50))
                reset_queue(index);
            break;
        }
        if (!HasFatalFailure())
            check_interrupt(pending);
    }
    /* Nothing is left behind, with no more kicks than the device asked for. */
    void drain()
    {
        for (int i = 0; i < 3; i++) {
            r->run();
            while (!held.empty())
                give_back(below(static_cast<uint32_t>(held.size())));
        }
        r->run();
        for (uint32_t i = 0; i < queues; i++) {
            reap(i);
            EXPECT_TRUE(q_[i].offered.empty()) << "a kick was lost";
            EXPECT_EQ(q_[i].driver->free_slots(), q_[i].driver->place().size);
        }
    }

    static constexpr uint64_t part_bytes = 512;
    std::minstd_rand random;
    std::unique_ptr<test_function> function;
    std::unique_ptr<rig> r;
    queue_model q_[queues];
    std::vector<held_request> held;
    vmmio_features features = {};
    uint64_t total = 0, moves = 0;
};

INSTANTIATE_TEST_SUITE_P(memory, ring_random, every_dma_mode(), dma_mode_name);

/* A million in all; the modes that map and unmap memory at each step are slow. */
unsigned requests_of(dma_mode mode)
{
    switch (mode) {
    case dma_mode::pointer:
        return 520000;
    case dma_mode::whole:
        return 30000;
    case dma_mode::transaction:
        return 300000;
    case dma_mode::mixed:
        return 120000;
    case dma_mode::fleeting:
        return 30000;
    }
    return 0;
}

TEST_P(ring_random, agrees_with_a_plain_driver)
{
    ROWS("RFB-08", "VQ-02", "VQ-03", "VQ-06", "VQ-09", "SPLIT-33", "SPLIT-40", "SPLIT-51",
         "PACK-12", "PACK-13", "PACK-17", "PACK-21", "PACK-24", "PACK-44", "A-EVENT", "A-NDATA");
    const auto seed = static_cast<unsigned>(setting("VMMIO_SEED", 1));
    const uint64_t wanted = setting("VMMIO_REQUESTS", requests_of(GetParam()) / slower);
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("repeat with VMMIO_SEED=" + std::to_string(seed));
    set_up(seed);
    while (total < wanted && !HasFailure()) {
        step();
        r->memory.log.clear();
        r->edges.clear();
    }
    if (!HasFailure())
        drain();
    EXPECT_EQ(r->guest.status(), 0x0fu);
    EXPECT_TRUE(r->diagnostics.empty());
    EXPECT_GE(total, wanted) << "buffers before the failure";
    EXPECT_GE(moves, wanted / 1000) << "of the state";
}

} // namespace
} // namespace vmmio::tb
