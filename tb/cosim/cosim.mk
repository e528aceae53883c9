# Long runs of the lockstep between Verilog and C model.
.PHONY: soak
ACCESSES ?= 100000000
SEED ?= $(shell date +%s)
soak:
	@scripts/setup build rtl
	@scripts/build release rtl_small rtl_usual rtl_large
	@scripts/soak $(ACCESSES) $(SEED)
