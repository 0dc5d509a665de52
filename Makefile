# `make run` starts the program from source, `make test` checks everything; both set up what they need and can be run
# again at any time. `make help` lists the rest.

PYTHON := .venv/bin/python
SETUP  := sh installers/linux/setup

.PHONY: help run setup setup-dev test lint format fast-test images bench build packages package-test translations lock clean

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18

run: .venv/.app ## Set up if needed, then start the tray (or the gateway alone where there is no display)
	@sh installers/linux/start

setup: .venv/.app ## Make .venv with the packages the program needs

setup-dev: .venv/.dev ## Make .venv with the packages for development as well

.venv/.app: requirements.txt pyproject.toml
	@$(SETUP) app

.venv/.dev: requirements-dev.txt pyproject.toml
	@$(SETUP) dev

test: ## Set up everything, then lint and run all tests
	@sh tests/run all

lint: .venv/.dev ## ruff, mypy, import-linter
	@sh tests/run lint

format: .venv/.dev ## Lay out the code with ruff
	@$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

fast-test: .venv/.dev ## Only the tests that need no engine, display, keychain or browser
	@sh tests/run fast

images: .venv/.dev ## Build the images of MCP servers that the tests run
	@sh tests/with-engine $(PYTHON) tests/images/build.py

bench: .venv/.dev ## Measure; needs a container engine
	@sh tests/run bench

build: .venv/.dev ## Build the program for this system into dist/
	@sh tests/run build

translations: .venv/.dev ## Collect the window's texts for translation, and compile what is translated
	@sh installers/translations

packages: build ## Make .deb, .rpm and the contents of an AppImage of it, for this Linux
	@sh tests/run packages

package-test: .venv/.dev ## Install, use, upgrade and remove the packages on clean systems; as root, minutes
	@sh tests/run package-test

lock: .venv/.dev ## Choose the newest allowed packages and write the lock files
	@sh installers/lock

clean: ## Remove .venv and everything that was built
	@rm -rf .venv build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
