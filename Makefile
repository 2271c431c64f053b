VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# Stand-ins for modules, which ./... does not reach; internal/stubs/DESIGN.md.
STUBS := modernc.org/mathutil github.com/google/uuid github.com/dustin/go-humanize

# What runs goroutines; a whole program under the detector, as the scripts,
# internal/e2e and internal/crashes would start it, takes many times as long and shows no more.
RACE = $(shell go list ./... | grep -v -e '^prontodb$$' -e '/e2e$$' -e '/crashes$$' -e /packaging/)

FUZZTIME ?= 30s
PKG ?= ./pronto

.DEFAULT_GOAL := build
.PHONY: help build quickstart test check vet-all race fuzz crashes mutate bench dist clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

build: ## ./prontodb, static
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o prontodb .

quickstart: build ## a short tour in a scratch directory
	@sh packaging/quickstart.sh ./prontodb

test: ## every test
	CGO_ENABLED=0 go test ./... $(STUBS)

check: ## format, vet, lint, tidy
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./... $(STUBS)
	go tool staticcheck ./... $(STUBS)
	go mod tidy -diff

vet-all: ## vet for macOS and Windows
	GOOS=darwin go vet ./... $(STUBS)
	GOOS=windows go vet ./... $(STUBS)

race: ## tests under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -gcflags=all=-d=checkptr=0 $(RACE)

fuzz: ## every fuzz test, for FUZZTIME=30s each
	FUZZTIME=$(FUZZTIME) sh internal/tools/fuzz.sh ./...

crashes: ## cut the power at every moment, have every system call fail; needs strace
	PRONTODB_CRASHES=all CGO_ENABLED=0 go test -timeout 0 -v ./internal/crashes

mutate: ## change PKG on purpose and list what no test notices: PKG=./pronto TESTS=./pronto/...
	CGO_ENABLED=0 go run ./internal/tools/mutate -tests '$(TESTS)' $(PKG)

bench: build ## our commands beside sqlite3 and redis-cli
	go run ./internal/bench -prontodb ./prontodb

dist: ## archives and packages for a release: VERSION=v0.1.0
	go run ./packaging/dist $(VERSION)

clean: ## remove what the others made
	rm -rf prontodb dist bench
