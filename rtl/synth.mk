# Area and clock of the Verilog form; writes build/synth.csv.
.PHONY: synth
synth:
	@scripts/setup build rtl
	@scripts/synth
