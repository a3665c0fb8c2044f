# Backroom. `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run reset test e2e smoke delete invoke order redrive replay erase mail ledger sizes contract policy audit sbom fuzz release-assets reference probe lint build lock event

# Functions are tested as they are deployed: without C, and without the RPC server that lambda.Start would bring along. Tests link in
# a quarter less time, too, and no C compiler is needed.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -tags=lambda.norpc)

TOOL := .backroom/bin/localstack
# make starts the tool itself, not `go run`, so that a signal to make reaches it.
START = @go build -o $(TOOL) ./localstack && exec $(TOOL)

# What operates a stack is a command of its own. It takes flags only, and each is made of a variable on make's own command
# line: one that the environment happens to have must not choose the stack that is changed.
BACKROOM := .backroom/bin/backroom
OPERATE = @go build -o $(BACKROOM) ./shared/ops/backroom && exec $(BACKROOM)
given = $(if $(findstring command line,$(origin $(1))),$($(1)))
quoted = '$(subst ','\'',$(1))'
option = $(if $(call given,$(2)),--$(1) $(call quoted,$(call given,$(2))))
switch = $(if $(filter-out 0,$(call given,$(2))),--$(1))
AT = $(call option,stack,STACK) $(call option,endpoint,ENDPOINT)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## an order flows: local cloud, deploy, 25 orders, the API at http://127.0.0.1:8080 (API_PORT=, CLOUD_PORT=)
	$(START) run

reset: ## forget what make run stored
	$(START) reset

test: ## lint, unit and store tests, and the black-box suite on a fresh MiniStack
	$(START) test

e2e: ## the black-box suite on CLOUD=ministack|localstack|aws (STACK=name; on aws it is needed)
	$(START) e2e $(or $(CLOUD),ministack)

smoke: ## the way of one test order through a deployed STACK=, mail and refund included (in prod it only reads; CARD=, URL=)
	$(OPERATE) smoke $(AT) $(call option,card,CARD) $(call option,url,URL) $(call option,shop,SHOP)

delete: ## delete STACK= and the tables that outlive it; never prod (CONFIRM=name answers beforehand, DRY=1)
	$(OPERATE) delete $(AT) $(call option,confirm,CONFIRM) $(call switch,dry-run,DRY)

invoke: ## run a function of the running cloud: F=place-order E=events/place-order.json
	$(START) invoke "$(F)" "$(E)"

event: ## write a sample event: ROUTE=place-order BODY='{…}' (AT=path), or STEP=commit-stock (FACT=); CASE= names a case
	@go run ./localstack/contract/event -route "$$ROUTE" -body "$$BODY" -at "$$AT" -step "$$STEP" -fact "$$FACT" -case "$$CASE"

order: ## the story of one order: ID=ord_… (SHOP=, and STACK= for another stack than that of make run)
	$(OPERATE) order show $(call quoted,$(call given,ID)) $(AT) $(call option,shop,SHOP)

redrive: ## send dead letters back to STEP=advance-order and so on, in STACK= (DRY=1 only lists them, LIMIT=, YES=1)
	$(OPERATE) redrive $(call quoted,$(call given,STEP)) $(AT) $(call option,limit,LIMIT) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

replay: ## send facts again that were recorded SINCE=26h or 2026-11-21T10:00Z, in STACK= (DRY=1 only counts, RATE=, YES=1)
	$(OPERATE) replay $(call option,since,SINCE) $(AT) $(call option,rate,RATE) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

erase: ## forget whose the orders of CUSTOMER= were, in STACK=; amounts stay (DRY=1 only counts, SHOP=, YES=1)
	$(OPERATE) erase $(call quoted,$(call given,CUSTOMER)) $(AT) $(call option,shop,SHOP) \
	  $(call switch,dry-run,DRY) $(call switch,yes,YES)

mail: ## the last N=5 mails that were kept in the mailbox, here and as a page (OPEN=1 opens it, STACK=)
	$(OPERATE) mail list --html .backroom/mail/index.html $(AT) $(call option,last,N) $(call switch,open,OPEN)

reference: ## the API reference of make run in a headless Chromium: tried out, and nothing asked elsewhere (UPDATE=1 takes its picture)
	$(START) reference

ledger: ## what an order costs, counted in a simulation and held to testdata/ledger.txt (UPDATE=1 writes that)
	@cd localstack/simulation && go test -count=1 -run '^TestLedger$$' $(if $(UPDATE),-update)

sizes: ## binary and zip size of every function
	$(START) sizes

contract: ## the API's document against what functions answer to the sample events (UPDATE=1 writes docs/openapi.yaml)
	$(START) contract

policy: ## the template against the policy: grants equal to what functions use, queues, alarms with their pages, public routes
	$(START) policy

audit: ## known weaknesses, secrets, what cfn-lint and checkov say of the template, and packages that are the same when built twice
	$(START) audit

sbom: ## what is linked into every function: .backroom/sbom/<function>.cdx.json
	$(START) sbom

fuzz: ## every fuzz target for FUZZTIME=30s; what breaks one is kept in its testdata
	$(START) fuzz

release-assets: ## what a release has beside the source: the API in OpenAPI 3.0 and as a collection, in .backroom/release
	@rm -rf .backroom/release && go run ./localstack/contract/release .backroom/release

probe: ## Schemathesis on a fresh MiniStack: EXAMPLES=100 per operation and identity (SEED=)
	$(START) probe

lint: ## golangci-lint, the prose check, sam validate --lint
	$(START) lint

.PHONY: prose rename
prose: ## wordings in comments, strings and documents that the style rules out, and how many are left (PATTERN=whoever)
	$(START) prose $(PATTERN)

rename: ## give the module another path, so that others can import it: MODULE=example.com/shop/backroom (FORCE=1)
	$(START) rename "$(MODULE)"

build: ## compile everything
	go build ./...

lock: ## pin what localstack/*/requirements.in bring along
	for in in localstack/*/requirements.in; do (cd $$(dirname $$in) && uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
	  -o requirements.txt requirements.in) || exit 1; done

# `sam build` calls build-<LogicalId> for each function (BuildMethod: makefile): build-PlaceOrder builds functions/place-order.
# On AWS that is for arm64. A local cloud runs functions as processes of this machine, so with AWS_ENDPOINT_URL it is the
# host's. ARCH=amd64 or arm64 overrides both; give the template's Arch parameter the same (x86_64 or arm64).
ARCH ?= $(if $(AWS_ENDPOINT_URL),$(shell go env GOHOSTARCH),arm64)

build-%:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags "-s -w -buildid=" \
	  -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | sed -E 's/([a-z0-9])([A-Z])/\1-\2/g' | tr A-Z a-z)
