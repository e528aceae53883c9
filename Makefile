# The front door. Every target sets up what it needs; what is there already is left alone.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup build run test bench bench-linux clean distclean

KERNEL ?= 6.12
FORM ?= tlm

help:
	@echo 'make run      boot Debian'\''s Linux in QEMU against the SystemC device and check what it does'
	@echo '              KERNEL=6.12|6.1|sid (now $(KERNEL)), FORM=tlm|rtl|lockstep (now $(FORM))'
	@echo 'make test     build everything, also with sanitizers, and run every test'
	@echo 'make bench    count instructions against the baselines; writes build/bench.csv'
	@echo 'make bench-linux'
	@echo '              measure our devices under Linux beside QEMU'\''s own; writes build/bench-linux.csv'
	@echo 'make synth    size and speed of the Verilog form on FPGAs; writes build/synth.csv'
	@echo 'make soak     10^8 random accesses to the Verilog form in lockstep with the C model'
	@echo '              ACCESSES=100000000 (now $(ACCESSES)), SEED=the time'
	@echo 'make formal   prove the Verilog form with model checkers; writes build/formal.csv'
	@echo 'make coverage  lines and bits of the Verilog form that its tests reach, as HTML'
	@echo 'make mutate   change the Verilog form in small ways: do tests or proofs notice? build/mutate.csv'
	@echo 'make build    build the libraries, the programs and the tests into build/'
	@echo 'make setup    install the Debian packages that the other targets need (root or sudo)'
	@echo 'make clean    remove what was built; QEMU, kernels and SystemC that were fetched stay'
	@echo 'make distclean  remove build/ altogether'

setup:
	@scripts/setup

build:
	@scripts/setup build
	@scripts/build release

run:
	@scripts/setup build linux
	@python3 tb/linux/run.py --form $(FORM) --check-form
	@scripts/get-kernel $(KERNEL)
	@scripts/get-qemu
	@scripts/build release vmmio-platform
	@python3 tb/linux/run.py --kernel $(KERNEL) --form $(FORM)

test:
	@scripts/test

bench:
	@scripts/setup build bench
	@scripts/build bench vmmio-bench
	@python3 tb/bench/run.py

bench-linux:
	@scripts/setup build linux
	@scripts/get-kernel $(KERNEL)
	@scripts/get-qemu
	@scripts/build release vmmio-platform
	@python3 tb/linux/bench.py --kernel $(KERNEL)

clean:
	@if [ -d build ]; then \
	    find build -mindepth 1 -maxdepth 1 ! -name qemu ! -name kernels ! -name systemc3 -exec rm -rf {} +; fi

distclean:
	@rm -rf build

include rtl/synth.mk
include tb/cosim/cosim.mk
include tb/formal/formal.mk
