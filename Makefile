VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# Stand-ins for modules, which ./... does not reach; internal/lean/README.md.
LEAN := modernc.org/memory modernc.org/mathutil github.com/google/uuid github.com/dustin/go-humanize

.PHONY: build quickstart test check race bench dist clean

build: ## ./prontodb, static
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o prontodb .

quickstart: build ## a short tour in a scratch folder
	@sh packaging/quickstart.sh ./prontodb

test: ## every test
	CGO_ENABLED=0 go test ./... $(LEAN)

check: ## format, vet, lint, tidy
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./... $(LEAN)
	go tool staticcheck ./... $(LEAN)
	go mod tidy -diff

race: ## the tests of the packages under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -gcflags=all=-d=checkptr=0 ./pronto/... ./lifecycle/... ./internal/...

bench: build ## our commands beside sqlite3 and redis-cli
	go run ./internal/bench -prontodb ./prontodb

dist: ## archives and packages for a release: make dist VERSION=v0.1.0
	go run ./packaging/dist $(VERSION)

clean:
	rm -rf prontodb dist bench
