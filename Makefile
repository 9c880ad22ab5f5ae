# Gatehouse. `make demo` shows it, `make test` proves it; both do their own set-up (tools/setup).

PYTHON_BIN := .venv/bin

.PHONY: help demo week story signs faults pictures image card test test-image check bench requirements setup clean

help:
	@echo "make demo          a household in network namespaces, from a device's first frame to the officer's page"
	@echo "                   STORY=quiet, DEMO_SECONDS=60, PORT=8080 bound it"
	@echo "make week          seven days of a made-up household, told as a capture, and where the box was wrong about it"
	@echo "make story         seven days of two households, one compliant and one not: every finding, in order"
	@echo "make signs         real programs that go round a router, and everyday ones: what the box makes of each"
	@echo "make faults        faults made on purpose, each with the promise that is to hold; FAULTS=\"lists clock\" picks some"
	@echo "make image         a file for a memory card, into build/image: BOARD=pi4 (Pi 3B+, 4, 400, CM4) or BOARD=qemu"
	@echo "make card          the operator's card into an image: IMAGE=build/image/gatehouse-pi4.img CARD=operator.toml"
	@echo "make test-image    the image for QEMU, started: first boot, enrolment, updates, power cuts (an hour)"
	@echo "make pictures      pictures of the pages for the guides, of made-up households"
	@echo "make test          linters, then all tests"
	@echo "make check         linters only"
	@echo "make bench         the measurements, each beside a peer in the same run"
	@echo "make requirements  which tests prove which requirement"
	@echo "make setup         only the set-up"
	@echo "make clean         remove what was built and the Python environment"

setup:
	@sh tools/setup

demo: setup
	@$(PYTHON_BIN)/python -m lab.demo $(if $(STORY),--story "$(STORY)") $(if $(DEMO_SECONDS),--seconds "$(DEMO_SECONDS)") $(if $(PORT),--port "$(PORT)")

week: setup
	@$(PYTHON_BIN)/python -m lab.week --run

story: setup
	@$(PYTHON_BIN)/python -m lab.week --signs

signs: setup
	@$(PYTHON_BIN)/python -m lab.enter -- $(PYTHON_BIN)/python -m lab.tools $(TOOLS)

faults: setup
	@$(PYTHON_BIN)/python -m lab.enter -- $(PYTHON_BIN)/python -m lab.faults $(FAULTS)

pictures: setup
	@$(PYTHON_BIN)/python -m lab.pictures

check: setup
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/mypy
	MYPYPATH=image-build $(PYTHON_BIN)/mypy -p imaging
	$(PYTHON_BIN)/lint-imports
	shellcheck tools/setup tools/tests tools/test-image systemd/install .ci/run

image:
	@sh tools/setup image
	@$(PYTHON_BIN)/python image-build/build.py "$(BOARD)" $(IMAGE_OPTIONS)

card: setup
	@$(PYTHON_BIN)/python image-build/write_card.py "$(IMAGE)" "$(CARD)"

test-image:
	@sh tools/setup image
	@sh tools/test-image

test: check
	@sh tools/tests

bench: setup
	$(PYTHON_BIN)/python -m lab.enter -- $(PYTHON_BIN)/python -m bench

requirements: setup
	@$(PYTHON_BIN)/python tools/requirements.py

clean:
	rm -rf .venv build artefacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* gatehouse.egg-info
	find appliance bench dashboard firmware lab tests wire -name __pycache__ -type d -prune -exec rm -rf {} +
