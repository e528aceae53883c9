# Proofs about the Verilog form.
.PHONY: formal
formal:
	@scripts/setup build rtl
	@python3 tb/formal/run.py
