# Backroom. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help run reset test e2e smoke delete invoke new order redrive replay erase mail ledger sizes contract policy audit sbom fuzz clients release-assets reference probe lint build lock event

# Functions are tested as they are deployed: without C, and without the RPC server that lambda.Start would link. Tests also
# link in a quarter less time, and need no C compiler.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -tags=lambda.norpc)

# Go is named before anything is built, if it is missing or too old and may not fetch a newer one by itself.
GO_NEEDED := $(shell sed -n 's/^go //p' go.mod)
HAS_GO = @command -v go >/dev/null || { printf '\ngo $(GO_NEEDED) or newer is needed, found none\nnext: https://go.dev/dl\n' >&2; exit 1; }; \
  found=$$(GOFLAGS= go version 2>&1) || { printf '\ngo $(GO_NEEDED) or newer is needed: %s\nnext: https://go.dev/dl\n' "$$found" >&2; exit 1; };

TOOL := .backroom/bin/localstack
# make starts the tool itself, not `go run`, so that a signal to make reaches it.
START = $(HAS_GO) go build -o $(TOOL) ./localstack && exec $(TOOL)

# The command backroom operates a stack. It takes flags only, and each comes from a variable on make's own command line: a
# variable of the environment must not select the stack that is changed.
BACKROOM := .backroom/bin/backroom
OPERATE = $(HAS_GO) go build -o $(BACKROOM) ./shared/ops/backroom && exec $(BACKROOM)
given = $(if $(findstring command line,$(origin $(1))),$($(1)))
quoted = '$(subst ','\'',$(1))'
option = $(if $(call given,$(2)),--$(1) $(call quoted,$(call given,$(2))))
switch = $(if $(filter-out 0,$(call given,$(2))),--$(1))
AT = $(call option,stack,STACK) $(call option,endpoint,ENDPOINT)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a local cloud, deploy, place 25 orders, serve the API at http://127.0.0.1:8080 (API_PORT=, CLOUD_PORT=)
	$(START) run

reset: ## delete what make run stored
	$(START) reset

test: ## run lint, unit and store tests, and the black-box suite on a fresh MiniStack
	$(START) test

e2e: ## run the black-box suite on CLOUD=ministack|localstack|aws (STACK=name; required on aws)
	$(START) e2e $(or $(CLOUD),ministack)

smoke: ## send one test order through a deployed STACK=, with mail and refund (in prod it only reads; CARD=, URL=)
	$(OPERATE) smoke $(AT) $(call option,card,CARD) $(call option,url,URL) $(call option,shop,SHOP)

delete: ## delete STACK= and its tables; never prod (CONFIRM=name confirms, DRY=1 only lists)
	$(OPERATE) delete $(AT) $(call option,confirm,CONFIRM) $(call switch,dry-run,DRY)

invoke: ## run a function of the running cloud: F=place-order E=events/place-order.json
	$(START) invoke "$(F)" "$(E)"

event: ## write a sample event: ROUTE=place-order BODY='{…}' (AT=path), or STEP=commit-stock (FACT=, BODY=); CASE= names it
	@go run ./localstack/contract/event -route "$$ROUTE" -body "$$BODY" -at "$$AT" -step "$$STEP" -fact "$$FACT" -case "$$CASE"

new: ## write the skeleton of a route or a step: ROUTE=put-thing (AT=, SCOPE=), or STEP=do-thing (FACT=); DOMAIN= (FORCE=1)
	$(START) new

order: ## show the story of one order: ID=ord_… (SHOP=; STACK= for another stack than that of make run)
	$(OPERATE) order show $(call quoted,$(call given,ID)) $(AT) $(call option,shop,SHOP)

redrive: ## move the dead letters of STEP= (such as advance-order) back to its queue, in STACK= (DRY=1 only lists, LIMIT=, YES=1)
	$(OPERATE) redrive $(call quoted,$(call given,STEP)) $(AT) $(call option,limit,LIMIT) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

replay: ## send the facts again that were recorded SINCE=26h or 2026-11-21T10:00Z, in STACK= (DRY=1 only counts, RATE=, YES=1)
	$(OPERATE) replay $(call option,since,SINCE) $(AT) $(call option,rate,RATE) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

erase: ## remove personal data from the orders of CUSTOMER=, in STACK=; amounts stay (DRY=1 only counts, SHOP=, YES=1)
	$(OPERATE) erase $(call quoted,$(call given,CUSTOMER)) $(AT) $(call option,shop,SHOP) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

mail: ## show the last N=5 mails of the mailbox, here and as a page (OPEN=1 opens it, STACK=)
	$(OPERATE) mail list --html .backroom/mail/index.html $(AT) $(call option,last,N) $(call switch,open,OPEN)

reference: ## test the API reference of make run in a headless Chromium; no request may leave it (UPDATE=1 takes a screenshot)
	$(START) reference

ledger: ## count what an order costs, in a simulation, and compare it with testdata/ledger.txt (UPDATE=1 writes the file)
	@cd localstack/simulation && go test -count=1 -run '^TestLedger$$' $(if $(UPDATE),-update)

sizes: ## print binary and zip size of every function
	$(START) sizes

contract: ## compare the API's document with the functions' answers to sample events (UPDATE=1 writes docs/openapi.yaml)
	$(START) contract

policy: ## check the template: grants equal to use, queues, alarms with their runbook sections, public routes
	$(START) policy

audit: ## check for vulnerabilities and secrets, run cfn-lint and checkov on the template, and check that builds are reproducible
	$(START) audit

sbom: ## write the SBOM of every function: .backroom/sbom/<function>.cdx.json
	$(START) sbom

fuzz: ## run every fuzz target for FUZZTIME=30s; a failing input is kept in its testdata
	$(START) fuzz

release-assets: ## write the files of a release: the API in OpenAPI 3.0 and as a collection, in .backroom/release
	@rm -rf .backroom/release && go run ./localstack/contract/release .backroom/release

probe: ## run Schemathesis on a fresh MiniStack: EXAMPLES=100 per operation and identity (SEED=)
	$(START) probe

clients: ## generate clients of the API with public generators and try each on a fresh MiniStack (CLIENTS=java,rust for some)
	$(START) clients

lint: ## run golangci-lint, the prose check, sam validate --lint
	$(START) lint

.PHONY: prose rename
prose: ## list wordings in comments, strings and documents that the style rules out (PATTERN=is-no for one pattern)
	$(START) prose $(PATTERN)

rename: ## give the module another path, so that other modules can import it: MODULE=example.com/shop/backroom (FORCE=1)
	$(START) rename "$(MODULE)"

build: ## compile everything
	go build ./...

lock: ## pin the dependencies of localstack/*/requirements.in
	for in in localstack/*/requirements.in; do (cd $$(dirname $$in) && uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
	  -o requirements.txt requirements.in) || exit 1; done

# `sam build` calls build-<LogicalId> for each function (BuildMethod: makefile): build-PlaceOrder builds functions/place-order.
# For AWS it builds for arm64. A local cloud runs functions as processes of this machine, so with AWS_ENDPOINT_URL it builds
# for the host. ARCH=amd64 or arm64 overrides both; set the template's Arch parameter to match (x86_64 or arm64).
ARCH ?= $(if $(AWS_ENDPOINT_URL),$(shell go env GOHOSTARCH),arm64)

build-%:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags "-s -w -buildid=" \
	  -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | sed -E 's/([a-z0-9])([A-Z])/\1-\2/g' | tr A-Z a-z)
