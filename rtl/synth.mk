# Area and clock of the Verilog form, of which no tool may complain; writes build/synth.csv.
.PHONY: synth
synth:
	@scripts/setup build rtl
	@python3 tb/cosim/lint.py
	@scripts/synth
