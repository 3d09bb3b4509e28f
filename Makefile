# One word per chore. `make demo` on a fresh machine sets everything up and serves at http://127.0.0.1:8000.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CACHE := .cache
STAMPS := $(CACHE)/stamps
# An extra package index for the CPU build of torch, where the default one carries CUDA builds:
# make setup TORCH_INDEX=https://...
TORCH_INDEX ?=
TORCH_FLAGS = $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX),)
# What this product does not use of llama.cpp is not compiled; see assistant/lm/trim.cmake.
LLAMA_ARGS ?= -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF -DGGML_OPENMP=OFF -DCMAKE_PROJECT_INCLUDE=$(CURDIR)/assistant/lm/trim.cmake
LLAMA_VERSION := $(shell sed -n 's/^llama-cpp-python==//p' constraints.txt)
WHEELS := $(CACHE)/wheels
PIP = $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt
say = @printf '\033[1m%s\033[0m\n' "$(1)"

export HF_HUB_OFFLINE := 1
export ANONYMIZED_TELEMETRY := False

.PHONY: demo setup test test-long lint schema evals bench gallery train system clean

demo: setup
	$(BIN)/andon demo

setup: $(STAMPS)/packages $(STAMPS)/embedder

$(STAMPS)/venv:
	$(call say,1/4  virtual environment in $(VENV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	  || { echo "Andon needs Python 3.11 (or 3.12); name it with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) $(WHEELS) && touch $@

$(STAMPS)/torch: $(STAMPS)/venv constraints.txt
	$(call say,2/4  torch (CPU build) for the one-time export of the embedder)
	@$(BIN)/python -m pip install --disable-pip-version-check --dry-run -q --report - $(TORCH_FLAGS) -c constraints.txt torch 2>/dev/null \
	  | grep -q '"nvidia-' && echo "     note: this index gives the CUDA build of torch (gigabytes); TORCH_INDEX= may name one with the CPU build" || true
	@$(PIP) $(TORCH_FLAGS) torch
	@touch $@

$(WHEELS)/llama_cpp_python-$(LLAMA_VERSION).stamp: $(STAMPS)/venv assistant/lm/trim.cmake
	$(call say,3/4  llama-cpp-python $(LLAMA_VERSION): compiled once (four to ten minutes on two cores) and kept in $(WHEELS))
	@CMAKE_ARGS="$(LLAMA_ARGS)" CMAKE_BUILD_PARALLEL_LEVEL=$$(nproc) $(BIN)/python -m pip wheel --disable-pip-version-check \
	  --no-deps --no-binary llama-cpp-python -v -w $(WHEELS) llama-cpp-python==$(LLAMA_VERSION) > $(CACHE)/llama-cpp.log 2>&1 & \
	  job=$$!; while kill -0 $$job 2>/dev/null; do sleep 3; \
	  printf '\r     %s ' "$$(grep -oE '^ *\[[0-9]+/[0-9]+\]' $(CACHE)/llama-cpp.log | tail -n 1)"; done; echo; \
	  wait $$job || { tail -n 20 $(CACHE)/llama-cpp.log; echo "llama-cpp-python did not compile; the whole log is $(CACHE)/llama-cpp.log"; exit 1; }
	@touch $@

$(STAMPS)/packages: $(STAMPS)/torch $(WHEELS)/llama_cpp_python-$(LLAMA_VERSION).stamp pyproject.toml constraints.txt
	$(call say,4/4  packages)
	@$(PIP) $(WHEELS)/llama_cpp_python-$(LLAMA_VERSION)*.whl
	@$(PIP) -e '.[train,dev]'
	@touch $@

$(STAMPS)/embedder: $(STAMPS)/packages retrieval/embed.py
	$(call say,Embedder: exported to int8 ONNX and compared with the original)
	@$(BIN)/python -m retrieval.embed export $(CACHE)/embedder
	@touch $@

test: setup
	$(BIN)/python -m pytest

test-long: setup
	$(BIN)/python -m pytest -m long

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy

schema: setup
	$(BIN)/python -c "import json, tools.model_file as m; print(json.dumps(m.json_schema(), indent=1, ensure_ascii=False, sort_keys=True))" > tools/plant_model.schema.json

evals: setup
	$(BIN)/andon evals

bench: setup
	$(BIN)/andon bench

# One document of every kind, as PDF and pictures, into docs/gallery.
gallery: setup
	$(BIN)/python -m evals.gallery

train: setup
	$(BIN)/python -m assistant.lm.train
	$(BIN)/python -m evals.calibration

# What needs root: Debian packages for the optional parts and their tests.
system:
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium chromium-driver postgresql espeak-ng sox libsox-fmt-all tesseract-ocr

clean:
	rm -rf $(VENV) $(CACHE) .andon
