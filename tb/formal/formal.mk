# Proofs about the Verilog form, and what the tests see of it when it is changed.
.PHONY: formal
formal:
	@scripts/setup build rtl
	@python3 tb/formal/run.py

.PHONY: mutate
mutate:
	@scripts/setup build rtl
	@python3 tb/formal/mutate.py
