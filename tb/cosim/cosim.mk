# Long runs of the lockstep between Verilog and C model, and what it reaches in rtl/.
.PHONY: soak coverage
ACCESSES ?= 100000000
SEED ?= $(shell date +%s)
soak:
	@scripts/setup build rtl
	@scripts/build release rtl_small rtl_usual rtl_large
	@scripts/soak $(ACCESSES) $(SEED)

coverage:
	@scripts/setup build rtl coverage
	@scripts/build coverage rtl_small rtl_usual rtl_large rtl_wide
	@scripts/coverage
