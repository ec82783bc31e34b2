# The only entry points. `make run`: the map of the demo province on screen; `make test`: set-up and every test.

SEN      := target/release/sen
FIXTURES := target/release/sen-fixtures
SEN_LISTEN ?= 127.0.0.1:8080
WEB      := web/dist/index.html
export SEN_LISTEN

.PHONY: run test setup build demo lint bench bench-smoke ci web unit e2e

run: demo
	@exec $(SEN) --data demo/data serve

setup:
	@sh scripts/setup.sh

build: setup $(WEB)
	@cargo build --release --quiet --bin sen -p sen -p sen-fixtures --bin sen-fixtures

web: $(WEB)

$(WEB): $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null) | setup
	@sh scripts/node.sh npm --prefix web run --silent build

# the demo is remade when the generator or the service changed the data's shape: sh scripts/demo.sh decides
demo: build
	@sh scripts/demo.sh $(SEN) $(FIXTURES)

test: setup unit e2e bench-smoke

unit: $(WEB) demo
	@sh scripts/node.sh npm --prefix web run --silent check
	@sh scripts/node.sh npm --prefix web test --silent
	cargo test --workspace

# the page in a real browser against the real binary on the demo province
e2e: demo
	@sh scripts/e2e.sh $(SEN)

# one small round of our side of each benchmark, so that what is measured does not rot
bench-smoke: demo
	@sh benches/run.sh --smoke

lint: setup $(WEB)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	@sh scripts/node.sh npm --prefix web run --silent check
	@sh scripts/lint.sh

bench: build
	@sh benches/run.sh

ci: lint test
	@test -z "$$(git status --porcelain)" || { git status --short; echo 'the work tree is not clean after the tests'; exit 1; }
