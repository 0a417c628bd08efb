# Everything a contributor or CI runs. Needs only Python 3.11+ and make: each target sets up what it uses.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN_LOCK := requirements/run.txt
DEV_LOCK := requirements/dev.txt
PYTEST_ARGS ?=
DEMO_ARGS ?=
SOAK_ARGS ?= --minutes 60
SCOREBOARD_ARGS ?=
# What builds installers and lints workflows. On Linux the system's own Python, which the package will run on, if it can.
SHIP_PYTHON ?= $(if $(filter Linux,$(shell uname)),$(shell /usr/bin/python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo $(PYTHON)),$(PYTHON))
SHIP_VENV ?= .venv-ship
SHIP := $(SHIP_VENV)/bin
SHIP_LOCK := requirements/ship.txt
MUTATION := .venv-mutation/bin
MUTATION_ARGS ?=

# Without bytecode on disk every process compiles all that it imports: seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow check docs format bench screenshots soak scoreboard mutation run system-deps wheel-check translations lock clean deb headless-check lint-workflows lint-packaging sbom update-manifest audit qt-deps deb-deps

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(BIN)/.run ## the whole program against a simulated Twitch, no account needed
	$(BIN)/itsjustintv-desktop demo $(DEMO_ARGS)

test: $(BIN)/.dev ## the default test suite (some minutes)
	$(BIN)/python -m pytest -m "not slow" -n 5 --dist worksteal $(PYTEST_ARGS)

test-slow: $(BIN)/.dev ## the tests that take minutes
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

check: $(BIN)/.dev lint-workflows lint-packaging ## ruff, mypy, the linters of workflows and packages, the links of the docs, as CI runs them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.configuration --check
	$(BIN)/python -m tools.links

docs: $(BIN)/.dev ## docs/configuration.md anew from the schema, and every link looked at
	$(BIN)/python -m tools.configuration
	$(BIN)/python -m tools.links

lint-workflows: $(SHIP)/.ship ## .github/workflows and compose.yaml, with no network
	$(SHIP)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(SHIP)/check-jsonschema -q --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(SHIP)/check-jsonschema -q --builtin-schema vendor.compose-spec installers/container/compose.yaml
	$(SHIP)/zizmor --offline --no-progress --quiet --persona=auditor .github/workflows

lint-packaging: $(BIN)/.dev ## menu entry, metainfo, licences of all that is bundled, compiled parts, shell scripts
	$(BIN)/python -m installers.lint

sbom: $(SHIP)/.ship ## what is inside of installers, as CycloneDX, in build/
	mkdir -p build
	$(SHIP)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --spec-version 1.6 --of JSON \
		-o build/sbom.cdx.json requirements/bundle.txt

update-manifest: $(BIN)/.run ## what tells installed programs of this version, signed by UPDATE_KEY, in build/update (docs/updates.md)
	$(BIN)/python -m installers.update_manifest build/update

audit: $(SHIP)/.ship ## known holes in what is shipped (asks the package registry)
	for lock in bundle ship; do $(SHIP)/pip-audit --strict --disable-pip --require-hashes -r requirements/$$lock.txt || exit 1; done

format: $(BIN)/.dev ## let ruff tidy the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BIN)/.dev ## ratios measured in one run, see docs/performance.md
	$(BIN)/python -m benchmarks

screenshots: $(BIN)/.dev ## every page in both themes into docs/images/, over the demo's data
	$(BIN)/python -m tools.screenshots

soak: $(BIN)/.dev ## an hour of the real program with everything failing at random
	$(BIN)/python -m tests.soak $(SOAK_ARGS)

scoreboard: $(BIN)/.dev ## faults, hostile input and kill -9 together; SCOREBOARD_ARGS=--write keeps it in docs/reliability.md
	$(BIN)/python -m pytest -p tests.scoreboard.plugin -m "fault or hostile" -q -n 2 --dist worksteal $(subst --write,--scoreboard-write docs/reliability.md,$(SCOREBOARD_ARGS))

mutation: $(BIN)/.dev $(MUTATION)/.mutation ## do the tests of the core notice when it is changed? MUTATION_ARGS="--sample 20 --seed 1"
	$(MUTATION)/python tools/mutation.py $(MUTATION_ARGS)

run: $(BIN)/.run ## the engine without a screen, with your own config
	$(BIN)/itsjustintv-desktop serve

APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
# What Qt loads from the system; those of an installed package are named in briefcase.toml.
QT_DEPS := libegl1 libgl1 libopengl0 libfontconfig1 libdbus-1-3 libglib2.0-0 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 \
	libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libx11-xcb1 \
	libwayland-cursor0 libwayland-egl1 fonts-dejavu-core
DEB_DEPS := build-essential ca-certificates dpkg-dev python3-dev python3-venv

system-deps: ## Debian packages that some tests need (run as root)
	apt-get update -qq
	$(APT) $(QT_DEPS) $(DEB_DEPS) appstream caddy dbus desktop-file-utils gnome-keyring gnupg groff-base nginx-light nodejs osslsigncode pebble \
		php-cli shellcheck systemd tinyproxy util-linux wrk xvfb openbox trayer xdotool imagemagick x11-utils xfce4-notifyd xfce4-panel yaegi

qt-deps: ## only what Qt needs (run as root)
	apt-get update -qq
	$(APT) $(QT_DEPS)

deb-deps: ## only what make deb needs (run as root)
	apt-get update -qq
	$(APT) $(QT_DEPS) $(DEB_DEPS)

wheel-check: $(BIN)/.dev ## build the wheel, install it elsewhere, run the demo from it
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(BIN)/python -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(RUN_LOCK)
	build/wheel/venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps build/wheel/*.whl
	cd build/wheel && venv/bin/itsjustintv-desktop config example > config.toml
	cd build/wheel && venv/bin/itsjustintv-desktop --data-dir data demo --headless --seconds 5

headless-check: $(BIN)/.venv ## the container's inside without a container: installed with no Qt, run, its health asked
	rm -rf build/headless && mkdir -p build/headless
	$(BIN)/python -m venv build/headless/build
	$(BIN)/python -m venv build/headless/venv
	build/headless/build/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/build.txt
	build/headless/venv/bin/pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/headless.txt
	build/headless/build/bin/pip wheel -qq --no-deps --no-build-isolation --wheel-dir build/headless .
	build/headless/venv/bin/pip install -qq --disable-pip-version-check --no-deps build/headless/*.whl
	build/headless/venv/bin/pip uninstall -qq --yes pip setuptools
	build/headless/venv/bin/python -m compileall -q build/headless/venv
	$(BIN)/python -m installers.container.check build/headless/venv

deb: $(SHIP)/.ship build/icons/.drawn build/share/.made ## a Debian package in dist/, built for this system
	$(SHIP)/python -m installers.bundle linux system --adhoc-sign

translations: ## bring resources/translations up to date with the texts of the code, and say what is not translated
	$(PYTHON) tests/ui/translations.py

lock: $(BIN)/.dev ## renew the hashed locks
	$(BIN)/python -m pip install -qq uv
	$(BIN)/python requirements/lock.py

clean: ## remove what these targets made
	rm -rf $(VENV) $(SHIP_VENV) .venv-mutation .briefcase logs .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build

# A folder left half-built (no python3-venv, Ctrl+C) or whose Python is gone does not count as finished.
$(shell $(BIN)/python -c 'import pip' 2>/dev/null || rm -f $(BIN)/.venv $(BIN)/.run $(BIN)/.dev)

$(BIN)/.venv: tools/make_venv.py
	$(PYTHON) $< $(VENV)
	@touch $@

$(BIN)/.run: $(BIN)/.venv $(RUN_LOCK) pyproject.toml
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(RUN_LOCK)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.run $(DEV_LOCK)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(DEV_LOCK)
	@touch $@

$(SHIP)/.ship: $(SHIP_LOCK) tools/make_venv.py
	$(SHIP_PYTHON) tools/make_venv.py $(SHIP_VENV)
	$(SHIP)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(SHIP_LOCK)
	@touch $@

$(MUTATION)/.mutation: requirements/mutation.txt tools/make_venv.py
	$(PYTHON) tools/make_venv.py .venv-mutation
	$(MUTATION)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/mutation.txt
	@touch $@

build/icons/.drawn: $(BIN)/.run installers/icons.py resources/icons/itsjustintv.svg
	$(BIN)/python -m installers.icons build/icons
	@touch $@

build/share/.made: $(BIN)/.run installers/manual.py itsjustintv_desktop/cli.py $(wildcard itsjustintv_desktop/commands/*.py)
	$(BIN)/python -m installers.manual build/share
	@touch $@
