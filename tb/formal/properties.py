# SPDX-License-Identifier: Apache-2.0
"""Parameter sets, contracts, and a mutant for every property that must make it fail."""

# As tb/cosim has them; "large" has fewer queues and regions, which its proofs do not depend on.
SETS = {
    "small": {"QUEUES": "1", "QUEUE_SIZES": "16'h8000", "REGIONS": "0", "CONFIG_BYTES": "0",
              "HOLD_RESET": "1", "FEATURES": "128'h100000000", "REQUIRED": "128'h100000000"},
    "usual": {"QUEUES": "2", "QUEUE_SIZES": "32'h01000100", "REGIONS": "1", "CONFIG_BYTES": "8",
              "HOLD_RESET": "1", "FEATURES": "128'h94130000000", "REQUIRED": "128'h100000000"},
    # 3 queues do not fill the selector's bits, 13 bytes end inside a word; bit 1 needs 0, 70 needs 1.
    "large": {"QUEUES": "3", "QUEUE_SIZES": "48'h800000400001", "REGIONS": "2",
              "CONFIG_BYTES": "13", "HOLD_RESET": "0",
              "FEATURES": "128'h80000000000000410000094130000003", "REQUIRED": "128'h100000000",
              "DEPENDENCY_COUNT": "2", "DEPENDENCIES": "48'h000001460001",
              "QUEUE_BITS": "2"}, # else the top's to tell, and not every proof has the top
    # Packed rings, whose limit need not be a power of 2.
    "packed": {"QUEUES": "1", "QUEUE_SIZES": "16'h0064", "REGIONS": "0", "CONFIG_BYTES": "0",
               "HOLD_RESET": "1", "FEATURES": "128'h10500000000", "REQUIRED": "128'h100000000"},
}
for values in SETS.values(): # else the register block alone has 0 for both, and any reading is right
    values.update({"DEVICE_ID": "32'd42", "VENDOR_ID": "32'h6f696d76"})

CONTRACTS = ("axi", "axi_progress", "interrupt", "write_only", "shm", "features", "status",
             "queues", "config", "refused")

# Sets that differ in nothing else.
CONTRACTS_OF = {"packed": ("queues",)}

# What `make test` proves, where the small set would leave something out.
FAST_SETS = {"shm": ["usual"], "config": ["usual"], "refused": ["usual"], "interrupt": ["small", "usual"]}

# Proved once for each value of some anyconsts, which is far quicker than for all at once: how many
# values each has, a number or a parameter.
CASES = {
    "latch_is_one_entry": {"some_bit": 32},
    "back_reads_what_was_written": {"q": "QUEUES", "some_bit": 32},
    "size_is_legal": {"q": "QUEUES"},
    "leaves_no_trace_at_the_back": {"reads": 2},
    "leaves_no_trace_in_time": {"reads": 2},
    "leaves_no_trace_in_data": {"reads": 2},
    "leaves_no_trace_in_reads": {"reads": 1},
}

# Values that have to do in a set: the last of its queues, where each would take another 10 minutes.
ONLY = {"large": {"q": [2]}}

# Not proved by `make test`: a case takes minutes.
SLOW = {"size_is_legal"}

MUTANT_SETS = {"never_without_needed": "large", "stop_until_done": "large",
               "size_is_legal": "packed", "packed_events_are_aligned": "packed"}

# Property: (module of rtl/, text, what it becomes).
MUTANTS = {
    # axi
    "outputs_are_registers": ("vmmio_axil", "s_axil_bresp = 2'b00",
                              "s_axil_bresp = {1'b0, s_axil_bready && s_axil_bvalid}"),
    "silent_after_reset": ("vmmio_axil", "s_axil_rvalid <= 1'b0;", "s_axil_rvalid <= s_axil_rvalid;"),
    "okay_always": ("vmmio_axil", "s_axil_rresp = 2'b00", "s_axil_rresp = 2'b10"),
    "answer_waits": ("vmmio_axil", "answered     = s_axil_bvalid && s_axil_bready",
                     "answered     = s_axil_bvalid"),
    "data_waits": ("vmmio_axil", "read_step = !s_axil_rvalid || s_axil_rready", "read_step = 1'b1"),
    "no_answer_without_write": ("vmmio_axil", "more_answers  <= write_done && s_axil_bvalid;",
                                "more_answers  <= write_done;"),
    "no_data_without_address": ("vmmio_axil", "s_axil_rvalid <= decoded;",
                                "s_axil_rvalid <= decoded || s_axil_rvalid;"),
    "few_outstanding": ("vmmio_skid", "in_ready <= rst || out_take", "in_ready <= 1'b1"),
    "ready_when_empty": ("vmmio_skid", "if (rst || out_valid) begin", "begin"),
    "read_is_answered": ("vmmio_axil", "decoded <= read_valid;", "decoded <= read_valid && !rst && "
                         "!write_take;"),
    "write_is_answered": ("vmmio_axil", "s_axil_bvalid <= write_done ||",
                          "s_axil_bvalid <= (write_done && s_axil_bready) ||"),
    "write_is_the_buss": ("vmmio_skid", "out_data  = in_ready ? in_data : kept",
                          "out_data  = in_data"),
    "read_is_the_buss": ("vmmio_skid", "if (in_ready)\n", "if (in_valid)\n"),
    "none_is_overtaken": ("vmmio_skid", "in_ready <= rst || out_take",
                          "in_ready <= rst || out_take || in_valid"),
    "data_is_the_blocks": ("vmmio_axil", "if (decoded)\n                s_axil_rdata",
                           "if (read_take)\n                s_axil_rdata"),
    # axi_progress
    "write_ends": ("vmmio_status", "if (!ask || features_done) begin",
                   "if (!ask || suspend_done) begin"),
    # interrupt
    "irq_is_status": ("vmmio_interrupt", "irq              <= |next;",
                      "irq              <= next[0];"),
    "reads_pending": ("vmmio_register_block", "{30'd0, interrupt_status &",
                      "{30'd0, {interrupt_status[0], interrupt_status[1]} &"),
    "no_event_lost": ("vmmio_interrupt", "(interrupt_status & ~(ack_bits & {2{ack}})) | raise",
                      "(interrupt_status | raise) & ~(ack_bits & {2{ack}})"),
    "event_raises_irq": ("vmmio_register_block", "raise[0] = driver_ok &&",
                         "raise[0] = live &&"),
    # write_only
    "write_only_reads_zero": ("vmmio_register_block",
                              "r_status           <= read_control && is_at(read_at, "
                              "`VMMIO_REG_STATUS);",
                              "r_status <= read_control && (is_at(read_at, `VMMIO_REG_STATUS) || "
                              "is_at(read_at, `VMMIO_REG_QUEUE_NOTIFY));"),
    "nowhere_reads_zero": ("vmmio_register_block", "read_control = read_address[6]",
                           "read_control = !read_address[7]"),
    "behind_config_reads_zero": ("vmmio_register_block",
                                 "config_loaded && CONFIG_EXISTS[{1'b0, read_at}]",
                                 "config_loaded"),
    "magic": ("vmmio_register_block", "{32{r_magic}}", "{32{r_magic && status == 8'd0}}"),
    "version": ("vmmio_register_block", "{32{r_version}}", "{32{r_version && status == 8'd0}}"),
    "device_id": ("vmmio_register_block", "{32{r_device_id}}", "{32{r_device_id && !irq}}"),
    "vendor_id": ("vmmio_register_block", "{32{r_vendor_id}}", "{32{r_vendor_id && !back_live}}"),
    # shm
    "latch_is_one_entry": ("vmmio_shm", "keep = found && pointer == old_slot;",
                           "keep = 1'b0;"),
    "no_change_while_selected": ("vmmio_shm", "commit_ready = !select", "commit_ready = !write_sel"),
    # features
    "never_unoffered": ("vmmio_features", "unoffered[i]         <= extra;",
                        "unoffered[i]         <= extra && i != 1;"),
    "never_beyond": ("vmmio_features", "beyond <= beyond || (driver_sel",
                     "beyond <= (driver_sel"),
    "never_without_required": ("vmmio_features", "(REQUIRED & ~features)", "(REQUIRED & ~FEATURES)"),
    "never_without_needed": ("vmmio_features", "!features[DEPENDENCIES[16*d + 8 +: 7]]",
                             "!FEATURES[DEPENDENCIES[16*d + 8 +: 7]]"),
    "features_ok_is_agreed": ("vmmio_status", "(ask && features_accept)", "ask"),
    "frozen": ("vmmio_features", "write_driver && !features_ok", "write_driver"),
    "features_are_accepted": ("vmmio_features", "data & FEATURES[32*i +: 32]", "data"),
    "reads_offered": ("vmmio_features", "above_byte || low[7:2] != 6'd0", "low[7:2] != 6'd0"),
    # status
    "bits_stay": ("vmmio_status", "<= status[DRIVER] || data[1];", "<= data[1];"),
    "driver_ok_stays": ("vmmio_status", "status[SUSPEND]   <= 1'b1;",
                        "status[SUSPEND]   <= status[SUSPEND];"),
    "suspend_stays": ("vmmio_status", "status[SUSPEND]   <= 1'b0;\n                    status[DRIVER_OK] <= 1'b1;",
                      "status[SUSPEND]   <= 1'b0;"),
    "bits_were_written": ("vmmio_status", "status[ACKNOWLEDGE] || data[0];",
                          "status[ACKNOWLEDGE] || data[0] || data[1];"),
    "suspend_was_written": ("vmmio_status", "if (data[4] && live", "if (live"),
    "failed_ends": ("vmmio_status", "if (status[FAILED] || data[7]) begin", "if (data[7]) begin"),
    "needs_reset_is_the_devices": ("vmmio_status", "breaks = !resetting && !status[NEEDS_RESET];",
                                   "breaks = !resetting && !status[NEEDS_RESET] && status[DRIVER];"),
    "no_reserved_bit": ("vmmio_status", "step <= FEATURES;", "step <= FEATURES; status[5] <= data[5];"),
    "order": ("vmmio_status", "data[2] && status[FEATURES_OK] && !suspended", "data[2] && !suspended"),
    "suspend_is_negotiated": ("vmmio_status", "live && suspend_offered", "live"),
    "live_is_status": ("vmmio_status", "!suspended && !status[NEEDS_RESET] &&", "!suspended &&"),
    "reads_status": ("vmmio_register_block", "{24'd0, status & {8{r_status}}}",
                     "{24'd0, status & {8{r_status && !suspended}}}"),
    "reset_is_written": ("vmmio_status", "end else if (data_zero) begin",
                         "end else if (data[3:0] == 4'd0) begin"),
    "zero_resets": ("vmmio_register_block", "(!w_above_bit && !w_data[0])",
                    "(!w_above_bit && !w_data[0] && !irq)"),
    "reset_is_held": ("vmmio_status", "clear           = resetting && reset_done",
                      "clear           = resetting && (reset_done || suspend_done)"),
    "suspend_is_held": ("vmmio_status", "if (suspending && suspend_done) begin",
                        "if (suspending && (suspend_done || needs_reset)) begin"),
    "reset_clears_status": ("vmmio_status", "status     <= 8'd0;",
                            "status     <= {status[FAILED] && !rst, 7'd0};"),
    "reset_clears_irq": ("vmmio_register_block", "(block_rst),\n        .ack ",
                         "(rst),\n        .ack "),
    "reset_clears_queues": ("vmmio_register_block", "(block_rst),\n        .first ",
                            "(rst),\n        .first "),
    "reset_clears_features": ("vmmio_register_block", "(block_rst),\n        .write_device_sel",
                              "(rst),\n        .write_device_sel"),
    "reset_reads_status": ("vmmio_register_block", "{24'd0, status & {8{r_status}}}",
                           "{24'd0, (status | {7'd0, config_loaded}) & {8{r_status}}}"),
    "reset_reads_zero": ("vmmio_register_block", "(block_rst),\n        .ack ",
                         "(rst),\n        .ack "),
    "reset_selects_queue_0": ("vmmio_queues", "exists <= 1'b1;", "exists <= exists;"),
    "reset_selects_word_0": ("vmmio_features", "device_sel <= 4'b0001;", "device_sel <= 4'b0010;"),
    # refused
    "leaves_no_trace_at_the_back": ("vmmio_register_block",
                                    "write_address[6] && write_strobe == 4'b1111",
                                    "write_address[6] && write_strobe[2:0] == 3'b111"),
    "leaves_no_trace_in_time": ("vmmio_register_block", "w_slow                <= for_config || (control &&",
                                "w_slow                <= for_config || (write_address[6] &&"),
    "leaves_no_trace_in_data": ("vmmio_register_block", "w_data   <= write_data;",
                                "w_data   <= write_address[7:6] == 2'd0 ? w_data : "
                                "write_data | {w_data[31], 31'd0};"),
    "leaves_no_trace_in_reads": ("vmmio_register_block", "w_shm_sel             <= control &&",
                                 "w_shm_sel             <= !refused && "
                                 "write_address[7:6] != 2'b10 &&"),
    # queues
    "back_reads_what_was_written": ("vmmio_queues", "store_word  <= sweep ? step : setting;",
                                    "store_word  <= setting;"),
    "enable_was_asked": ("vmmio_queues", "fault_now = sel_fresh;", "fault_now = 1'b0;"),
    "size_is_legal": ("vmmio_queues", "check_data[31:16] != 16'd0 || check_data",
                      "check_data"),
    "packed_events_are_aligned": ("vmmio_queues", "(ring_packed && check_data[1])", "1'b0"),
    "addresses_are_aligned": ("vmmio_queues", "check_data[3:0] != 4'd0", "check_data[2:0] != 3'd0"),
    "enable_is_held": ("vmmio_queues", "enabling && checked && !fault;",
                       "enabling && checked && !fault && !queue_stop_done[0];"),
    "alive_was_accepted": ("vmmio_queues", "enable_done && enable_accept;", "enable_done;"),
    "accepted_is_alive": ("vmmio_queues", "{QUEUES{start}}", "{QUEUES{start && live}}"),
    "alive_until_stopped": ("vmmio_queues", "alive & ~(hot & {QUEUES{stop}})", "alive & ~{QUEUES{stop}}"),
    "stop_until_done": ("vmmio_queues", "~queue_stop_done", "~{QUEUES{queue_stop_done[0]}}"),
    "stop_has_a_reason": ("vmmio_queues", "hot & ~stopping & {QUEUES{stop}}", "~stopping & {QUEUES{stop}}"),
    "not_both": ("vmmio_queues", "(alive & ~(hot & {QUEUES{stop}}))", "alive"),
    "ready_reads_back": ("vmmio_queues", "exists && (is_alive || is_stopping)", "exists && is_alive"),
    "queue_reset_reads_back": ("vmmio_queues", "is_stopping && !is_written;", "is_stopping;"),
    "size_max_reads": ("vmmio_queues", "exists ? limit", "exists && !live ? limit"),
    "absent_queue_reads_zero": ("vmmio_queues", "!data_upper && !data_middle && EXISTS",
                                "!data_middle && EXISTS"),
    "absent_queue_is_idle": ("vmmio_queues", "exists && (is_alive || is_stopping)",
                             "(is_alive || is_stopping)"),
    "kick_is_told": ("vmmio_queues", "notify <= !rst && live &&", "notify <= !rst && live && with_data &&"),
    "no_other_kick": ("vmmio_queues", "notify <= !rst && live &&", "notify <= !rst &&"),
    "kick_is_of_a_queue": ("vmmio_queues", "(data[7:0] >> QUEUE_BITS) == 8'd0 &&", ""),
    # config
    "window_reads_commit": ("vmmio_config", "bank   <= !bank;",
                            "bank   <= commit_counts ? !bank : bank;"),
    "generation_counts_commits": ("vmmio_config", "if (commit_counts)",
                                  "if (commit_counts && !resetting)"),
    "commit_waits_for_resume": ("vmmio_config", "!suspend || resetting", "!suspend"),
    "write_is_passed": ("vmmio_config", "bytes != 4'd0 && !suspended",
                        "bytes != 4'd0 && !suspended && driver_ok"),
    "no_other_write": ("vmmio_config", "bytes != 4'd0 && !suspended", "bytes != 4'd0"),
    "write_is_held": ("vmmio_config", "(request && !request_done)",
                      "(request && !request_done && !driver_ok)"),
}
